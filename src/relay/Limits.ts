/** The limits of the relay, and its time limits as timer queues. */
import type { TimerQueue, Timers } from "./Timers.ts"

/**
 * The limits of a relay, in octets, counts and seconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface RelayLimits {
  /**
   * Octets that are passed on in one turn of the event loop; the rest of what was read waits for the next turn. The limit is 16
   * times as high while no connection that brings little at a time would have to wait for the end of the turn. Beside its octets
   * a frame counts as 2 KiB, a new path as 16 KiB, an AUTH as 64 KiB, and a read as 1 KiB. Connections that bring more
   * share the turn, each with at least a fifth; those that bring little are served even when the turn is used up.
   */
  readonly turn: number
  /** Octets that may wait to be written to one connection before the connections that send to it are held; see `OutputLoads`. */
  readonly output: number
  /**
   * Octets that may wait to be written to one connection before it is no longer read, because its peer does not read the
   * responses. For another relay the limit is `relay`.
   */
  readonly responses: number
  /** Octets that may wait for the slow receiver of one session before its sender is no longer read. */
  readonly session: number
  /** Octets that may wait for slow receivers of all sessions of one incoming connection together, with those of their routes. */
  readonly connection: number
  /**
   * Seconds for which a connection that several sessions use is not read because the receiver of one of them is slow; then
   * what waits for that receiver fails.
   */
  readonly hold: number
  /** Octets that may wait for the receiver of one session that comes by way of another relay, before they fail. */
  readonly relayed: number
  /** Octets that may wait for all slow receivers of one connection with another relay, before those of one user fail. */
  readonly relay: number
  /**
   * Requests to one receiver (a session on one connection) that may be without an answer before no more is sent to it. Requests
   * that are answered only if they fail count until there are this many.
   */
  readonly transactions: number
  /**
   * Octets that requests without an answer may hold, for each those of its From-Path and about 400, before the connection that
   * they came in on is no longer read. A connection of several sessions is held for at most `hold`; after that, as many octets
   * again are shared by the senders that have few.
   */
  readonly unanswered: number
  /** The corresponding octets of requests through the sessions of one user, on all connections. */
  readonly unansweredOfUser: number
  /** AUTHs with wrong credentials on one connection before it is closed (RFC 4976 §6.3). */
  readonly failedAuths: number
  /** Seconds until an AUTH that the authenticator has not decided is answered with 408; less than its client waits. */
  readonly authDecision: number
  /**
   * AUTHs of clients behind another relay that are decided at a time on its connection, and of each a part of those that are left;
   * further ones are answered with 408.
   */
  readonly auths: number
  /** Octets kept for a connection in probation: of an incomplete request, or behind an AUTH that is being decided. */
  readonly probationOctets: number
  /** Unsuccessful requests, or challenges, in probation before the connection is closed (RFC 4976 §6.1). */
  readonly unsuccessful: number
  /** Requests per second through one session in one direction; more has to wait. */
  readonly requestRate: number
  /** Octets of the bodies of requests per second through one session in one direction; more has to wait. */
  readonly octetRate: number
  /** Session URIs of one connection. */
  readonly sessionsPerConnection: number
  /** Session URIs that one other relay may have for clients behind it, on all its connections. */
  readonly sessionsPerRelay: number
  /** Connections in all. One that is not needed is closed for a new one; if all are needed, the new one is closed. */
  readonly connections: number
  /** Accepted connections from one address. */
  readonly connectionsPerAddress: number
  /** Accepted connections without a successful request yet; the oldest one of the address that has most is closed for a new one. */
  readonly connectionsInProbation: number
  /** Next hops that are dialled for one user at a time, whatever connections the user has. */
  readonly dials: number
  /** Relays of other domains that the AUTHs of one user may have looked up in a minute (RFC 4976 §8). */
  readonly lookups: number
  /** Connections to next hops of one user, open or being dialled, whatever connections the user has. */
  readonly nextHopsPerUser: number
  /** Connections to next hops of all users from one address, open or being dialled. */
  readonly nextHopsPerAddress: number
  /** Seconds after which a connection to a next hop that no session uses any more is closed (RFC 4976 §5.4). */
  readonly unused: number
  /** Seconds without traffic after which a connection without sessions is closed; more than an hour (RFC 4976 §6.5). */
  readonly idle: number
  /** Seconds of silence before a WebSocket client is sent a ping, and then before its connection is closed; 0: never. */
  readonly ping: number
  /** Seconds without progress after which what waits for a receiver fails. */
  readonly stall: number
  /**
   * Seconds that sessions have to end by themselves when the scope of the relay closes; 0: they end at once, as with
   * `Relay.close`.
   */
  readonly drain: number
  /** Seconds that are left for answers to pending requests when the relay stops. */
  readonly draining: number
  /** Seconds that a peer has to close a connection that the relay has ended. */
  readonly closing: number
  /** Seconds for which a chunk may continue after its session has expired. */
  readonly overtime: number
  /** Seconds for which further chunks of a message are refused after its receiver refused it. */
  readonly blocked: number
  /** Seconds for which the sessions of another relay remain after its last connection closed, because it may reconnect. */
  readonly relayGone: number
}

/**
 * The default limits.
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

/** Seconds; both are fixed by RFC 4976 §6.1 and §6.4.1. */
const PROBATION = 30
const TRANSACTION = 30

/** The limits that are durations of timers. */
type DurationLimit = "ping" | "stall" | "closing" | "blocked" | "hold" | "relayGone"

/** Milliseconds between checks whether a sender that was too fast may continue. */
const PACE = 50
/** Milliseconds for which a connection may be held for one user although others may use it, which cannot be heard meanwhile. */
const UNHEARD = 60_000
/** Milliseconds for which a 200 is delayed at most. Its sender waits for 30 seconds, in which the request has its way, too. */
const DELAYED = 20_000
/** Milliseconds between checks whether a late answer may still come. */
const LATE = 1000

/**
 * The limits with durations as timer queues, as the hot path needs them. The object stays the same as long as the relay runs,
 * but its values may change, so they must not be copied.
 */
export interface Limits extends Omit<RelayLimits, DurationLimit> {
  readonly transaction: TimerQueue
  readonly delayed: TimerQueue
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
    delayed: timers.queue(DELAYED),
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

/** Applies new limits. Timers that are running keep their deadlines. */
export const changeLimits = (limits: Limits, timers: Timers, bounds: RelayLimits): void => {
  const seconds = (name: DurationLimit): TimerQueue => timers.retimed(limits[name], bounds[name] * 1000)
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

/**
 * The part of a limit of one place, such as a connection, that applies while `octets` wait in all places. Up to `most` it is the whole
 * limit. The more waits in all, the less may wait in one place, so that a place with little is not held because of the others.
 */
export const shareOf = (limit: number, octets: number, most: number): number => {
  const part = most / octets
  return part < 1 ? limit * part * part : limit
}
