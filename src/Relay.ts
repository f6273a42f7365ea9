/**
 * The relay (RFC 4976) as a layer, with its options, limits, events, and what an operator sees of it.
 *
 * @module
 */

import * as Clock from "effect/Clock"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import { Authenticator } from "./Authenticator.ts"
import { Codec } from "./Codec.ts"
import { makeBoundedLog } from "./logging/BoundedLog.ts"
import { networkOf } from "./net/Network.ts"
import { follow, type Live } from "./options/Live.ts"
import { oneEffect } from "./options/OneEffect.ts"
import type { OptionsError } from "./options/Options.ts"
import { wrongRelayOptions } from "./options/Relay.ts"
import { canonicalHost, formatUri, type MsrpUri, parseUri } from "./protocol/Uri.ts"
import type { RelayCounters } from "./relay/Counters.ts"
import { clockTimers } from "./relay/edge/ClockTimers.ts"
import { makeDialler } from "./relay/edge/Dialler.ts"
import { makeEnding } from "./relay/edge/Ending.ts"
import { isOn, makeEventLog } from "./relay/edge/EventLog.ts"
import { History } from "./relay/edge/History.ts"
import { Journal, type Noted } from "./relay/edge/Journal.ts"
import { Listeners } from "./relay/edge/Listeners.ts"
import { makeLogin } from "./relay/edge/Login.ts"
import { makeOperator } from "./relay/edge/Operations.ts"
import type { Operator } from "./relay/edge/Operator.ts"
import { makeSessionKeeper } from "./relay/edge/SessionKeeper.ts"
import { makeSweptTable } from "./relay/edge/SweptTable.ts"
import { type TooManyTraces, type TraceQuery, Tracer } from "./relay/edge/Trace.ts"
import { troubleLog } from "./relay/edge/TroubleLog.ts"
import type { RelayBounds, RelayGauges } from "./relay/Gauges.ts"
import { defaultRelayLimits, type RelayLimits } from "./relay/Limits.ts"
import type { NextHopOptions } from "./relay/rules/NextHops.ts"
import type { UsePathUri } from "./relay/rules/OwnUris.ts"
import { admitsRelays, type RelayPolicy } from "./relay/rules/Peers.ts"
import { defaultSessionRules, type SessionRules, type SessionTable } from "./relay/SessionTable.ts"
import type { Phase } from "./relay/Shared.ts"
import { Switchboard, type SwitchboardRules } from "./relay/Switchboard.ts"
import { SessionRepo } from "./SessionRepo.ts"
import { SocketSelector } from "./SocketSelector.ts"
import type { TraceFrame } from "./trace/TraceFrame.ts"
import { type LocalSocket, Transport, type TransportError, type TransportFacts } from "./Transport.ts"

export type { Live } from "./options/Live.ts"
export { type OptionProblem, OptionsError } from "./options/Options.ts"
export type { ConnectionEnd, LoginResult, RelayCounters } from "./relay/Counters.ts"
export type {
  ConnectionQuery,
  ConnectionSummary,
  Operator,
  OperatorInTurns,
  Page,
  SessionQuery,
  SessionSummary,
  TrafficSummary
} from "./relay/edge/Operator.ts"
export { type EventFields, type EventMessage, eventMessages, type RelayEvent } from "./relay/edge/RelayEvent.ts"
export { TooManyTraces, type TraceQuery } from "./relay/edge/Trace.ts"
export type { RelayBounds, RelayGauges } from "./relay/Gauges.ts"
export { defaultRelayLimits, type RelayLimits } from "./relay/Limits.ts"
export type { NextHopOptions } from "./relay/rules/NextHops.ts"
export type { UsePathUri } from "./relay/rules/OwnUris.ts"
export type { RelayPolicy } from "./relay/rules/Peers.ts"
export type { Session } from "./relay/Session.ts"
export type { SessionTable } from "./relay/SessionTable.ts"
export type { Phase } from "./relay/Shared.ts"
export { TraceFrame } from "./trace/TraceFrame.ts"

/** Seconds that a session URI is good for, and at most behind another relay, where options do not say. */
const EXPIRES = 1800
const RELAY_MAX_EXPIRES = 86_400

/** How often it is looked for connections that nobody uses, and logged what limits have refused. */
const IDLE_CHECK = "1 minute"

/**
 * How many sessions there may be, and how they end. They may change, but for `hashSize`.
 *
 * @category options
 * @since 0.2.0
 */
export interface SessionOptions {
  /** log2 of the number of buckets of the table; the clean-up visits one bucket at a time. 0..20, default 10. */
  readonly hashSize?: number | undefined
  /** For one pass of the clean-up over all buckets. A bare number is milliseconds. Default a minute. */
  readonly cleanupInterval?: Duration.Input | undefined
  /** Sessions at a time. Default 100 000. */
  readonly maxSessions?: number | undefined
  /** Sessions of one user (of one realm) at a time, on however many connections. Default 1000. */
  readonly maxSessionsPerUser?: number | undefined
  /**
   * A session through which requests pass lives on: each one gives it all its time again, as does a keep-alive of its
   * owner. For clients that never refresh their AUTH. Default false (RFC 4976 §6.3).
   */
  readonly extendActive?: boolean | undefined
}

/**
 * They may change (`Live`), but for `listen`, `uris` and `usePath`, which count at the start.
 *
 * @category options
 * @since 0.1.0
 */
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
   * Use-Path, since a session URI is good on one of them only (RFC 4976 §6.3, §8). For each scheme one for all, and one for each
   * `domain` that is the host of some of `uris`; without one, the URI that an AUTH addresses.
   */
  readonly usePath?: ReadonlyArray<UsePathUri> | undefined
  /** The realm of challenges. When absent, the host of that of `uris` which an AUTH addresses. */
  readonly authRealm?: string | undefined
  /** Seconds for which a session URI is valid when its client names none. Default 1800. */
  readonly authExpires?: number | undefined
  /** Seconds: the bounds for what a client may ask (423 otherwise). Default: none. */
  readonly authMinExpires?: number | undefined
  readonly authMaxExpires?: number | undefined
  /**
   * Seconds: the same bound for clients behind other relays, whose sessions live on when a connection closes. Default 86400.
   */
  readonly authRelayMaxExpires?: number | undefined
  /** AUTH without TLS: `loopback` (default) where the client is on this machine, `always`, or `never` (RFC 4976 §9.2). */
  readonly plaintextAuth?: "loopback" | "always" | "never" | undefined
  /**
   * Which relays are admitted as such, of those that prove their name by certificate: none (default), those of these names,
   * where `*.` stands for one label, or all: whoever has a certificate of an authority that is trusted (RFC 4976 §6.3).
   */
  readonly relayPeers?: RelayPolicy | undefined
  /** Those of `listen` that other relays connect to: who connects to another one proves no name. Default: all with TLS. */
  readonly relayListen?: ReadonlyArray<LocalSocket> | undefined
  /**
   * Whoever connects by TLS is asked for a certificate, which an `Authenticator` of one's own may look at. Showing one makes
   * nobody a relay: that is `relayPeers`. Default false, as to verify some takes long.
   */
  readonly clientCertificates?: boolean | undefined
  /**
   * Where clients may make the relay connect to. By default not to the relay itself and, unless it listens on loopback
   * only, not to loopback, link-local and private addresses.
   */
  readonly nextHops?: NextHopOptions | undefined
  readonly sessions?: SessionOptions | undefined
  readonly limits?: Partial<RelayLimits> | undefined
}

/**
 * An MSRP relay (RFC 4976), running while its layer lives. It needs its services and nothing else, so the same program
 * runs on sockets and on a simulated network.
 *
 * When its scope closes it drains for as long as the limit `drain` says (0: not at all), and then closes as `close` does:
 * what it has accepted is delivered, or reported to who has sent it.
 *
 * ```ts
 * const listen = [{ scheme: "msrp", host: "localhost", port: 2855 }] as const
 * const users = [passwordUser("alice", Redacted.make("wonderland"))]
 *
 * const RelayLive = Relay.layer({ listen }).pipe(
 *   Layer.provide([
 *     Transport.layerNode(),
 *     Codec.layer,
 *     SessionRepo.layerMemory(),
 *     SocketSelector.layerDefault(listen),
 *     Authenticator.layerDigest().pipe(Layer.provide(Credentials.layerMemory(users)))
 *   ])
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Relay extends Context.Service<Relay, {
  /** The bound listeners, with their real ports. */
  readonly sockets: ReadonlyArray<LocalSocket>
  /** The relay's own URIs. */
  readonly uris: ReadonlyArray<MsrpUri>
  readonly counters: Readonly<RelayCounters>
  readonly gauges: () => RelayGauges
  readonly bounds: () => RelayBounds
  /** The sessions that are valid, as the relay itself sees them: plain calls, and session-ids among it, which are secrets. */
  readonly sessions: SessionTable
  /** What the transport knows of itself, if it counts. */
  readonly transportFacts: TransportFacts | undefined
  /** What an operator sees of it, and may do to it. */
  readonly operator: Operator
  readonly phase: () => Phase
  /** Milliseconds since 1970: since when. */
  readonly phaseSince: () => number
  /**
   * Takes the relay out of service: from now on no session is granted. AUTH is answered 408, also by who has a session, whose
   * time then ends as it was granted; a connection with nothing else to do here is closed with that. Live sessions go on,
   * with new connections of their peers. Completes when the last session has ended and nobody waits for an answer, or
   * when `undrain` or `close` put an end to it. Whoever does not wait any longer has not taken it back.
   */
  readonly drain: Effect.Effect<void>
  /** Takes `drain` back. A relay that stops does not serve again, nor one that drains because it `end`s. */
  readonly undrain: Effect.Effect<void>
  /**
   * What passes on the connections that users' sessions use, without bodies and secrets, while somebody reads it. A reader
   * that is slow is told how many frames it has missed. There may be 16 traces at a time.
   */
  readonly trace: (query: TraceQuery) => Stream.Stream<TraceFrame, TooManyTraces>
  /**
   * Ends all connections: new requests are refused, those on their way have the `draining` limit for their answers, and
   * whoever has none then is told; running chunks get an end-line, what is written is sent. Completes when the peers have
   * closed too, or soon after the operating system has got all octets, at the latest after the `closing` limit. Whoever
   * connects now is closed, so close the listeners with it.
   */
  readonly close: Effect.Effect<void>
  /** Drains for as long as the `drain` limit says, then closes: what the end of the layer does, unless it was done before. */
  readonly end: Effect.Effect<void>
}>()("msrp-relay/Relay") {
  static readonly layer = (options: Live<RelayOptions>): Layer.Layer<
    Relay,
    TransportError | OptionsError,
    Transport | Codec | SessionRepo | Authenticator | SocketSelector
  > => Layer.effect(Relay, Effect.andThen(oneEffect, make(options)))

  /** The same with options out of a configuration. */
  static readonly layerConfig = (config: Config.Config<Live<RelayOptions>>): Layer.Layer<
    Relay,
    TransportError | OptionsError | Config.ConfigError,
    Transport | Codec | SessionRepo | Authenticator | SocketSelector
  > => Layer.unwrap(Effect.map(config, Relay.layer))
}

const make = Effect.fnUntraced(function*(given: Live<RelayOptions>) {
  let serving: Switchboard | undefined
  let table: SessionTable | undefined
  const live = yield* follow(given, wrongRelayOptions, (changed) => {
    serving?.change(rulesOf(changed))
    if (table !== undefined) table.rules = { ...sessionRulesOf(changed), hashSize: table.rules.hashSize }
  }, ["listen", "uris", "usePath"])
  const options = live.current
  const transport = yield* Transport
  const codec = yield* Codec
  const repository = yield* SessionRepo
  const authenticator = yield* Authenticator
  const selector = yield* SocketSelector
  const clock = yield* Clock.Clock
  const run = yield* FiberSet.makeRuntime<never, void, never>()

  const sessions = table = yield* makeSweptTable(clock, sessionRulesOf(live.current))
  const keeper = yield* makeSessionKeeper(repository, sessions)
  const timers = clockTimers(clock, run)
  const history = new History()
  const listeners = new Listeners(run)
  const isWritten = yield* isOn
  const log = yield* makeEventLog(run, isWritten)
  const hear = (event: Noted): void => {
    log(event)
    if (event.level === "Debug") return
    history.note(event)
    listeners.tell(event)
  }
  const journal = new Journal({ clock, hear, isDetailed: () => isWritten("Debug") })
  const switchboard: Switchboard = new Switchboard({
    codec,
    sessions,
    timers,
    edge: {
      defer: transport.defer,
      identity: transport.identity,
      dial: (dial, hop, ended) => run(connect(dial, hop, ended)),
      authenticate: (asking, ended) => run(login(asking, ended))
    },
    networkOf,
    observer: journal,
    ...rulesOf(options)
  })
  const { counters, limits } = switchboard.shared
  const tracer = new Tracer({ switchboard, clock, run })
  yield* Effect.addFinalizer(() => Effect.sync(() => tracer.close()))
  const bounded = yield* makeBoundedLog
  const login = makeLogin({
    auth: switchboard.auth,
    authenticator,
    keeper,
    counters,
    limits,
    log: bounded
  })

  const { turn } = switchboard.shared
  const busy = (): boolean => turn.crowded
  const sockets: Array<LocalSocket> = []
  for (const socket of options.listen) {
    // Nobody is asked for a certificate that is of no use: that of a relay is none where only clients come (RFC 7977 §8.1.1).
    const asksForCertificate = (): boolean => {
      const { clientCertificates = false, relayListen, relayPeers = "none" } = live.current
      const others = socket.transport !== "ws" && admitsRelays(relayPeers)
      return clientCertificates || (others && (relayListen?.some(is(socket)) ?? true))
    }
    sockets.push(
      yield* transport.listen(socket, (connection) => switchboard.accept(connection), { asksForCertificate, busy })
    )
  }
  // The rules need the real sockets, and nothing is read before this fiber goes on.
  // Those by which others connect come first: that is not done by WebSocket (RFC 7977 §5.1).
  const uris = options.uris ??
    sockets.toSorted((a, b) => Number(a.transport === "ws") - Number(b.transport === "ws"))
      .map(({ host, port, scheme, transport }) => parseUri(formatUri({ scheme, host, port, transport }))!)
  switchboard.serves(sockets, uris)
  serving = switchboard
  if (live.current !== options) switchboard.change(rulesOf(live.current))
  const connect = makeDialler({ transport, selector, nextHops: switchboard.nextHops, journal, log: bounded })

  const tidy = Effect.sync(() => switchboard.tidy(limits.idle * 1000))
  yield* Effect.andThen(tidy, troubleLog(counters)).pipe(
    Effect.delay(IDLE_CHECK),
    Effect.forever,
    Effect.forkScoped
  )

  const operator = makeOperator({ switchboard, sessions, history, clock, listen: listeners.listen })
  const ending = yield* makeEnding({ switchboard, sessions })
  // The last to be added: whatever the end needs is still there then, and listeners too.
  yield* Effect.addFinalizer(() => ending.end)

  return Relay.of({
    sockets,
    operator,
    uris,
    counters,
    gauges: () => {
      const { bufferedOctets, parkedOctets, transactions } = switchboard.shared.totals
      return {
        connections: switchboard.hops.size,
        sessions: sessions.size(),
        transactions,
        timers: timers.running,
        bufferedOctets,
        parkedOctets
      }
    },
    bounds: () => ({ connections: limits.connections, sessions: sessions.rules.maxSessions }),
    sessions,
    transportFacts: transport.facts,
    trace: (query) => tracer.trace(query),
    phase: ending.phase,
    phaseSince: ending.phaseSince,
    drain: ending.drain,
    undrain: ending.undrain,
    close: ending.close,
    end: ending.end
  })
})

const sessionRulesOf = ({ sessions = {} }: RelayOptions): SessionRules => ({
  hashSize: sessions.hashSize ?? defaultSessionRules.hashSize,
  cleanupInterval: Duration.toMillis(sessions.cleanupInterval ?? defaultSessionRules.cleanupInterval),
  maxSessions: sessions.maxSessions ?? defaultSessionRules.maxSessions,
  maxSessionsPerUser: sessions.maxSessionsPerUser ?? defaultSessionRules.maxSessionsPerUser,
  extendActive: sessions.extendActive ?? defaultSessionRules.extendActive
})

/** What of the options may change. */
const rulesOf = (options: RelayOptions): SwitchboardRules => ({
  limits: { ...defaultRelayLimits, ...options.limits },
  auth: {
    usePath: options.usePath ?? [],
    realm: options.authRealm?.normalize("NFC"),
    expires: options.authExpires ?? EXPIRES,
    minExpires: options.authMinExpires,
    maxExpires: options.authMaxExpires,
    relayMaxExpires: options.authRelayMaxExpires ?? RELAY_MAX_EXPIRES,
    plaintext: options.plaintextAuth ?? "loopback"
  },
  relayPeers: options.relayPeers ?? "none",
  nextHops: options.nextHops ?? {}
})

const is = (a: LocalSocket) => (b: LocalSocket): boolean =>
  a.scheme === b.scheme && (a.transport ?? "tcp") === (b.transport ?? "tcp") && a.port === b.port &&
  canonicalHost(a.host) === canonicalHost(b.host)
