/** What bounds the relay, and the time limits as queues of timers. */
import type { TimerQueue, Timers } from "./Timers.ts"

/**
 * Octets, counts and seconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface RelayLimits {
  /**
   * Octets that are passed on in one turn of the event loop; what was read beyond them waits for the next one. It is 16 times as
   * many while nobody is there who brings little at a time, and would have to wait for the end of the turn. Beside its octets a
   * frame counts as 2 KiB, a path that is new as 16 KiB, an AUTH as 64 KiB, and a read as 1 KiB. Those who want more share what
   * there is, each with a fifth at least; when it is used up, whoever has brought little is still served.
   */
  readonly turn: number
  /** Octets that wait for one connection before those who send to it are held. */
  readonly output: number
  /**
   * Octets of responses that wait for one connection before it is not read: its peer does not read them. For another
   * relay it is `relay`.
   */
  readonly responses: number
  /** Octets held for one session whose receiver is slow, before its sender is not read. */
  readonly session: number
  /** The same for all sessions of one incoming connection together, with what the routes take that they came by. */
  readonly connection: number
  /**
   * Seconds for which a connection is not read that several sessions share, since the receiver of one is slow; then what
   * waits for that receiver fails.
   */
  readonly hold: number
  /** Octets held for one session that comes by way of another relay, and for all of them together, before they fail. */
  readonly relayed: number
  readonly relay: number
  /**
   * Requests without an answer of one receiver (a session, on one connection) before no more is sent to it. Those that are
   * answered only if they fail count until there are so many.
   */
  readonly transactions: number
  /**
   * Octets that requests without an answer hold, those of the From-Path and some 400 for each, before the
   * connection that they came in on is not read (one of several sessions for `hold` at most; then those who have few may
   * have as many again); and those that go through the sessions of one user, on all connections.
   */
  readonly unanswered: number
  readonly unansweredOfUser: number
  /** AUTHs with wrong credentials on one connection before it is closed (RFC 4976 §6.3). */
  readonly failedAuths: number
  /** Seconds until an AUTH that the authenticator has not decided is answered 408; less than its client waits. */
  readonly authDecision: number
  /** AUTHs of clients behind a relay that are decided at a time on its connection; further ones are answered 408. */
  readonly auths: number
  /** Octets kept of a connection in probation: of a request that is not whole, or behind an AUTH under way. */
  readonly probationOctets: number
  /** Requests without success, or challenges, in probation before the connection is closed (RFC 4976 §6.1). */
  readonly unsuccessful: number
  /** Requests, and octets of their bodies, per second through one session in one direction; what is more waits. */
  readonly requestRate: number
  readonly octetRate: number
  /** Session URIs of one connection. */
  readonly sessionsPerConnection: number
  /** Session URIs that one other relay may have for clients behind it, on all its connections. */
  readonly sessionsPerRelay: number
  /** Connections in all. One that is not needed goes for a new one; if there is none, the new one does. */
  readonly connections: number
  /** Connections that came in from one address. */
  readonly connectionsPerAddress: number
  /** Connections that came in and have not brought a successful request; the oldest of the address with most of them goes for a new one. */
  readonly connectionsInProbation: number
  /** Connections to next hops that one user may have in the making at a time, on however many connections. */
  readonly dials: number
  /** Relays of other domains that the AUTHs of one user may have looked up in a minute (RFC 4976 §8). */
  readonly lookups: number
  /** Connections to next hops that one user may have, made or in the making, on however many connections. */
  readonly nextHopsPerUser: number
  /** The same for all who have come from one address. */
  readonly nextHopsPerAddress: number
  /** Seconds after which a connection to a next hop is closed that no session uses any more (as RFC 4976 §5.4 has it). */
  readonly unused: number
  /** Seconds without traffic after which a connection without sessions is closed; more than an hour (RFC 4976 §6.5). */
  readonly idle: number
  /** Seconds without a word of a WebSocket client before he is asked whether he is there, and then before he is given up; 0: never. */
  readonly ping: number
  /** Seconds without progress after which a receiver is failed. */
  readonly stall: number
  /**
   * Seconds that live sessions have to end by themselves when the scope of the relay closes; 0: they end at once, as with
   * `Relay.close`.
   */
  readonly drain: number
  /** Seconds that requests on their way have for their answers when the relay stops. */
  readonly draining: number
  /** Seconds that a peer has to close a connection which the relay has ended. */
  readonly closing: number
  /** Seconds for which a chunk may go on whose session has expired. */
  readonly overtime: number
  /** Seconds for which more of a message is refused whose receiver refused it. */
  readonly blocked: number
  /** Seconds after its last connection for which the sessions of another relay stay: it may come again. */
  readonly relayGone: number
}

/**
 * The limits where none are given.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultRelayLimits: RelayLimits = {
  turn: 262_144,
  output: 131_072,
  responses: 524_288,
  session: 262_144,
  connection: 1_048_576,
  hold: 2,
  relayed: 2_097_152,
  relay: 33_554_432,
  transactions: 16_384,
  unanswered: 8_388_608,
  unansweredOfUser: 33_554_432,
  failedAuths: 5,
  authDecision: 25,
  auths: 1024,
  probationOctets: 32_768,
  unsuccessful: 10,
  requestRate: Infinity,
  octetRate: Infinity,
  sessionsPerConnection: 100,
  sessionsPerRelay: 10_000,
  connections: 10_000,
  connectionsPerAddress: Infinity,
  connectionsInProbation: 1000,
  dials: 32,
  lookups: 60,
  nextHopsPerUser: 100,
  nextHopsPerAddress: 1000,
  unused: 300,
  idle: 7200,
  ping: 25,
  stall: 30,
  drain: 0,
  draining: 1,
  closing: 5,
  overtime: 30,
  blocked: 60,
  relayGone: 300
}

/** Seconds, and not a matter of taste: RFC 4976 §6.1, §6.4.1. */
const PROBATION = 30
const TRANSACTION = 30

/** Those that are times of timers. */
type Timed = "ping" | "stall" | "closing" | "blocked" | "hold" | "relayGone"

/** Milliseconds after which it is looked again whether a sender that was too fast may go on. */
const PACE = 50
/** Milliseconds for which a connection may be held on which others may be who are not heard meanwhile. */
const UNHEARD = 60_000
/** Milliseconds after which it is looked again whether an answer that is late may still come. */
const LATE = 1000

/**
 * The limits with their times as timer queues, as the hot path wants them. It is one object as long as the relay runs,
 * and what is in it may change: whoever needs a limit reads it there.
 */
export interface Limits extends Omit<RelayLimits, Timed> {
  readonly transaction: TimerQueue
  readonly late: TimerQueue
  readonly probation: TimerQueue
  readonly ping: TimerQueue
  readonly stall: TimerQueue
  readonly closing: TimerQueue
  readonly hold: TimerQueue
  readonly unheard: TimerQueue
  readonly pace: TimerQueue
  readonly blocked: TimerQueue
  readonly relayGone: TimerQueue
}

export const limitsWith = (timers: Timers, bounds: RelayLimits): Limits => {
  const seconds = (n: number): TimerQueue => timers.queue(n * 1000)
  return {
    ...bounds,
    transaction: seconds(TRANSACTION),
    late: timers.queue(LATE),
    probation: seconds(PROBATION),
    ping: seconds(bounds.ping),
    stall: seconds(bounds.stall),
    closing: seconds(bounds.closing),
    hold: seconds(bounds.hold),
    unheard: timers.queue(UNHEARD),
    pace: timers.queue(PACE),
    blocked: seconds(bounds.blocked),
    relayGone: seconds(bounds.relayGone)
  }
}

/** From now on these count. What waits for its time keeps it. */
export const changeLimits = (limits: Limits, timers: Timers, bounds: RelayLimits): void => {
  const seconds = (name: Timed): TimerQueue => timers.retimed(limits[name], bounds[name] * 1000)
  Object.assign(limits, {
    ...bounds,
    ping: seconds("ping"),
    stall: seconds("stall"),
    closing: seconds("closing"),
    hold: seconds("hold"),
    blocked: seconds("blocked"),
    relayGone: seconds("relayGone")
  })
}
