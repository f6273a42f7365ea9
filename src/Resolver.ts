/**
 * DNS: the addresses of a host (RFC 4975 §6.2), and the SRV records of the relay of a domain, for an AUTH to a URI without a
 * port (RFC 4976 §8, RFC 2782).
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
import { codeOf, wordsOf } from "./net/ErrorCode.ts"
import { withoutRootDot } from "./net/Hosts.ts"
import { type Current, follow, type Live } from "./options/Live.ts"
import { type OptionsError, text, wrongOrUnknown } from "./options/Options.ts"
import { DEFAULT_PORT, type MsrpUri } from "./protocol/Uri.ts"
import { oneByOne } from "./resolver/Asker.ts"
import { withLookUpSpan } from "./resolver/LookUpSpan.ts"
import { isNameServer, nameServerOf, QueryError, querySrv, type SrvRecord } from "./resolver/Srv.ts"

export type { SrvRecord } from "./resolver/Srv.ts"

/**
 * The name servers did not answer, the host is unknown, or the domain has no relay. `code`: mostly of `node:dns`.
 *
 * @category errors
 * @since 0.1.0
 */
export class ResolverError extends Data.TaggedError("ResolverError")<{
  readonly name: string
  readonly code: string
}> {
  override get message(): string {
    return `${this.name}: ${wordsOf(this)}`
  }
}

/**
 * The functions of a resolver. All failures are a `ResolverError`; the relay limits how long it waits.
 *
 * @category services
 * @since 0.1.0
 */
export interface ResolverShape {
  /** Looks up the addresses of a host, IPv4 and IPv6, at least one, in the order to try them. */
  readonly addresses: (host: string) => Effect.Effect<ReadonlyArray<string>, ResolverError>
  /** Looks up the records of a name such as `_msrps._tcp.example.com`, in any order; empty if there are none. */
  readonly srv: (name: string) => Effect.Effect<ReadonlyArray<SrvRecord>, ResolverError>
}

/** How often each name server is queried. */
const TRIES = 2

/**
 * Which name servers are queried for SRV records.
 *
 * @category options
 * @since 0.1.0
 */
export interface NodeResolverOptions {
  /** Name servers for SRV records, as `address` or `address:port`. Absent: those of this machine. */
  readonly servers?: ReadonlyArray<string> | undefined
}

const makeNode = (live: Current<NodeResolverOptions>): ResolverShape => ({
  // By the system's resolver, which also reads the hosts file, and may have a cache; there is no other one here.
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

/** The most names whose records are cached. */
const CAPACITY = 1000
/** The most records of a name that are kept: the owner of the domain decides how many there are. */
const MAX_RECORDS = 32
/** Seconds that records without a TTL are cached. */
const DEFAULT_TTL = 60
/** The most seconds that records are cached, whatever their TTL. */
const MAX_TTL = 3600
/** Seconds that an empty or failed answer is cached. */
const NOT_FOUND = 5
/** The most addresses of a host that are tried. */
const MAX_ADDRESSES = 16
/** The most SRV queries under way. */
const MAX_ASKED = 32
/** The most SRV queries that wait for one of those to end. */
const MAX_WAITING = 256
/** The code for a query beyond both limits, which is not sent, and not cached. */
const TOO_MANY = "too many look-ups"

/** At most `MAX_RECORDS` records, those that are tried first. */
const foremost = (records: ReadonlyArray<SrvRecord>): ReadonlyArray<SrvRecord> =>
  records.length <= MAX_RECORDS
    ? records
    : records.toSorted((a, b) => a.priority - b.priority).slice(0, MAX_RECORDS)

/** Seconds that an answer is cached: the shortest TTL of its records. */
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
 * The name servers of this machine, or others for SRV records, with the cache and the limits of `layerCached`.
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
 * `layerNode` with options from a configuration.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerNodeConfig = (
  config: Config.Config<Live<NodeResolverOptions>>
): Layer.Layer<never, OptionsError | Config.ConfigError> => Layer.unwrap(Effect.map(config, layerNode))

/**
 * Caches the SRV records of another resolver, and limits the number of its results and of queries under way: in all, and to one
 * for addresses and one for records of each user whose next hops are looked up.
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
      // Outside of the cache: else a query that another asker shares would wait for all earlier ones of the first asker.
      const question = yield* oneByOne((name) => withMonotonicTime(Cache.get(cache, name)), Infinity)
      return {
        addresses: (host: string) => Effect.map(lookUp(host), (all) => all.slice(0, MAX_ADDRESSES)),
        srv: (name: string) => question(name.toLowerCase())
      }
    })
  )

/**
 * SRV records and addresses from tables, by name (lower case), for simulated networks and tests.
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
 * The resolver of the relay. It is a reference, whose default queries the name servers of this machine.
 *
 * The contract for a custom resolver: both functions may be called concurrently, with any text that a stranger sends as a host,
 * and may be interrupted: the relay waits for 30 seconds. For an unknown name, `addresses` fails and `srv` has no records; `srv`
 * ignores the case of names. Targets have no root dot. A resolver inside `layerCached` does not need to cache, limit or order
 * its results.
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
 * Puts records in the order in which to try them (RFC 2782, "The format of the SRV RR").
 *
 * @category ordering
 * @since 0.1.0
 */
export const inOrder = Effect.fnUntraced(function*(records: ReadonlyArray<SrvRecord>) {
  const ordered: Array<SrvRecord> = []
  for (const [, group] of [...Map.groupBy(records, ({ priority }) => priority)].toSorted(([a], [b]) => a - b)) {
    // Records of weight 0 first, so that they are chosen only if the random number is 0.
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

/** The most records of a domain that are tried. */
const MAX_TARGETS = 8

/**
 * The hosts and ports of the relay of a domain, in the order to try them (RFC 4976 §8); none if it has no SRV records. Fails if
 * the records say that the domain has no relay, or the look-up fails.
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

/**
 * The hosts and ports to try for a URI, in order: a URI without a port is looked up by SRV records (RFC 4976 §8).
 *
 * @category combinators
 * @since 0.2.0
 */
export const targetsOf = Effect.fnUntraced(function*({ host, port }: Pick<MsrpUri, "host" | "port">) {
  if (port !== undefined) return [{ host, port }]
  // RFC 6761 §6.3: name servers are not queried for `localhost`.
  const known = isIP(host) !== 0 || host.toLowerCase() === "localhost" ? [] : yield* relaysOf(host)
  return known.length > 0 ? known : [{ host, port: DEFAULT_PORT }]
})
