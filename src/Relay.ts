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
import { defined } from "./options/Defined.ts"
import { checkEffectCopy } from "./options/EffectCopy.ts"
import { follow, type Live } from "./options/Live.ts"
import type { OptionsError } from "./options/Options.ts"
import { wrongRelayOptions } from "./options/RelayOptions.ts"
import { formatUri, type MsrpUri, parseUri } from "./protocol/Uri.ts"
import type { RelayCounters } from "./relay/Counters.ts"
import { clockTimers } from "./relay/edge/ClockTimers.ts"
import { makeDialler } from "./relay/edge/Dialler.ts"
import { makeEnding } from "./relay/edge/Ending.ts"
import { makeEventSinks } from "./relay/edge/EventSinks.ts"
import { makeLogin } from "./relay/edge/Login.ts"
import { makeOperator } from "./relay/edge/Operations.ts"
import type { Operator } from "./relay/edge/Operator.ts"
import { makeSessionKeeper } from "./relay/edge/SessionKeeper.ts"
import { makeSweptTable } from "./relay/edge/SweptTable.ts"
import { type TooManyTraces, type TraceQuery, Tracer } from "./relay/edge/Trace.ts"
import { troubleLog } from "./relay/edge/TroubleLog.ts"
import type { RelayBounds, RelayGauges, RelayMemory } from "./relay/Gauges.ts"
import { defaultRelayLimits, type RelayLimits } from "./relay/Limits.ts"
import { CertificateRequests } from "./relay/rules/CertificateRequests.ts"
import type { NextHopOptions } from "./relay/rules/NextHops.ts"
import type { UsePathUri } from "./relay/rules/OwnUris.ts"
import type { RelayPolicy } from "./relay/rules/Peers.ts"
import { defaultSessionRules, type SessionRules, type SessionTable } from "./relay/SessionTable.ts"
import type { Phase } from "./relay/Shared.ts"
import { Switchboard, type SwitchboardRules } from "./relay/Switchboard.ts"
import type { Timers } from "./relay/Timers.ts"
import { SessionRepo } from "./SessionRepo.ts"
import { SocketSelector } from "./SocketSelector.ts"
import type { TraceFrame } from "./trace/TraceFrame.ts"
import { type LocalSocket, Transport, type TransportError, type TransportFacts } from "./Transport.ts"

export type { Live } from "./options/Live.ts"
export { type OptionProblem, OptionsError } from "./options/Options.ts"
export type { ByStatus, ConnectionEnd, LoginResult, RelayCounters } from "./relay/Counters.ts"
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
export type { RelayBounds, RelayGauges, RelayMemory } from "./relay/Gauges.ts"
export { defaultRelayLimits, type RelayLimits } from "./relay/Limits.ts"
export type { NextHopOptions, PortRange } from "./relay/rules/NextHops.ts"
export type { UsePathUri } from "./relay/rules/OwnUris.ts"
export type { RelayPolicy } from "./relay/rules/Peers.ts"
export type { Session } from "./relay/Session.ts"
export type { SessionTable } from "./relay/SessionTable.ts"
export type { Phase } from "./relay/Shared.ts"
export { TraceFrame } from "./trace/TraceFrame.ts"
export type { TransportName } from "./transport/TransportName.ts"

/** Seconds for which a session URI is valid by default, and at most for a client behind another relay. */
const EXPIRES = 1800
const RELAY_MAX_EXPIRES = 86_400

/** How often unused connections are closed, and refusals by limits are logged. */
const IDLE_CHECK = "1 minute"

/**
 * Bounds on sessions, and how they end. All may change while the relay runs, except `hashSize`.
 *
 * @category options
 * @since 0.2.0
 */
export interface SessionOptions {
  /** log2 of the number of buckets of the table; the clean-up visits one bucket at a time. 0..20, default 10. */
  readonly hashSize?: number | undefined
  /** The duration of one pass of the clean-up over all buckets. A bare number is milliseconds. Default a minute. */
  readonly cleanupInterval?: Duration.Input | undefined
  /** Sessions at a time. Default 100 000. */
  readonly maxSessions?: number | undefined
  /** Sessions of one user (of one realm) at a time, on however many connections. Default 1000. */
  readonly maxSessionsPerUser?: number | undefined
  /**
   * Whether each request through a session, and each keep-alive of its owner, prolongs it by its whole interval. For clients
   * that never refresh their AUTH. Default false (RFC 4976 §6.3).
   */
  readonly extendActive?: boolean | undefined
}

/**
 * All may change while the relay runs (`Live`), except `listen`, `uris` and `usePath`, which are read once at the start.
 *
 * @category options
 * @since 0.1.0
 */
export interface RelayOptions {
  /** The sockets to listen on. */
  readonly listen: ReadonlyArray<LocalSocket>
  /**
   * The relay's own URIs, without session-id: clients address them in AUTH, and Use-Path is made of them. Default: made from the
   * listeners.
   */
  readonly uris?: ReadonlyArray<MsrpUri> | undefined
  /**
   * The URIs of this relay alone, where `uris` are shared by several relays (a farm that its domain's SRV records list). Use-Path
   * is made of them, because a session URI is valid on one relay only (RFC 4976 §6.3, §8). For each scheme there may be one
   * without `domain`, and one for each `domain` that is the host of some of `uris`. Default: the URI that an AUTH addresses.
   */
  readonly usePath?: ReadonlyArray<UsePathUri> | undefined
  /** The realm of challenges. Default: the host of the URI that an AUTH addresses. */
  readonly authRealm?: string | undefined
  /** Seconds for which a session URI is valid when the AUTH has no Expires. Default 1800. */
  readonly authExpires?: number | undefined
  /** Seconds: the least Expires of an AUTH, which is answered 423 otherwise. Default: none. */
  readonly authMinExpires?: number | undefined
  /** Seconds: the greatest Expires of an AUTH, which is answered 423 otherwise. Default: none. */
  readonly authMaxExpires?: number | undefined
  /**
   * Seconds: an upper bound for clients behind other relays, whose sessions outlive a connection. Default 86400.
   */
  readonly authRelayMaxExpires?: number | undefined
  /** Where AUTH is allowed without TLS: from this machine (`loopback`, the default), `always` or `never` (RFC 4976 §9.2). */
  readonly plaintextAuth?: "loopback" | "always" | "never" | undefined
  /**
   * Which peers are treated as relays, of those that prove a name by certificate: `none` (default), those of these names, where
   * `*.` stands for one label, or `all` with a certificate of a trusted authority (RFC 4976 §6.3).
   */
  readonly relayPeers?: RelayPolicy | undefined
  /** The sockets of `listen` that other relays connect to; on others no peer proves a name. Default: all with TLS. None if it is empty. */
  readonly relayListen?: ReadonlyArray<LocalSocket> | undefined
  /**
   * Addresses, and networks such as `10.0.0.0/8`, from which other relays connect; a client of another address is not asked for
   * a certificate, so it is no relay, unless `clientCertificates` asks everybody. Applies to connections that come in from then on.
   * Default: every address. None if the list is empty.
   */
  readonly relayAddresses?: ReadonlyArray<string> | undefined
  /**
   * Whether every TLS client is asked for a certificate, for a custom `Authenticator`. A certificate does not make its owner a
   * relay: see `relayPeers`. Default false, because some certificates take long to verify.
   */
  readonly clientCertificates?: boolean | undefined
  /**
   * Where clients may make the relay connect to. By default neither the relay itself nor, unless it listens on loopback only,
   * loopback, link-local and private addresses.
   */
  readonly nextHops?: NextHopOptions | undefined
  readonly sessions?: SessionOptions | undefined
  /** Those that are absent or undefined have the values of `defaultRelayLimits`. */
  readonly limits?: { readonly [Limit in keyof RelayLimits]?: RelayLimits[Limit] | undefined } | undefined
}

/**
 * An MSRP relay (RFC 4976), which runs while its layer lives. It needs only its services, so the same program runs on sockets
 * and on a simulated network.
 *
 * When its scope closes, it drains for as long as the limit `drain` says (0: not at all), and then closes as `close` does:
 * each accepted message is delivered, or reported to its sender.
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
  /** Memory that is used again. */
  readonly memory: () => RelayMemory
  /** The valid sessions, as the relay itself uses them: plain calls. Their session-ids are secrets. */
  readonly sessions: SessionTable
  /** Counters and certificates of the transport, if it has any. */
  readonly transportFacts: TransportFacts | undefined
  /** What an operator may see of the relay and do to it. */
  readonly operator: Operator
  readonly phase: () => Phase
  /** Milliseconds since 1970: when the phase began. */
  readonly phaseSince: () => number
  /**
   * Takes the relay out of service: no session is granted any more. Each AUTH is answered 408, also that of a client with a
   * session, which then ends when it expires; a connection without any use here is closed with that answer. Sessions go on, also
   * with new connections of their peers. Completes when the last session has ended and no answer is awaited, or when `undrain`
   * or `close` end the drain. Interrupting it does not undo it.
   */
  readonly drain: Effect.Effect<void>
  /** Undoes `drain`, unless the relay stops or drains because of `end`. */
  readonly undrain: Effect.Effect<void>
  /**
   * The frames on the connections that users' sessions use, without bodies and secrets, while the stream is read. A slow reader
   * gets the number of frames that it has missed. There may be 16 traces at a time.
   */
  readonly trace: (query: TraceQuery) => Stream.Stream<TraceFrame, TooManyTraces>
  /**
   * Ends all connections: new requests are refused, and those on their way have the `draining` limit for their answers, after
   * which they are reported as failed; unfinished chunks get an end-line, and what is written is sent. Completes when the peers
   * have closed too, or soon after the operating system has taken all octets, at the latest after the `closing` limit. New
   * connections are closed, so close the listeners with it.
   */
  readonly close: Effect.Effect<void>
  /** Drains for as long as the `drain` limit says, then closes. The end of the layer does this unless it was done before. */
  readonly end: Effect.Effect<void>
}>()("msrp-relay/Relay") {
  static readonly layer = (options: Live<RelayOptions>): Layer.Layer<
    Relay,
    TransportError | OptionsError,
    Transport | Codec | SessionRepo | Authenticator | SocketSelector
  > => Layer.effect(Relay, Effect.andThen(checkEffectCopy, make(options)))

  /** `layer` with options from a `Config`. */
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
  /** The values at the start, of which `listen`, `uris` and `usePath` count for as long as the relay runs. */
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
  const { history, journal, listen } = yield* makeEventSinks(clock, run)
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

  const sockets = yield* bind(live, transport, switchboard)
  // The rules need the bound ports, and nothing is read before this fiber goes on.
  const uris = options.uris ?? urisOf(sockets)
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

  const operator = makeOperator({ switchboard, sessions, history, clock, listen })
  const ending = yield* makeEnding({ switchboard, sessions })
  // Added last, so that it runs first, while everything it needs still exists, the listeners too.
  yield* Effect.addFinalizer(() => ending.end)

  return Relay.of({
    sockets,
    operator,
    uris,
    counters,
    gauges: () => gaugesOf(switchboard, sessions, timers),
    bounds: () => ({ connections: limits.connections, sessions: sessions.rules.maxSessions }),
    memory: () => switchboard.shared.memory.octets,
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

/** Listens on all sockets of the options; with the ports that were bound. */
const bind = Effect.fnUntraced(function*(
  live: { readonly current: RelayOptions },
  transport: Transport["Service"],
  switchboard: Switchboard
) {
  const { turn } = switchboard.shared
  const busy = (): boolean => turn.crowded
  const requests = new CertificateRequests(() => live.current)
  const sockets: Array<LocalSocket> = []
  for (const socket of live.current.listen) {
    const asksForCertificate = (address: string): boolean => requests.isAsked(socket, address)
    sockets.push(
      yield* transport.listen(socket, (connection) => switchboard.accept(connection), { asksForCertificate, busy })
    )
  }
  return sockets
})

/** URIs of the listeners; WebSockets last, because other relays do not connect by them (RFC 7977 §5.1). */
const urisOf = (sockets: ReadonlyArray<LocalSocket>): ReadonlyArray<MsrpUri> =>
  sockets.toSorted((a, b) => Number(a.transport === "ws") - Number(b.transport === "ws"))
    .map(({ host, port, scheme, transport }) => parseUri(formatUri({ scheme, host, port, transport }))!)

const gaugesOf = ({ hops, shared }: Switchboard, sessions: SessionTable, timers: Timers): RelayGauges => {
  const { bufferedOctets, parkedOctets, transactions } = shared.totals
  return {
    connections: hops.size,
    sessions: sessions.size(),
    transactions,
    timers: timers.running,
    bufferedOctets,
    parkedOctets
  }
}

const sessionRulesOf = ({ sessions = {} }: RelayOptions): SessionRules => ({
  hashSize: sessions.hashSize ?? defaultSessionRules.hashSize,
  cleanupInterval: Duration.toMillis(sessions.cleanupInterval ?? defaultSessionRules.cleanupInterval),
  maxSessions: sessions.maxSessions ?? defaultSessionRules.maxSessions,
  maxSessionsPerUser: sessions.maxSessionsPerUser ?? defaultSessionRules.maxSessionsPerUser,
  extendActive: sessions.extendActive ?? defaultSessionRules.extendActive
})

/** The options that may change. */
const rulesOf = (options: RelayOptions): SwitchboardRules => ({
  limits: { ...defaultRelayLimits, ...defined(options.limits) },
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
