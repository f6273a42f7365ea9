import { ClientError } from "./ClientError.ts"
import type { ByteRange, Frame } from "./Frame.ts"

/**
 * A REPORT about a message (RFC 4975 §7.1.2).
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly messageId: string | undefined
  /** The code in Status. 0 if the namespace is not `000`, or the header is malformed or missing. */
  readonly status: number
  readonly comment: string
  readonly byteRange: ByteRange | undefined
  readonly frame: Frame
}

/** The error for a message with a failure REPORT. */
export const failed = ({ comment, status }: Report): ClientError =>
  new ClientError({
    reason: "Reported",
    message: `the message failed: ${status} ${comment}`.trimEnd(),
    status
  })
