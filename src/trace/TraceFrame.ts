/** One frame of a trace. */
import * as Schema from "effect/Schema"
import { transportNames } from "../transport/TransportName.ts"

/**
 * A frame that the relay received or sent, or a part of a long one. Contains no body and no secrets: session-ids are
 * replaced by labels, as in the log.
 *
 * @category schemas
 * @since 0.2.0
 */
export const TraceFrame = Schema.Struct({
  /** Milliseconds since 1970 at which the frame was read, or handed to the operating system. */
  time: Schema.Finite,
  /** Whether the frame goes to the relay or comes from it. */
  direction: Schema.Literals(["in", "out"]),
  /** Number of the connection. */
  connection: Schema.Int,
  transport: Schema.Literals(transportNames),
  /** Address and port of the peer; `local` has those of the relay. */
  remote: Schema.String,
  local: Schema.String,
  /** Label of the frame's session, if it is known: 12 hexadecimal digits. */
  session: Schema.optionalKey(Schema.String),
  /**
   * A whole frame, the beginning of a long chunk that is forwarded as it arrives, the end of such a chunk, or the
   * point from which the connection cannot be parsed any more.
   */
  part: Schema.Literals(["frame", "begin", "end", "broken"]),
  /** `MSRP`, transaction id, and method or status with comment. May be empty. */
  startLine: Schema.String,
  /** Header lines, To-Path first. Empty for the end of a chunk. */
  headers: Schema.Array(Schema.String),
  /** Octets of the body; absent if they have not come yet. */
  octets: Schema.optionalKey(Schema.Int),
  /** Continuation flag of the end-line (RFC 4975 §7.1): complete, to be continued, or aborted. */
  flag: Schema.optionalKey(Schema.Literals(["$", "+", "#"])),
  /** What is malformed. */
  problem: Schema.optionalKey(Schema.String),
  /** Number of frames after this one that are missing, because they came faster than they were read. */
  dropped: Schema.optionalKey(Schema.Int)
})

/**
 * A frame as `TraceFrame` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type TraceFrame = typeof TraceFrame.Type
