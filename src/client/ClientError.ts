import * as Data from "effect/Data"
import type { Frame } from "./Frame.ts"

/**
 * Why a client's operation failed.
 *
 * - `Closed`: the connection is gone, or framing was lost on it.
 * - `Timeout`: no response in time (RFC 4975 §7.2: 30 seconds).
 * - `Refused`: a response other than 2xx; `status` and `response` have it.
 * - `Reported`: a failure REPORT for the message on its way; `status` has its code.
 * - `Unproven`: the relay's answer does not prove that it knows the password (RFC 7616 §3.5, rspauth).
 * - `Answer`: a response that lacks what it must have, or has it malformed.
 */
export type ClientErrorReason = "Closed" | "Timeout" | "Refused" | "Reported" | "Unproven" | "Answer"

export class ClientError extends Data.TaggedError("ClientError")<{
  readonly reason: ClientErrorReason
  readonly message: string
  /** Status code of the response or REPORT. */
  readonly status?: number
  readonly response?: Frame
}> {}
