/** What an AUTH is answered, and what that says of it. */
import type { HeaderLines } from "../../protocol/Encoder.ts"
import type { LoginResult } from "../Counters.ts"

/** A user who is who he says. */
export interface GrantedUser {
  readonly username: string
  readonly realm: string
  /** Seconds, whole ones: his session lasts no longer. */
  readonly maxExpires?: number | undefined
}

export interface AuthAnswer {
  readonly status: number
  readonly headers?: HeaderLines
  /** Text, in place of the phrase that goes with the status. */
  readonly comment?: string | undefined
  /** The credentials were wrong, or there were too many of that kind to look at (RFC 4976 §6.3). */
  readonly failed?: boolean
  /** Who it was that got no session, and why, for the log. */
  readonly attempt?: Attempted | undefined
}

/** An AUTH that came to nothing. */
export interface Attempted {
  /** Text, as the client says. */
  readonly username?: string | undefined
  /** In words of the relay's own. */
  readonly reason?: string | undefined
}

/** What became of an AUTH that got this answer. */
export const resultOf = ({ failed = false, status }: AuthAnswer): LoginResult => {
  if (status === 200) return "granted"
  if (status === 401) return failed ? "wrong credentials" : "challenged"
  return status !== 408 ? "refused" : failed ? "held back" : "undecided"
}
