import * as Data from "effect/Data"
import type { OptionsError } from "../options/OptionsError.ts"
import type { Frame } from "./Frame.ts"

/**
 * Why a client's operation failed.
 *
 * - `Closed`: the connection is gone, or framing was lost on it. A client that stays online may have ended by a defect, which
 *   is the `cause` then.
 * - `Timeout`: no response in time (RFC 4975 §7.2: 30 seconds).
 * - `Refused`: a response other than 2xx; `status` and `response` have it.
 * - `Reported`: a failure REPORT for the message on its way; `status` has its code.
 * - `NoReport`: no REPORT will tell: none was asked for, or too many are awaited.
 * - `Aborted`: the sender of a message that was coming has given it up (RFC 4975 §7.1.1, flag `#`), or has ended it with another
 *   length than its Byte-Range said.
 * - `Dropped`: this side wants no more of a message that was coming; `status` is what its sender hears.
 * - `Unproven`: the relay's answer does not prove that it knows the password (RFC 7616 §3.5, rspauth).
 * - `Answer`: a response that lacks what it must have, or has it malformed.
 * - `Offline`: a client that stays online was not for as long as the operation may wait.
 * - `NoCredentials`: user name and password could not be had now; `cause` says why.
 * - `Size`: a streamed body had more or fewer octets than its `size`. The message was given up on the way.
 * - `Options`: what was asked for cannot be used; `cause` is an `OptionsError`. Nothing was sent, or a message was given up whose
 *   streamed body gave something else than octets.
 *
 * @category errors
 * @since 0.1.0
 */
export type ClientErrorReason =
  | "Closed"
  | "Timeout"
  | "Refused"
  | "Reported"
  | "NoReport"
  | "Aborted"
  | "Dropped"
  | "Unproven"
  | "Answer"
  | "Offline"
  | "NoCredentials"
  | "Size"
  | "Options"

/**
 * An operation of a client failed; `reason` says why, `message` in words.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClientError extends Data.TaggedError("ClientError")<{
  readonly reason: ClientErrorReason
  readonly message: string
  /** Status code of the response or REPORT, also of the one given here. */
  readonly status?: number
  readonly response?: Frame
  readonly cause?: unknown
}> {}

export const unusable = (cause: OptionsError): ClientError =>
  new ClientError({ reason: "Options", message: cause.message, cause })
