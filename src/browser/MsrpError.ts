/**
 * Why something failed.
 *
 * - `Invalid`: what was asked for cannot be done so: not a URL, no peer, a body that was read already.
 * - `Unreachable`: no WebSocket could be opened. A browser does not say why.
 * - `Login`: the relay does not let this user in, or asks for what cannot be answered; `status` is its answer.
 * - `Unproven`: what answers does not know the password, so it may not be the relay.
 * - `Refused`: a hop has refused the message; `status` is its answer.
 * - `Failed`: a REPORT says that the message did not arrive; `status` is its code.
 * - `Timeout`: no answer within 30 seconds.
 * - `Lost`: the connection is gone. Whether the message has arrived is not known.
 * - `NoReceipt`: no receipt was asked for, or too many are awaited.
 * - `GivenUp`: its sender has given up the message that was coming, or it is not as long as he said.
 * - `Dropped`: this side has refused the message that was coming: it was too long, or was not read.
 * - `Unreadable`: the file or blob cannot be read any more, or is not as long as it was.
 * - `Aborted`: by the signal; `cause` is its reason.
 * - `Answer`: an answer that cannot be understood.
 *
 * @category errors
 * @since 0.2.0
 */
export type MsrpErrorReason =
  | "Invalid"
  | "Unreachable"
  | "Login"
  | "Unproven"
  | "Refused"
  | "Failed"
  | "Timeout"
  | "Lost"
  | "NoReceipt"
  | "GivenUp"
  | "Dropped"
  | "Unreadable"
  | "Aborted"
  | "Answer"

/**
 * What every promise of this module is rejected with. Nothing secret is in it.
 *
 * @category errors
 * @since 0.2.0
 */
export class MsrpError extends Error {
  override readonly name = "MsrpError"
  readonly reason: MsrpErrorReason
  /** Code of a response or REPORT (RFC 4975 §10), where one came. */
  readonly status: number | undefined

  constructor(
    reason: MsrpErrorReason,
    message: string,
    options: { readonly status?: number | undefined; readonly cause?: unknown } = {}
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined)
    this.reason = reason
    this.status = options.status
  }
}
