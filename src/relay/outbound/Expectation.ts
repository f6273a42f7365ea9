/** What becomes of the answer to a request that is passed on, and of silence. */
import type { FailureReport, Kind } from "../../protocol/Head.ts"

type SendExpectation =
  /** Failure-Report yes: every failure is reported to the sender, and silence is one. */
  | "every failure"
  /** Failure-Report partial: silence is no failure. */
  | "negative answers"
  /** Failure-Report no: the receiver may stop a chunk while it is being sent, and nothing is reported to the sender. */
  | "refusal"

/** For a request other than SEND, the answer goes back to the sender. */
export type Expectation = SendExpectation | OtherRequest

/** A request other than SEND, as it came in. */
export interface OtherRequest {
  /** The transaction id that it came in with, and that its answer goes back with. */
  readonly id: string
  readonly kind: Kind
  /** Whether it has an Authorization header field. */
  readonly hasCredentials: boolean
  /**
   * Whether it has Failure-Report no: the next hop's answer is passed back, but the relay does not answer in its place
   * (RFC 4975 §7.2).
   */
  readonly isSilent: boolean
}

/** What a SEND with this Failure-Report expects (RFC 4975 §7.1.2). */
export const expectationOf = (failureReport: FailureReport): SendExpectation =>
  failureReport === "yes" ? "every failure" : failureReport === "partial" ? "negative answers" : "refusal"
