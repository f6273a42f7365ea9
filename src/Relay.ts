import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import { Authenticator } from "./Authenticator.ts"
import { Codec } from "./Codec.ts"
import { isLoopback } from "./net/Hosts.ts"
import { formatUri, type MsrpUri, parseUri } from "./protocol/Uri.ts"
import { makeAuthenticate } from "./relay/Auth.ts"
import { Dialler } from "./relay/Dialler.ts"
import { Hop } from "./relay/Hop.ts"
import { type NextHopOptions, NextHops } from "./relay/NextHops.ts"
import { Paces } from "./relay/Pace.ts"
import { Peers, type RelayPolicy } from "./relay/Peers.ts"
import { defaultRelayLimits, type RelayLimits } from "./relay/RelayLimits.ts"
import { type RelayCounters, RelayState } from "./relay/RelayState.ts"
import { Router } from "./relay/Router.ts"
import { Timers } from "./relay/Timers.ts"
import { SessionRepo } from "./SessionRepo.ts"
import { SocketSelector } from "./SocketSelector.ts"
import { type LocalSocket, Transport, type TransportError } from "./Transport.ts"

export { defaultRelayLimits, type RelayLimits } from "./relay/RelayLimits.ts"

/** RFC 4976 §6.1, §6.4.1, RFC 4975 §7.1.1: seconds, and not a matter of taste. */
const PROBATION = 30
const TRANSACTION = 30

/** Milliseconds after which it is looked again whether a sender that was too fast may go on. */
const PACE = 50

/** How often it is looked for connections that nobody uses, and logged what limits have refused. */
const IDLE_CHECK = "1 minute"

export interface RelayOptions {
  /** Where to listen. */
  readonly listen: ReadonlyArray<LocalSocket>
  /**
   * The relay's own URIs, without session-id: what clients address in AUTH, and what Use-Path is made of. Made from
   * the listeners when absent.
   */
  readonly uris?: ReadonlyArray<MsrpUri> | undefined
  /**
   * The URI of this very relay, where the others are shared by several (a farm that its domain's SRV records list): for
   * Use-Path, since a session URI is good on one of them only (RFC 4976 §6.3, §8). One for each scheme; without one, the
   * URI that an AUTH addresses.
   */
  readonly usePath?: ReadonlyArray<MsrpUri> | undefined
  /** The realm of challenges. When absent, the host of the URI that an AUTH addresses. */
  readonly authRealm?: string | undefined
  /** Seconds for which a session URI is valid when its client names none. Default 1800. */
  readonly authExpires?: number | undefined
  /** Seconds: the bounds for what a client may ask (423 otherwise). Default: none. */
  readonly authMinExpires?: number | undefined
  readonly authMaxExpires?: number | undefined
  /** AUTH without TLS: `loopback` (default) where the client is on this machine, `always`, or `never` (RFC 4976 §9.2). */
  readonly plaintextAuth?: "loopback" | "always" | "never" | undefined
  /**
   * Which relays are admitted as such, of those that prove their name by certificate: all (default), none, or those of
   * these names, where `*.` stands for one label (RFC 4976 §6.3).
   */
  readonly relayPeers?: RelayPolicy | undefined
  /**
   * Where clients may make the relay connect to. By default not to the relay itself and, unless it listens on loopback
   * only, not to loopback, link-local and private addresses.
   */
  readonly nextHops?: NextHopOptions | undefined
  readonly limits?: Partial<RelayLimits> | undefined
}

/** What a relay holds at this moment; all of it is 0 when nothing is going on. */
export interface RelayGauges {
  readonly connections: number
  readonly sessions: number
  readonly transactions: number
  readonly timers: number
  /** Octets of output and of parked requests. */
  readonly bufferedOctets: number
}

/**
 * An MSRP relay (RFC 4976), running while its layer lives. It needs its services and nothing else, so the same program
 * runs on sockets and on a simulated network.
 */
export class Relay extends Context.Service<Relay, {
  /** The bound listeners, with their real ports. */
  readonly sockets: ReadonlyArray<LocalSocket>
  /** The relay's own URIs. */
  readonly uris: ReadonlyArray<MsrpUri>
  readonly counters: Readonly<RelayCounters>
  readonly gauges: () => RelayGauges
  /**
   * Ends all connections: new requests are refused, those on their way have the `draining` limit for their answers, and
   * whoever has none then is told; running chunks get an end-line, what is written is sent. Completes when the peers have
   * closed too, at the latest after the `closing` limit. Whoever connects now is closed, so close the listeners with it.
   */
  readonly close: Effect.Effect<void>
}>()("msrp-relay/Relay") {
  static readonly layer = (options: RelayOptions): Layer.Layer<
    Relay,
    TransportError,
    Transport | Codec | SessionRepo | Authenticator | SocketSelector
  > => Layer.effect(Relay, make(options))
}

const make = Effect.fnUntraced(function*(options: RelayOptions) {
  const transport = yield* Transport
  const codec = yield* Codec
  const sessions = yield* SessionRepo
  const authenticator = yield* Authenticator
  const selector = yield* SocketSelector
  const clock = yield* Clock.Clock
  const run = yield* FiberSet.makeRuntime<never, void, never>()

  const timers = new Timers(clock, run)
  const bounds = { ...defaultRelayLimits, ...options.limits }
  const seconds = (n: number) => timers.queue(n * 1000)
  const relay = new RelayState({
    codec,
    sessions,
    transport,
    timers,
    peers: new Peers(options.relayPeers ?? "all"),
    run,
    limits: {
      ...bounds,
      transaction: seconds(TRANSACTION),
      probation: seconds(PROBATION),
      stall: seconds(bounds.stall),
      closing: seconds(bounds.closing),
      pace: timers.queue(PACE),
      blocked: seconds(bounds.blocked)
    }
  })

  const sockets: Array<LocalSocket> = []
  const accept = (connection: Parameters<Parameters<typeof transport.listen>[1]>[0]): Hop => {
    relay.stats.connectionsAccepted++
    relay.tick()
    const hop = new Hop(relay)
    relay.hops.add(hop)
    hop.accepted(connection)
    if (relay.stopping) hop.fail("the relay stops")
    return hop
  }
  // The router and the policy need the real sockets, and nothing is read before this fiber goes on.
  for (const socket of options.listen) sockets.push(yield* transport.listen(socket, accept))
  const uris = options.uris ?? sockets.map(({ host, port, scheme }) => parseUri(formatUri({ scheme, host, port }))!)

  const nextHops = new NextHops(options.nextHops ?? {}, sockets)
  const dialler = relay.dialler = new Dialler(relay, transport, selector, nextHops, run)
  const { usePath = [] } = options
  relay.router = new Router({
    codec,
    sessions,
    uris,
    usePath,
    dialler,
    paces: new Paces(bounds.requestRate, bounds.octetRate)
  })
  relay.authenticate = makeAuthenticate(relay, authenticator, {
    usePath,
    realm: options.authRealm,
    expires: options.authExpires ?? 1800,
    minExpires: options.authMinExpires,
    maxExpires: options.authMaxExpires,
    plaintext: plaintextRule(options.plaintextAuth ?? "loopback")
  }, run)

  const logTrouble = troubleLog(relay.stats)
  yield* Effect.andThen(Effect.sync(() => relay.admission.closeIdle(bounds.idle * 1000)), logTrouble).pipe(
    Effect.delay(IDLE_CHECK),
    Effect.forever,
    Effect.forkScoped
  )

  return Relay.of({
    sockets,
    uris,
    counters: relay.stats,
    gauges: () => {
      let bufferedOctets = 0
      for (const hop of relay.hops) {
        bufferedOctets += hop.outbox.waitingOctets + hop.parkedOctets
      }
      return {
        connections: relay.hops.size,
        sessions: sessions.size(),
        transactions: relay.outstanding,
        timers: timers.running,
        bufferedOctets
      }
    },
    close: Effect.gen(function*() {
      relay.stopping = true
      yield* ended(() => relay.outstanding === 0, bounds.draining)
      // Reports go to hops that are still open, whatever the order.
      for (const hop of relay.hops) hop.giveUp()
      for (const hop of relay.hops) hop.finish("the relay stops")
      yield* ended(() => relay.hops.size === 0, bounds.closing)
    })
  })
})

/** Waits for it, at most so many seconds. */
const ended = (condition: () => boolean, seconds: number): Effect.Effect<void> =>
  Effect.suspend(() =>
    condition() ? Effect.void : Effect.repeat(Effect.sleep("20 millis"), { until: condition }).pipe(
      Effect.timeoutOption(seconds * 1000),
      Effect.asVoid
    )
  )

/** What an operator should hear of, though not once for each. */
const TROUBLE = [
  "connectionsTurnedAway",
  "probationsFailed",
  "receiversStalled",
  "dialsForbidden",
  "dialsOverLimit",
  "sessionsRefused",
  "failedAuths",
  "undecidedAuths"
] as const

/** Logs how often limits and policy have refused something since the last time, if they have. */
const troubleLog = (counters: Readonly<RelayCounters>): Effect.Effect<void> => {
  const before = new Map<string, number>()
  return Effect.suspend(() => {
    const more = TROUBLE.flatMap((name) => {
      const count = counters[name] - (before.get(name) ?? 0)
      before.set(name, counters[name])
      return count === 0 ? [] : [[name, count] as const]
    })
    if (more.length === 0) return Effect.void
    return Effect.annotateLogs(Effect.logWarning("refused in the last minute"), Object.fromEntries(more))
  })
}

const plaintextRule = (rule: "loopback" | "always" | "never") => (hop: Hop): boolean =>
  rule === "always" || (rule === "loopback" && isLoopback(hop.connection!.local.host))
