import * as Data from "effect/Data"
import type { OptionsError } from "../options/OptionsError.ts"
import type { Frame } from "./Frame.ts"

/**
 * Why a client's operation failed.
 *
 * - `Closed`: the connection has ended, or its framing was lost. If a client that stays online has ended with a defect, that is
 *   the `cause`.
 * - `Timeout`: no response in time (RFC 4975 §7.2: 30 seconds).
 * - `Refused`: a response other than 2xx; `status` and `response` have it.
 * - `Reported`: a failure REPORT about the message was received; `status` has its code.
 * - `NoReport`: no REPORT is awaited: none was asked for, or too many others are.
 * - `Aborted`: the sender of an incoming message has given it up (RFC 4975 §7.1.1, flag `#`), or its length differs from its
 *   Byte-Range.
 * - `Dropped`: this side has refused the rest of an incoming message; `status` is its answer to the sender.
 * - `Unproven`: the relay's answer does not prove that it knows the password (RFC 7616 §3.5, rspauth).
 * - `Answer`: a response lacks a required header, or has it malformed.
 * - `Offline`: a client that stays online had no connection for as long as the operation may wait.
 * - `NoCredentials`: user name and password were not available; `cause` says why.
 * - `Size`: a streamed body had more or fewer octets than its `size`. The message was given up.
 * - `Options`: options are not valid; `cause` is an `OptionsError`. Nothing was sent, or a message was given up because its
 *   streamed body gave something other than octets.
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
  /** Status code of the response or REPORT, received or sent. */
  readonly status?: number | undefined
  readonly response?: Frame | undefined
  readonly cause?: unknown
}> {}

export const unusable = (cause: OptionsError): ClientError =>
  new ClientError({ reason: "Options", message: cause.message, cause })
