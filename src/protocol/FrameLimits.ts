/**
 * The limits of one MSRP frame, in octets or counts. RFC 4975 sets no numbers for headers; the defaults are far above what clients
 * send, and small enough that a peer cannot make a relay hold much.
 *
 * @category models
 * @since 0.2.0
 */
export interface FrameLimits {
  /** The start line, with its CRLF. */
  readonly startLine: number
  /** One header line, with its CRLF. */
  readonly headerLine: number
  /** Start line and all header lines together. */
  readonly headerSection: number
  /** Header lines in one frame. */
  readonly headers: number
  /** URIs in one To-Path or From-Path. */
  readonly pathUris: number
  /** The body of a request that is not a SEND (RFC 4975 §7.1). */
  readonly nonSendBody: number
}

/**
 * The default limits.
 *
 * @category constants
 * @since 0.2.0
 */
export const defaultFrameLimits: FrameLimits = {
  startLine: 1024,
  headerLine: 8192,
  headerSection: 16_384,
  headers: 64,
  pathUris: 16,
  nonSendBody: 10_240
}

/**
 * Octets of body up to which a chunk is one piece: its range-end must be a number, and it need not be interruptible
 * (RFC 4975 §7.1.1). A longer chunk has `*` and may be interrupted anywhere.
 *
 * @category constants
 * @since 0.1.0
 */
export const INTERRUPTIBLE_ABOVE = 2048
