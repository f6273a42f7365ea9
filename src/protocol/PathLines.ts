/**
 * The path lines that were seen last on a connection: most frames there have the same as the one before, and then what
 * they say is known already.
 */
import { Buffer } from "../platform/Node.ts"
const EMPTY = Buffer.alloc(0)

/** The two path lines of a frame, to recognise them in the next one. Offsets count from the beginning of To-Path's line. */
export class PathLines {
  octets = EMPTY
  length = 0
  toStart = 0
  toEnd = 0
  fromStart = 0
  fromEnd = 0

  /** The offset behind them, when the same lines stand in `buf` from `start` on and end by `end`; else -1. */
  endAt(buf: Buffer, start: number, end: number): number {
    const behind = start + this.length
    if (this.length === 0 || behind > end) return -1
    return buf.compare(this.octets, 0, this.length, start, behind) === 0 ? behind : -1
  }
}

/** What was seen last on one connection: requests and responses take turns there, with different paths. */
export class LastPaths {
  readonly ofRequest = new PathLines()
  readonly ofResponse = new PathLines()
}
