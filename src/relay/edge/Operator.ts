/**
 * What an operator may see of a relay and do to it. The facts are plain values that are made on request, and contain no session
 * URIs and no bodies.
 */
import type * as Effect from "effect/Effect"
import type { TransportName } from "../../transport/TransportName.ts"
import type { RelayEvent } from "./RelayEvent.ts"

export type { Phase } from "../Shared.ts"

/**
 * What was forwarded in one direction: SENDs, of which each chunk counts as one, and octets of their bodies.
 *
 * @category models
 * @since 0.2.0
 */
export interface TrafficSummary {
  readonly requests: number
  readonly octets: number
}

/**
 * A session as an operator sees it. It contains no secrets.
 *
 * @category models
 * @since 0.2.0
 */
export interface SessionSummary {
  /** Stands for the session-id, which is a secret, as in the log: 12 hexadecimal digits. */
  readonly session: string
  readonly user: string
  readonly realm: string
  /**
   * The number of the connection that it was granted on; for a session of another relay, of one that this relay has now, if any.
   */
  readonly connection: number | undefined
  /** The address and port of the peer of the connection that it was granted on. */
  readonly remote: string
  readonly transport: TransportName
  /** The listener of that connection, as in the log: `msrps://host:port`; empty for a connection that the relay made. */
  readonly listener: string
  /** Milliseconds since 1970: when it was granted, and when it expires. */
  readonly since: number
  readonly expires: number
  /** The address and port of the peer that writes to the owner, once there is one. */
  readonly peer: string | undefined
  /** From the owner; `received`: to the owner. */
  readonly sent: TrafficSummary
  readonly received: TrafficSummary
  /** Messages from or to the owner that did not arrive or were cut off, and requests that were refused. */
  readonly failures: number
}

/**
 * A connection as an operator sees it.
 *
 * @category models
 * @since 0.2.0
 */
export interface ConnectionSummary {
  /** The number of the connection, which is not used again. */
  readonly connection: number
  readonly remote: string
  readonly transport: TransportName
  /** The listener that it came in on; absent for a connection that the relay made. */
  readonly listener: string | undefined
  /** Whether the peer is another relay. */
  readonly relay: boolean
  /** The user that logged in on it, or else the user whose peer it is; absent if there is none yet, or several. */
  readonly user: string | undefined
  readonly realm: string | undefined
  /** Whether it belongs to more than one user, as the connection of a gateway does. */
  readonly severalUsers: boolean
  /** Milliseconds since 1970: when the connection was made. */
  readonly since: number
  /** Valid sessions that were granted on it. */
  readonly sessions: number
  /** Octets that came in, that went out, and that wait to go out, including those that wait for answers of receivers. */
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
  /** How many items fit the query, on all pages. */
  readonly total: number
  readonly items: ReadonlyArray<A>
}

/**
 * Which sessions to list, and in which order.
 *
 * @category models
 * @since 0.2.0
 */
export interface SessionQuery {
  readonly user?: string | undefined
  readonly realm?: string | undefined
  /** The address of the owner or of the peer, without port. */
  readonly address?: string | undefined
  /** By octets since they began, the most first, or by age, the oldest first (default). */
  readonly sort?: "octets" | "age" | undefined
  /** The position of the first item, from 0; `limit`: how many (at most 1000, default 100). */
  readonly offset?: number | undefined
  readonly limit?: number | undefined
}

/**
 * Which connections to list, and in which order.
 *
 * @category models
 * @since 0.2.0
 */
export interface ConnectionQuery {
  readonly address?: string | undefined
  /**
   * By octets since they began, or by those that wait, the most first, or by age, the oldest first (default).
   */
  readonly sort?: "octets" | "waiting" | "age" | undefined
  readonly offset?: number | undefined
  readonly limit?: number | undefined
}

/**
 * The methods that take long with very many sessions or connections. Those that begin or end meanwhile may or may not be included.
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
 * What an operator may see of a relay and do to it.
 *
 * @category models
 * @since 0.2.0
 */
export interface Operator {
  readonly sessions: (query?: SessionQuery) => Page<SessionSummary>
  readonly connections: (query?: ConnectionQuery) => Page<ConnectionSummary>
  /** Ends the session with this label; false if there is none. */
  readonly endSession: (session: string) => boolean
  /** Closes the connection with this number and ends its sessions; false if there is none. */
  readonly endConnection: (connection: number) => boolean
  /** Ends all sessions of a user, in one realm or in all, and returns how many. */
  readonly endUser: (user: string, realm?: string) => number
  /** These methods in several turns of the event loop, so that messages pass meanwhile. One call runs at a time. */
  readonly inTurns: OperatorInTurns
  /** Recent events of a user, the latest last, including those of ended sessions and of failed logins. */
  readonly history: (user: string) => ReadonlyArray<RelayEvent>
  /** The last ends of sessions and connections with their reasons, the latest last. */
  readonly recent: () => ReadonlyArray<RelayEvent>
  /**
   * Calls back with each event at info level and above, inside a turn of the relay, until the returned function is called. The
   * listener must not wait; one that throws is removed.
   */
  readonly listen: (listener: (event: RelayEvent) => void) => () => void
}
