/** Why an accepted request does not arrive, as it is reported to its sender and in the log (RFC 4976 §6.4.1). */
import { reasonPhrase } from "../protocol/Status.ts"

export interface Loss {
  readonly status: number
  /** The text that goes with the status. */
  readonly comment: string
  /** In the words of the log. */
  readonly cause: string
}

const loss = (status: number, cause: string): Loss => ({ status, comment: reasonPhrase(status), cause })

export const UNANSWERED = loss(408, "no answer in time")
/** The answer was dropped (RFC 4976 §6.4.3). */
export const MISANSWERED = loss(408, "its receiver's answer is malformed, or for somebody else")
/** The answer was dropped, because it would only take memory. */
export const UNREAD = loss(408, "its sender does not read its answers")
export const STALLED = loss(408, "its receiver takes nothing")
export const SLOW = loss(408, "its receiver is too slow, and others wait for what is behind it")
export const TOO_FAST = loss(408, "its session is faster than it may be")
export const CLOSED = loss(408, "the connection to its receiver closed")
export const UNREACHABLE = loss(408, "its next hop cannot be reached")
export const FORBIDDEN = loss(403, "its next hop may not be reached")
export const OVERTIME = loss(481, "its session has ended")
export const STOPPED = loss(408, "the relay stops")

const REFUSED = "its receiver refused it"

/** The receiver has refused the request. */
export const refusedBy = (status: number, comment: string): Loss => ({
  status,
  comment: comment === "" ? reasonPhrase(status) : comment,
  cause: REFUSED
})

/** Why a request, or the rest of a message, is not passed on, in the words of the log. */
export const TOO_MUCH = "too much has no answer"
export const UNWANTED = "its receiver wants no more of it"
export const restOf = ({ cause }: Loss): string => cause === REFUSED ? UNWANTED : "a part of it did not arrive"
