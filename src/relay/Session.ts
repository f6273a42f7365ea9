/** A session URI that was granted, and the interface to the table of sessions. */
import type { MsrpUri } from "../protocol/Uri.ts"
import type { SessionRecord } from "./SessionRecord.ts"

/**
 * One session URI that was granted in a Use-Path (RFC 4976 §6.3). It is valid for the connection that authenticated, until it
 * expires or that connection closes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Session {
  /** The session-id. It is a secret, because knowing it is enough to write to the owner, and is never logged. */
  readonly id: string
  readonly uri: MsrpUri
  readonly username: string
  readonly realm: string
  /** The connection that authenticated. */
  readonly owner: object
  /** Milliseconds of the monotonic clock when the session expires. */
  expiresAt: number
  /** Milliseconds that the session has left after each request; 0: requests do not extend it, as in RFC 4976 §6.3. */
  readonly extension: number
  /** Whether the session has ended: see `sessionEnds`. */
  ended: boolean
  /** The connection of the peer that writes to the owner, and the URI that it uses, once it has written. */
  peer: { readonly connection: object; readonly uri: MsrpUri } | undefined
  /** The record that the relay keeps of the session; the same as in its `NewSession`. */
  readonly record: SessionRecord
  /** The connections to other relays that the session uses, and those to endpoints that were made for it, by URI. */
  hops?: Map<string, SessionHop> | undefined
  /** Authorities ("host:port") that the owner has used in From-Path. */
  readonly ownerAuthorities: Array<string>
}

/** A connection that a session uses. */
export interface SessionHop {
  /** Weak, so that a connection that is gone takes no memory. */
  readonly hop: WeakRef<object>
  /** Whether requests of the session came in on it; else it was made for them. */
  readonly came: boolean
  /** Whether it leads to another relay, not to an endpoint. */
  readonly relay: boolean
}

/** The values from which a session is made. */
export interface NewSession {
  readonly id: string
  readonly uri: MsrpUri
  readonly username: string
  readonly realm: string
  readonly owner: object
  /** Seconds. */
  readonly expires: number
  readonly ownerAuthority: string
  /** The record that the relay keeps; the session has the same. */
  readonly record: SessionRecord
}

/** The reasons why a session ends, in the words of the log. */
export const sessionEnds = [
  "expired",
  "its connection closed",
  "its relay is gone",
  "its user was removed",
  "ended by the operator",
  "another one in its place",
  "it was not granted",
  "the relay stops"
] as const

/**
 * Why a session has ended.
 *
 * @category models
 * @since 0.2.0
 */
export type SessionEnd = typeof sessionEnds[number]

/** Extends a session through which a request passed, or that its owner kept alive. `now`: milliseconds of the monotonic clock. */
export const extend = (session: Session, now: number): void => {
  if (session.extension > 0) session.expiresAt = now + session.extension
}

/** Whether a session has ended or expired. `now`: milliseconds of the monotonic clock. */
export const isOver = (session: Session, now: number): boolean => session.ended || session.expiresAt <= now

/** A key for the user of a session. The same name in two realms is two users. */
export const userOf = ({ realm, username }: Pick<Session, "realm" | "username">): string => `${username}\n${realm}`

/** The valid sessions, as far as forwarding needs them. */
export interface Sessions {
  /** A session by its session-id, unless it is unknown, ended, or past its expiry. */
  readonly findUnsafe: (id: string) => Session | undefined
  readonly end: (session: Session, reason: SessionEnd) => void
  /** Ends all sessions of a connection. */
  readonly endAllOf: (owner: object, reason: SessionEnd) => void
  /** Calls back, inside the call that ends it, with each session that ends. */
  readonly onEnd: (listener: (session: Session, reason: SessionEnd) => void) => void
  /** The number of sessions, including expired ones that were not removed yet. */
  readonly size: () => number
}
