/**
 * What an operator sees of a relay, and what he may do to it: plain facts, made when somebody asks. No session URI and no
 * body is among them.
 */
import type * as Effect from "effect/Effect"
import type { TransportName } from "../../transport/TransportName.ts"
import type { RelayEvent } from "./RelayEvent.ts"

export type { Phase } from "../Shared.ts"

/**
 * What passed in one direction: requests (a chunk is one) and octets of their bodies.
 *
 * @category models
 * @since 0.2.0
 */
export interface TrafficSummary {
  readonly requests: number
  readonly octets: number
}

/**
 * A session as an operator sees it. Nothing of it is a secret.
 *
 * @category models
 * @since 0.2.0
 */
export interface SessionSummary {
  /** What stands for the session-id, in the log as well: 12 hexadecimal digits. */
  readonly session: string
  readonly user: string
  readonly realm: string
  /** The number of the connection that it was granted on; absent for a session of another relay that has none now. */
  readonly connection: number | undefined
  /** Address and port of that connection's peer. */
  readonly remote: string
  readonly transport: TransportName
  /** The listener that it came in on, as in the log: `msrps://host:port`; empty for one that the relay made. */
  readonly listener: string
  /** Milliseconds since 1970: when it was granted, and when it expires. */
  readonly since: number
  readonly expires: number
  /** Address and port of the peer that writes to its owner, once one does. */
  readonly peer: string | undefined
  /** From the owner, and to him. */
  readonly sent: TrafficSummary
  readonly received: TrafficSummary
  /** Messages from or to its owner that did not arrive or were cut off, and requests that were refused. */
  readonly failures: number
}

/**
 * A connection as an operator sees it.
 *
 * @category models
 * @since 0.2.0
 */
export interface ConnectionSummary {
  /** The connection's number: it is given once. */
  readonly connection: number
  readonly remote: string
  readonly transport: TransportName
  /** The listener that it came in on; absent for one that the relay made. */
  readonly listener: string | undefined
  /** It is one with another relay. */
  readonly relay: boolean
  /** Who logged in on it; where nobody did, whose peer it is. Absent: nobody's yet, or that of several users. */
  readonly user: string | undefined
  readonly realm: string | undefined
  /** Of more than one user, as that of a gateway is. */
  readonly severalUsers: boolean
  /** Milliseconds since 1970. */
  readonly since: number
  /** Sessions that were granted on it and are valid. */
  readonly sessions: number
  /** Octets that came in, went out, and wait to go out, also since those who are reached by it do not answer. */
  readonly octetsIn: number
  readonly octetsOut: number
  readonly waiting: number
}

/**
 * One page of many.
 *
 * @category models
 * @since 0.2.0
 */
export interface Page<A> {
  /** How many there are that fit the query. */
  readonly total: number
  readonly items: ReadonlyArray<A>
}

/**
 * Which sessions are asked for, and in which order.
 *
 * @category models
 * @since 0.2.0
 */
export interface SessionQuery {
  readonly user?: string | undefined
  readonly realm?: string | undefined
  /** The address of the owner or of the peer, without port. */
  readonly address?: string | undefined
  /** Most octets since they began first, or the oldest first (default). */
  readonly sort?: "octets" | "age" | undefined
  /** The first of the page, and how many (at most 1000, default 100). */
  readonly offset?: number | undefined
  readonly limit?: number | undefined
}

/**
 * Which connections are asked for, and in which order.
 *
 * @category models
 * @since 0.2.0
 */
export interface ConnectionQuery {
  readonly address?: string | undefined
  /** Most octets since they began first, or the oldest first (default). */
  readonly sort?: "octets" | "age" | undefined
  readonly offset?: number | undefined
  readonly limit?: number | undefined
}

/**
 * What takes long for very many sessions or connections. What ends, or begins, meanwhile may be among them or not.
 *
 * @category models
 * @since 0.2.0
 */
export interface OperatorInTurns {
  readonly sessions: (query?: SessionQuery) => Effect.Effect<Page<SessionSummary>>
  readonly connections: (query?: ConnectionQuery) => Effect.Effect<Page<ConnectionSummary>>
  readonly endUser: (user: string, realm?: string) => Effect.Effect<number>
}

/**
 * What an operator sees of a relay, and may do to it.
 *
 * @category models
 * @since 0.2.0
 */
export interface Operator {
  readonly sessions: (query?: SessionQuery) => Page<SessionSummary>
  readonly connections: (query?: ConnectionQuery) => Page<ConnectionSummary>
  /** Ends the session of this label; false when there is none. */
  readonly endSession: (session: string) => boolean
  /** Closes the connection of this number, with its sessions; false when there is none. */
  readonly endConnection: (connection: number) => boolean
  /** Ends all sessions of a user, of one realm or of all; how many. */
  readonly endUser: (user: string, realm?: string) => number
  /** The same in several turns of the event loop, so that messages pass meanwhile however many there are: one such look at a time. */
  readonly inTurns: OperatorInTurns
  /** What happened to a user lately, the latest last: also to those of its sessions that have ended, and at logins that failed. */
  readonly history: (user: string) => ReadonlyArray<RelayEvent>
  /** The last sessions and connections that ended, and why; the latest last. */
  readonly recent: () => ReadonlyArray<RelayEvent>
  /**
   * Calls back with each event at info level and above, from now on, inside a turn of the relay, until what is returned is
   * called. It must not wait; one that throws hears nothing more.
   */
  readonly listen: (listener: (event: RelayEvent) => void) => () => void
}
