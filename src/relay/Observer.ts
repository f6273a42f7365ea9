/** Who hears what happens in a relay. Rare events only: what happens with every frame is a field of the counters. */
import type { Kind } from "../protocol/StartLine.ts"
import type { Address, Connection } from "../transport/Connection.ts"
import type { Loss } from "./Loss.ts"
import type { Session, SessionEnd } from "./Session.ts"
import type { Parties, SessionRecord } from "./SessionRecord.ts"

/** What is told of a hop. */
export interface HopFacts {
  /** The connection's number: it is given once. */
  readonly number: number
  /** `undefined`: it was to be dialled, and there is none. */
  readonly connection: Connection | undefined
  /**
   * The session that was granted on it last, else the one that it was bound to last as the peer. Nothing where these are
   * sessions of several users: what is not known to be of one session is nobody's then.
   */
  readonly party: SessionRecord | undefined
  /** Milliseconds of the monotonic clock when its connection was there. */
  readonly since: number
  /** Why it is closed, or was: by the relay, by the network or by its peer. */
  readonly end: string
  /** Octets that came in, and that the operating system has taken; at the end with what was lost with the connection. */
  readonly octetsIn: number
  readonly octetsOut: number
}

/** The connection that something came in on, which may be gone. */
export type CameFrom = Pick<HopFacts, "number"> & { readonly remote: Address | undefined }

/** A request that goes no further than this relay. */
export interface RefusedRequest {
  readonly kind: Kind
  /** What it is answered with, or would be if it wanted an answer (RFC 4975 §7.1.4). */
  readonly status: number
  /** Why, in words of the relay's own; absent where the status says it. */
  readonly problem: string | undefined
  /** The sessions through which it was to go, as far as they are known. */
  readonly parties: Parties | undefined
  /** The next hop that it was to go to, where that is why: `msrps://host:port`. */
  readonly target: string | undefined
}

/** An AUTH that got no session, though it had credentials, or may not even ask. */
export interface FailedLogin {
  readonly status: number
  /** Text, as the client says. */
  readonly username: string | undefined
  readonly realm: string
  /** In words of the relay's own. */
  readonly reason: string
}

/** Called inside a turn: it does not throw, does not wait, and keeps no view of octets. */
export interface Observer {
  /** A connection is gone, or could not be made. */
  closed(hop: HopFacts): void
  /** A session URI was handed out, for so many seconds. */
  granted(session: Session, expires: number): void
  loginFailed(hop: HopFacts, login: FailedLogin): void
  /** A peer has written to the owner of a session, for the first time. */
  bound(hop: HopFacts, session: SessionRecord): void
  /** A session is over. */
  ended(session: Session, reason: SessionEnd): void
  refused(hop: HopFacts, request: RefusedRequest): void
  /** A request that was accepted does not arrive; its sender hears of it if he wants to and is still there. */
  undelivered(from: CameFrom, parties: Parties, loss: Loss, kind: Kind): void
  /** A connection closed in the middle of a chunk that was passed on. */
  cut(hop: HopFacts, parties: Parties): void
}
