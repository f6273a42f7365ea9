/**
 * Why something failed.
 *
 * - `Invalid`: an argument or call is not valid: not a URL, no peer, a body that was read already.
 * - `Unreachable`: no WebSocket could be opened. A browser does not say why.
 * - `Login`: the relay refuses this user, or there are no valid credentials; `status` is the relay's answer, if there is one.
 * - `Unproven`: the server did not prove that it knows the password, so it may not be the relay.
 * - `Refused`: a hop has refused the message; `status` is its answer.
 * - `Failed`: a REPORT says that the message did not arrive; `status` is its code.
 * - `Timeout`: no answer within 30 seconds.
 * - `Lost`: there is no connection any more. Whether the message has arrived is not known.
 * - `NoReceipt`: no receipt was asked for, or too many are awaited.
 * - `GivenUp`: the sender has given up the incoming message, or its length differs from the announced one.
 * - `Dropped`: this side has refused the incoming message: it was too long, or was not read.
 * - `Unreadable`: the file or blob cannot be read any more, or its length has changed.
 * - `Aborted`: aborted by the signal; `cause` is its reason.
 * - `Answer`: an answer of the relay is malformed.
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
 * The error that all promises of this module reject with. It contains no secrets.
 *
 * @category errors
 * @since 0.2.0
 */
export class MsrpError extends Error {
  override readonly name = "MsrpError"
  readonly reason: MsrpErrorReason
  /** Status code of the response or REPORT, if there was one (RFC 4975 §10). */
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
