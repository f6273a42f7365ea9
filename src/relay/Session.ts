/** A session URI that was handed out, as everybody in the relay sees it. */
import type { MsrpUri } from "../protocol/Uri.ts"
import type { SessionRecord } from "./SessionRecord.ts"

/**
 * One session URI that was handed out in a Use-Path (RFC 4976 §6.3). It is valid for the connection that authenticated,
 * until it expires or that connection closes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Session {
  /** The session-id: whoever knows it may write to the owner. Never logged. */
  readonly id: string
  readonly uri: MsrpUri
  readonly username: string
  readonly realm: string
  /** The connection that authenticated. */
  readonly owner: object
  /** Milliseconds of the monotonic clock from which on it is invalid. */
  expiresAt: number
  /** Milliseconds that each request prolongs it by; 0: it is never renewed, as RFC 4976 §6.3 has it. */
  readonly extension: number
  /** It was removed: its owner's connection closed, it expired and was swept, or an operator ended it. */
  ended: boolean
  /** The connection of the peer that writes to the owner, and the URI it uses, once it has written. */
  peer: { readonly connection: object; readonly uri: MsrpUri } | undefined
  /** What the relay keeps of it: it comes with the `NewSession`, and stays as it is. */
  readonly record: SessionRecord
  /** The connections to other relays that it uses, and those that were made to endpoints for it, by their URIs. */
  ways?: Map<string, SessionWay> | undefined
  /** Authorities ("host:port") under which the owner has shown itself in From-Path. */
  readonly ownerAuthorities: Array<string>
}

/** A connection that a session uses. */
export interface SessionWay {
  /** One that is gone takes no memory. */
  readonly hop: WeakRef<object>
  /** Requests of the session came in on it; else it was made for them. */
  readonly came: boolean
  /** It leads to another relay, not to an endpoint. */
  readonly relay: boolean
}

/** What a session is made of. */
export interface NewSession {
  readonly id: string
  readonly uri: MsrpUri
  readonly username: string
  readonly realm: string
  readonly owner: object
  /** Seconds. */
  readonly expires: number
  readonly ownerAuthority: string
  /** The relay's own; the session has the same. */
  readonly record: SessionRecord
}

/** Why a session may be over, in the words of the log. */
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

/** A request passed through it, or its owner kept it alive, at `now`, in milliseconds of the monotonic clock. */
export const extend = (session: Session, now: number): void => {
  if (session.extension > 0) session.expiresAt = now + session.extension
}

/** Users of two realms are two users. */
export const userOf = ({ realm, username }: Pick<Session, "realm" | "username">): string => `${username}\n${realm}`

/** The sessions that are valid now, as far as those need them who forward. */
export interface Sessions {
  /** A session by its session-id, unless it is unknown, ended, or past its expiry. */
  readonly findUnsafe: (id: string) => Session | undefined
  readonly end: (session: Session, reason: SessionEnd) => void
  /** Ends all sessions of a connection. */
  readonly endAllOf: (owner: object, reason: SessionEnd) => void
  /** Calls back, inside the call that ends it, with each session that ends. */
  readonly onEnd: (listener: (session: Session, reason: SessionEnd) => void) => void
  /** How many there are, with those past their expiry that nobody has noticed yet. */
  readonly size: () => number
}
