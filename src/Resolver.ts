/**
 * DNS: the addresses of a host (RFC 4975 §6.2), and the SRV records that say where the relay of a domain is, for an AUTH
 * that names no port (RFC 4976 §8, RFC 2782).
 *
 * @module
 */

import * as Cache from "effect/Cache"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Dns from "node:dns/promises"
import { isIP } from "node:net"
import { makeCacheClock } from "./clock/CacheClock.ts"
import { codeOf } from "./net/ErrorCode.ts"
import { withoutRootDot } from "./net/Hosts.ts"
import { type Current, follow, type Live } from "./options/Live.ts"
import { type OptionsError, text, wrongOrUnknown } from "./options/Options.ts"
import type { MsrpUri } from "./protocol/Uri.ts"
import { oneByOne } from "./resolver/Asker.ts"
import { withLookUpSpan } from "./resolver/LookUpSpan.ts"
import { isNameServer, nameServerOf, QueryError, querySrv, type SrvRecord } from "./resolver/Srv.ts"

export type { SrvRecord } from "./resolver/Srv.ts"

/**
 * The name servers did not answer, the host is not known, or the domain has no relay. `code` is that of `node:dns`.
 *
 * @category errors
 * @since 0.1.0
 */
export class ResolverError extends Data.TaggedError("ResolverError")<{
  readonly name: string
  readonly code: string
}> {
  override get message(): string {
    return `${this.name}: ${this.code}`
  }
}

/**
 * What a resolver answers. Whatever fails is a `ResolverError`; the relay waits no longer than its limits say.
 *
 * @category services
 * @since 0.1.0
 */
export interface ResolverShape {
  /** The addresses of a host, IPv4 and IPv6, at least one, in the order to try them. */
  readonly addresses: (host: string) => Effect.Effect<ReadonlyArray<string>, ResolverError>
  /** The records of a name such as `_msrps._tcp.example.com`, in any order; none when there are none. */
  readonly srv: (name: string) => Effect.Effect<ReadonlyArray<SrvRecord>, ResolverError>
}

/** How often each name server is asked before it is given up. */
const TRIES = 2

/**
 * Whom to ask for SRV records.
 *
 * @category options
 * @since 0.1.0
 */
export interface NodeResolverOptions {
  /** Name servers to ask for SRV records, as `address` or `address:port`; those of this machine when absent. */
  readonly servers?: ReadonlyArray<string> | undefined
}

const makeNode = (live: Current<NodeResolverOptions>): ResolverShape => ({
  // As the machine has it: also from its file of hosts, and remembered there or not at all.
  addresses: (name) =>
    Effect.tryPromise({
      try: () => Dns.lookup(name, { all: true, order: "verbatim" }),
      catch: (cause) => new ResolverError({ name, code: codeOf(cause) })
    }).pipe(Effect.map((found) => found.map(({ address }) => address))),
  srv: (name) =>
    Effect.suspend(() => {
      const queries = (live.current.servers ?? Dns.getServers()).map((server) => querySrv(name, nameServerOf(server)))
      return queries.length === 0
        ? Effect.fail(new QueryError({ code: "ENOSERVER" }))
        : Effect.firstSuccessOf(Array.from({ length: TRIES }, () => queries).flat())
    }).pipe(Effect.mapError(({ code }) => new ResolverError({ name, code })))
})

const optionsSchema = Schema.Struct({
  servers: Schema.optional(Schema.Array(text("an address, with or without a port", isNameServer)))
})

/** Names that are remembered. */
const CAPACITY = 1000
/** Records of a name that are kept and put in order: whoever owns the domain decides how many there are. */
const MAX_RECORDS = 32
/** Seconds for records that do not say how long, for those that say longer, and that there are none or no answer came. */
const DEFAULT_TTL = 60
const MAX_TTL = 3600
const NOT_FOUND = 5
/** Addresses of a host that are tried. */
const MAX_ADDRESSES = 16
/** Questions under way, and those that wait for one of these to end. */
const MAX_ASKED = 32
const MAX_WAITING = 256
/** What is beyond that was not asked, so nothing is known of it. */
const TOO_MANY = "too many look-ups"

/** Those that are tried first. */
const foremost = (records: ReadonlyArray<SrvRecord>): ReadonlyArray<SrvRecord> =>
  records.length <= MAX_RECORDS
    ? records
    : records.toSorted((a, b) => a.priority - b.priority).slice(0, MAX_RECORDS)

/** Seconds for which an answer is remembered: as long as its shortest-lived record. */
const lifeOf = (exit: Exit.Exit<ReadonlyArray<SrvRecord>, ResolverError>): number => {
  if (Exit.isSuccess(exit) && exit.value.length > 0) {
    return Math.min(MAX_TTL, ...exit.value.map(({ ttl }) => ttl ?? DEFAULT_TTL))
  }
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  return error?.code === TOO_MANY ? 0 : NOT_FOUND
}

const reference: Context.Reference<ResolverShape> = Context.Reference("msrp-relay/Resolver", {
  defaultValue: () => makeNode({ current: {} })
})

/**
 * The name servers of this machine, or others for SRV; their SRV records are remembered, one question at a time.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerNode = (options: Live<NodeResolverOptions> = {}): Layer.Layer<never, OptionsError> =>
  Layer.unwrap(
    Effect.map(
      follow(options, wrongOrUnknown<NodeResolverOptions>("Resolver.layerNode", optionsSchema)),
      (live) => layerCached(makeNode(live))
    )
  )

/**
 * The same with options out of a configuration.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerNodeConfig = (
  config: Config.Config<Live<NodeResolverOptions>>
): Layer.Layer<never, OptionsError | Config.ConfigError> => Layer.unwrap(Effect.map(config, layerNode))

/**
 * Remembers the SRV records that another resolver finds, asks it a few questions at a time, one about addresses and one about
 * records for each user whose next hop it is, and bounds what it finds.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerCached = ({ addresses, srv }: ResolverShape): Layer.Layer<never> =>
  Layer.effect(
    reference,
    Effect.gen(function*() {
      const turns = yield* Semaphore.make(MAX_ASKED)
      const { withMonotonicTime, withTimeOfDay } = yield* makeCacheClock
      let asking = 0
      const ask = (name: string) =>
        Effect.suspend(() => {
          if (asking === MAX_ASKED + MAX_WAITING) return Effect.fail(new ResolverError({ name, code: TOO_MANY }))
          asking++
          return Effect.map(turns.withPermit(withTimeOfDay(srv(name))), foremost).pipe(
            Effect.ensuring(Effect.sync(() => asking--))
          )
        })
      const cache = yield* Cache.makeWith(ask, {
        capacity: CAPACITY,
        timeToLive: (exit) => Duration.seconds(lifeOf(exit))
      })
      const lookUp = yield* oneByOne(addresses)
      // Before what is remembered, or who asks the same would stand behind all that one asker wants to know.
      const question = yield* oneByOne((name) => withMonotonicTime(Cache.get(cache, name)), Infinity)
      return {
        addresses: (host: string) => Effect.map(lookUp(host), (all) => all.slice(0, MAX_ADDRESSES)),
        srv: (name: string) => question(name.toLowerCase())
      }
    })
  )

/**
 * SRV records and addresses by name (lower case), for simulated networks and tests.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerRecords = (
  records: Readonly<Record<string, ReadonlyArray<SrvRecord>>>,
  addresses: Readonly<Record<string, ReadonlyArray<string>>> = {}
): Layer.Layer<never> =>
  Layer.succeed(reference, {
    addresses: (host) => {
      const found = addresses[host.toLowerCase()] ?? []
      return found.length > 0
        ? Effect.succeed(found)
        : Effect.fail(new ResolverError({ name: host, code: "ENOTFOUND" }))
    },
    srv: (name) => Effect.succeed(records[name.toLowerCase()] ?? [])
  })

/**
 * Asks the name servers of this machine, unless another layer is provided: it is a reference, which is always there.
 *
 * The contract, for a resolver of one's own: both calls may be made by many at once, with whatever strangers write as a host, and
 * may be interrupted: the relay waits for 30 seconds. A name that is not there is a failure for `addresses` and no records for `srv`, which compares names without
 * case. Targets come without the dot of the root. It need not remember, bound or order anything: `layerCached` does that, so
 * give it what you have.
 *
 * ```ts
 * const Own = Resolver.layerCached({
 *   addresses: (host) => host === "relay.example.com" ? Effect.succeed(["192.0.2.1"]) : Effect.fail(unknownHost),
 *   srv: () => Effect.succeed([])
 * })
 * ```
 *
 * `resolverContract` of `msrp-relay/testing` has tests of that.
 *
 * @category services
 * @since 0.1.0
 */
export const Resolver = Object.assign(
  reference,
  { layerNode, layerNodeConfig, layerCached, layerRecords }
)

/**
 * Puts records into the order in which they are to be tried (RFC 2782, "The format of the SRV RR").
 *
 * @category ordering
 * @since 0.1.0
 */
export const inOrder = Effect.fnUntraced(function*(records: ReadonlyArray<SrvRecord>) {
  const ordered: Array<SrvRecord> = []
  for (const [, group] of [...Map.groupBy(records, ({ priority }) => priority)].toSorted(([a], [b]) => a - b)) {
    // Those without weight first, so that they are chosen only when the number is 0.
    const left = group.toSorted((a, b) => a.weight - b.weight)
    while (left.length > 0) {
      const sum = left.reduce((sum, { weight }) => sum + weight, 0)
      let rest = yield* Random.nextIntBetween(0, sum)
      const chosen = left.findIndex(({ weight }) => (rest -= weight) <= 0)
      ordered.push(...left.splice(chosen, 1))
    }
  }
  return ordered
})

/** Records of one domain that are tried. */
const MAX_TARGETS = 8

/**
 * Hosts and ports to try in this order for the relay of a domain (RFC 4976 §8); none when it has no SRV records. Fails
 * when the domain says that it has no relay, or nothing can be known.
 *
 * @category accessors
 * @since 0.1.0
 */
export const relaysOf = Effect.fnUntraced(function*(domain: string) {
  const { srv } = yield* Resolver
  const name = `_msrps._tcp.${withoutRootDot(domain)}`
  const records = yield* srv(name).pipe(withLookUpSpan("SRV", name))
  if (records.length === 1 && records[0]!.target === "") return yield* new ResolverError({ name, code: "no service" })
  const ordered = yield* inOrder(foremost(records.filter(({ target }) => target !== "")))
  return ordered.slice(0, MAX_TARGETS).map(({ port, target }) => ({ host: target, port }))
})

/** Recommended, and the last fallback where a URI names no port (RFC 4976 §8). */
const DEFAULT_PORT = 2855

/**
 * Where to connect for a URI, in this order: a relay that is named without a port is found by SRV (RFC 4976 §8).
 *
 * @category combinators
 * @since 0.2.0
 */
export const targetsOf = Effect.fnUntraced(function*({ host, port }: Pick<MsrpUri, "host" | "port">) {
  if (port !== undefined) return [{ host, port }]
  // A name that no name server may be asked for (RFC 6761 §6.3).
  const known = isIP(host) !== 0 || host.toLowerCase() === "localhost" ? [] : yield* relaysOf(host)
  return known.length > 0 ? known : [{ host, port: DEFAULT_PORT }]
})
