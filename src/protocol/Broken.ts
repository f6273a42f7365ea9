/** Why framing is lost: what came in cannot be read as MSRP any more, and the connection has to be closed. */

/** The start line cannot be read. */
export const startLineFaults = ["not MSRP", "malformed start line", "start line too long"] as const

/** A header section is over one of the `FrameLimits`. Its start line could be read, and its paths may be known. */
export const overLimits = ["header line too long", "header section too long", "too many headers"] as const

/** A transport that carries messages does not bring one frame in each (RFC 6455 §5, RFC 7977 §5.1). */
export const messageFaults = [
  "not WebSocket",
  "more than a frame in a message",
  "not a whole frame in a message"
] as const

export type BrokenStartLine = typeof startLineFaults[number]
export type OverLimit = typeof overLimits[number]
/**
 * Why the framing of a connection is lost.
 *
 * @category models
 * @since 0.2.0
 */
export type Broken = BrokenStartLine | OverLimit | typeof messageFaults[number]

export const isOverLimit = (reason: Broken): reason is OverLimit =>
  (overLimits as ReadonlyArray<Broken>).includes(reason)
