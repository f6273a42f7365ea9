import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import { Authenticator } from "./Authenticator.ts"
import { Codec } from "./Codec.ts"
import { networkOf } from "./net/Network.ts"
import type { OptionsError } from "./options/Options.ts"
import { checkRelayOptions } from "./options/Relay.ts"
import { canonicalHost, formatUri, type MsrpUri, parseUri } from "./protocol/Uri.ts"
import type { RelayCounters } from "./relay/Counters.ts"
import { clockTimers } from "./relay/edge/Alarm.ts"
import { makeDialler } from "./relay/edge/Dialler.ts"
import { isOn, makeEventLog } from "./relay/edge/EventLog.ts"
import { History } from "./relay/edge/History.ts"
import { Journal, type Noted } from "./relay/edge/Journal.ts"
import { Listeners } from "./relay/edge/Listeners.ts"
import { makeLogin } from "./relay/edge/Login.ts"
import { makeOperator } from "./relay/edge/Operations.ts"
import type { Operator } from "./relay/edge/Operator.ts"
import { withoutDefects } from "./relay/edge/Repository.ts"
import { defaultRelayLimits, type RelayLimits } from "./relay/Limits.ts"
import type { NextHopOptions } from "./relay/rules/NextHops.ts"
import { admitsRelays, type RelayPolicy } from "./relay/rules/Peers.ts"
import { Switchboard } from "./relay/Switchboard.ts"
import { SessionRepo } from "./SessionRepo.ts"
import { SocketSelector } from "./SocketSelector.ts"
import { type LocalSocket, Transport, type TransportError } from "./Transport.ts"

export { type OptionProblem, OptionsError } from "./options/Options.ts"
export type {
  ConnectionQuery,
  ConnectionSummary,
  Operator,
  Page,
  Phase,
  SessionQuery,
  SessionSummary,
  TrafficSummary
} from "./relay/edge/Operator.ts"
export { type EventFields, type EventMessage, eventMessages, type RelayEvent } from "./relay/edge/RelayEvent.ts"
export { defaultRelayLimits, type RelayLimits } from "./relay/Limits.ts"

/** Seconds. */
const DAY = 86_400

/** How often it is looked for connections that nobody uses, and logged what limits have refused. */
const IDLE_CHECK = "1 minute"

/** For peers to close in turn when the relay ends: who keeps his side open does not keep the relay. */
const LAST_WORDS = "500 millis"

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
  /** What an operator sees of it, and may do to it. */
  readonly operator: Operator
  /**
   * Ends all connections: new requests are refused, those on their way have the `draining` limit for their answers, and
   * whoever has none then is told; running chunks get an end-line, what is written is sent. Completes when the peers have
   * closed too, or soon after the operating system has got all octets, at the latest after the `closing` limit. Whoever
   * connects now is closed, so close the listeners with it.
   */
  readonly close: Effect.Effect<void>
}>()("msrp-relay/Relay") {
  static readonly layer = (options: RelayOptions): Layer.Layer<
    Relay,
    TransportError | OptionsError,
    Transport | Codec | SessionRepo | Authenticator | SocketSelector
  > => Layer.effect(Relay, make(options))
}

const make = Effect.fnUntraced(function*(options: RelayOptions) {
  yield* checkRelayOptions(options)
  const transport = yield* Transport
  const codec = yield* Codec
  const sessions = yield* SessionRepo
  const authenticator = yield* Authenticator
  const selector = yield* SocketSelector
  const clock = yield* Clock.Clock
  const run = yield* FiberSet.makeRuntime<never, void, never>()

  const relayPeers = options.relayPeers ?? "none"
  const timers = clockTimers(clock, run)
  const limits = { ...defaultRelayLimits, ...options.limits }
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
  const book = withoutDefects(sessions, run)
  const switchboard: Switchboard = new Switchboard({
    codec,
    sessions: book,
    timers,
    edge: {
      defer: transport.defer,
      identity: transport.identity,
      dial: (dial, hop, ended) => run(connect(dial, hop, ended)),
      authenticate: (asking, ended) => run(login(asking, ended))
    },
    networkOf,
    observer: journal,
    limits,
    auth: {
      usePath: options.usePath ?? [],
      realm: options.authRealm,
      expires: options.authExpires ?? 1800,
      minExpires: options.authMinExpires,
      maxExpires: options.authMaxExpires,
      relayMaxExpires: options.authRelayMaxExpires ?? DAY,
      plaintext: options.plaintextAuth ?? "loopback"
    },
    relayPeers,
    nextHops: options.nextHops ?? {}
  })
  const { counters } = switchboard.shared
  const login = makeLogin({
    auth: switchboard.auth,
    authenticator,
    sessions,
    counters,
    timeLimit: limits.authDecision
  })

  const { turn } = switchboard.shared
  const busy = (): boolean => turn.crowded
  const sockets: Array<LocalSocket> = []
  for (const socket of options.listen) {
    // Nobody is asked for a certificate that is of no use.
    const asksForCertificate = admitsRelays(relayPeers) && (options.relayListen?.some(is(socket)) ?? true)
    sockets.push(
      yield* transport.listen(socket, (connection) => switchboard.accept(connection), { asksForCertificate, busy })
    )
  }
  // The rules need the real sockets, and nothing is read before this fiber goes on.
  const uris = options.uris ?? sockets.map(({ host, port, scheme }) => parseUri(formatUri({ scheme, host, port }))!)
  switchboard.serves(sockets, uris)
  const connect = makeDialler({ transport, selector, nextHops: switchboard.nextHops, journal })

  const tidy = Effect.sync(() => switchboard.tidy(limits.idle * 1000))
  yield* Effect.andThen(tidy, troubleLog(counters)).pipe(
    Effect.delay(IDLE_CHECK),
    Effect.forever,
    Effect.forkScoped
  )

  const operator = makeOperator({ switchboard, sessions: book, history, clock, listen: listeners.listen })

  return Relay.of({
    sockets,
    operator,
    uris,
    counters,
    gauges: () => ({
      connections: switchboard.hops.size,
      sessions: sessions.size(),
      transactions: switchboard.outstanding,
      timers: timers.running,
      bufferedOctets: switchboard.bufferedOctets
    }),
    close: Effect.gen(function*() {
      switchboard.stop()
      yield* ended(() => switchboard.outstanding === 0, limits.draining)
      switchboard.end()
      yield* Effect.race(
        ended(() => switchboard.hops.size === 0, limits.closing),
        Effect.delay(ended(() => switchboard.settled, limits.closing), LAST_WORDS)
      )
    })
  })
})

const is = (a: LocalSocket) => (b: LocalSocket): boolean =>
  a.scheme === b.scheme && a.port === b.port && canonicalHost(a.host) === canonicalHost(b.host)

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
  "receiversGivenUp",
  "dialsForbidden",
  "dialsOverLimit",
  "sessionsRefused",
  "unansweredOverLimit",
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
