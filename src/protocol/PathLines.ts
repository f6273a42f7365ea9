/**
 * The last path lines of a connection. Most frames have the same path lines as the frame before, which then need not be parsed.
 */
import { Buffer } from "../platform/Node.ts"
const EMPTY = Buffer.alloc(0)

/** The two path lines of a frame, to recognise them in the next one. Offsets are relative to the beginning of the line of To-Path. */
class PathLines {
  octets = EMPTY
  length = 0
  toStart = 0
  toEnd = 0
  fromStart = 0
  fromEnd = 0

  /** The offset behind the lines if `buf` has the same ones at `start`, before `end`; else -1. */
  endAt(buf: Buffer, start: number, end: number): number {
    const behind = start + this.length
    if (this.length === 0 || behind > end) return -1
    return buf.compare(this.octets, 0, this.length, start, behind) === 0 ? behind : -1
  }
}

/** The last path lines of one connection. Requests and responses have different paths, and alternate. */
export class LastPaths {
  readonly ofRequest = new PathLines()
  readonly ofResponse = new PathLines()
}
