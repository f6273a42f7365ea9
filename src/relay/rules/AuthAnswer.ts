/** The answer to an AUTH, and what the counters and the log say of it. */
import type { HeaderLines } from "../../protocol/Encoder.ts"
import type { LoginResult } from "../Counters.ts"

/** A user whose credentials were right. */
export interface GrantedUser {
  readonly username: string
  readonly realm: string
  /** Whole seconds: the longest that the session may last. */
  readonly maxExpires?: number | undefined
}

export interface AuthAnswer {
  readonly status: number
  readonly headers?: HeaderLines
  /** The comment of the response, in place of the phrase for its status. */
  readonly comment?: string | undefined
  /** Whether the credentials were wrong, or not checked because too many were wrong before (RFC 4976 §6.3). */
  readonly failed?: boolean
  /** For the log: which user got no session, and why. */
  readonly attempt?: Attempted | undefined
}

/** An AUTH that got no session. */
export interface Attempted {
  /** The name as the client gave it. */
  readonly username?: string | undefined
  /** Words of the relay, not of the client. */
  readonly reason?: string | undefined
}

/**
 * The answer while the relay drains. A client treats 408 like a time-out (RFC 4975 §10.4) and goes to the next relay of the
 * domain. The comment is for readers of a trace.
 */
export const DRAINING: AuthAnswer = {
  status: 408,
  comment: "Going Out Of Service",
  attempt: { reason: "the relay drains" }
}

/** The counter of logins that this answer belongs to. */
export const resultOf = ({ failed = false, status }: AuthAnswer): LoginResult => {
  if (status === 200) return "granted"
  if (status === 401) return failed ? "wrong credentials" : "challenged"
  return status !== 408 ? "refused" : failed ? "held back" : "undecided"
}
