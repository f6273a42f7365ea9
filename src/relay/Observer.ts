/** The interface to which a relay reports its events. Only rare ones: what happens with every frame is counted. */
import type { Kind } from "../protocol/StartLine.ts"
import type { MsrpUri } from "../protocol/Uri.ts"
import type { Address, Connection } from "../transport/Connection.ts"
import type { Loss } from "./Loss.ts"
import type { Session, SessionEnd } from "./Session.ts"
import type { Parties, SessionRecord } from "./SessionRecord.ts"

/** What an observer may know of a hop. */
export interface HopFacts {
  /** The number of the connection, which is unique. */
  readonly number: number
  /** `undefined` while it is being dialled, and if it could not be made. */
  readonly connection: Connection | undefined
  /**
   * The session that was granted on the connection last, else the one that it was bound to last as the peer. `undefined` if these
   * sessions have several users, because an event of the connection cannot be attributed to one of them.
   */
  readonly lastSession: SessionRecord | undefined
  /** Milliseconds of the monotonic clock when the connection was accepted or made. */
  readonly since: number
  /** Why the connection is closed, or was: by the relay, by the network or by its peer. */
  readonly end: string
  /** Octets received, and octets that the operating system has taken; at the end, those include what was lost with the connection. */
  readonly octetsIn: number
  readonly octetsOut: number
}

/** The connection that a request came in on, which may be gone. */
export type CameFrom = Pick<HopFacts, "number"> & { readonly remote: Address | undefined }

/** A request that goes no further than this relay. */
export interface RefusedRequest {
  readonly kind: Kind
  /** The status of the answer, or the one that it would have if an answer were wanted (RFC 4975 §7.1.4). */
  readonly status: number
  /** The reason in the words of the log; `undefined` if the status says it. */
  readonly problem: string | undefined
  /** The sessions through which the request was to go, as far as they are known. */
  readonly parties: Parties | undefined
  /** The next hop to which the request was to go, if that is the reason: `msrps://host:port`. */
  readonly target: string | undefined
}

/** An AUTH that got no session although it had credentials, or that was not allowed at all. */
export interface FailedLogin {
  readonly status: number
  /** The text that the client sent. */
  readonly username: string | undefined
  readonly realm: string
  /** In the words of the log. */
  readonly reason: string
}

/** Its functions are called inside a turn. They do not throw, do not wait, and keep no view of octets. */
export interface Observer {
  /** A connection has ended, or could not be made. */
  closed(hop: HopFacts): void
  /** The hop, which is about to end, takes this relay for the one of the URI. */
  mistaken(hop: HopFacts, meant: MsrpUri): void
  /** A session was granted; `expires` in seconds. */
  granted(session: Session, expires: number): void
  loginFailed(hop: HopFacts, login: FailedLogin): void
  /** A peer has written to the owner of a session for the first time. */
  bound(hop: HopFacts, session: SessionRecord): void
  /** A session has ended. */
  ended(session: Session, reason: SessionEnd): void
  refused(hop: HopFacts, request: RefusedRequest): void
  /** An accepted request does not arrive. Its sender gets a REPORT if it wants one and is still connected. */
  undelivered(from: CameFrom, parties: Parties, loss: Loss, kind: Kind): void
  /** A connection closed in the middle of a chunk that was passed on. */
  cut(hop: HopFacts, parties: Parties): void
}
