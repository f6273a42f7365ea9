/** One frame of a trace, as whoever traces a user sees it. */
import * as Schema from "effect/Schema"
import { transportNames } from "../transport/TransportName.ts"

/**
 * A frame that came in or went out, or a part of one that took long. It has no body, and no secret: session-ids are labels,
 * as in the log.
 *
 * @category schemas
 * @since 0.2.0
 */
export const TraceFrame = Schema.Struct({
  /** Milliseconds since 1970 when it was read, or handed to the operating system. */
  time: Schema.Finite,
  /** To the relay, or from it. */
  direction: Schema.Literals(["in", "out"]),
  /** The number of the connection. */
  connection: Schema.Int,
  transport: Schema.Literals(transportNames),
  /** Address and port of the connection's peer, and those of the relay. */
  remote: Schema.String,
  local: Schema.String,
  /** The label of the session that it belongs to, as far as that is known: 12 hexadecimal digits. */
  session: Schema.optionalKey(Schema.String),
  /**
   * A whole frame, the beginning of a long chunk that is passed on while it comes, the end of one, or the end of all framing
   * on the connection.
   */
  part: Schema.Literals(["frame", "begin", "end", "broken"]),
  /** `MSRP`, transaction id, and method or status with comment. Empty when there is none. */
  startLine: Schema.String,
  /** The header lines, To-Path first. An end has none. */
  headers: Schema.Array(Schema.String),
  /** Octets of the body; absent where they are still to come. */
  octets: Schema.optionalKey(Schema.Int),
  /** The end of the end-line (RFC 4975 §7.1): complete, to be continued, given up. */
  flag: Schema.optionalKey(Schema.Literals(["$", "+", "#"])),
  /** What is malformed. */
  problem: Schema.optionalKey(Schema.String),
  /** So many frames came after this one and before the next, and are not shown: they came faster than they were read. */
  dropped: Schema.optionalKey(Schema.Int)
})

/**
 * A frame as `TraceFrame` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type TraceFrame = typeof TraceFrame.Type
