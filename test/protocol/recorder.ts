/** Frames as a decoder finds them, independent of how their octets came. */
import { assert } from "@effect/vitest"
import type { Broken } from "../../src/protocol/Broken.ts"
import { Decoder, type FrameSink } from "../../src/protocol/Decoder.ts"
import type { FrameLimits } from "../../src/protocol/FrameLimits.ts"
import type { Flag, Head } from "../../src/protocol/Head.ts"

export interface Recorded {
  readonly transactionId: string
  readonly method: string
  readonly status: number
  readonly comment: string
  readonly toPath: string
  readonly fromPath: string
  readonly rest: string
  readonly range: ReadonlyArray<number>
  readonly messageId: string | undefined
  readonly failureReport: string
  readonly successReport: boolean
  readonly problem: string | undefined
  body: Buffer | undefined
  /** `undefined` until the end-line came. */
  flag: Flag | undefined
  /** It was not passed on in parts. */
  readonly whole: boolean
}

export class Recorder implements FrameSink {
  readonly frames: Array<Recorded> = []
  readonly broken_: Array<Broken> = []
  /** Stop after each frame. */
  hold = false
  /** Is shown each whole frame. */
  look: (head: Head, start: number, end: number) => void = () => {}
  overLimit: (reason: Broken, head: Head) => boolean = () => false
  readonly decoder: Decoder

  constructor(limits?: FrameLimits) {
    this.decoder = new Decoder(this, limits)
  }

  #head(head: Head, whole: boolean): Recorded {
    assert.deepStrictEqual(this.broken_, [], "a frame after framing was lost")
    assert.isTrue(this.frames.length === 0 || this.frames.at(-1)!.flag !== undefined, "a frame within another")
    if (head.samePaths) {
      const before = this.frames.findLast((frame) => (frame.method === "") === (head.method === ""))
      assert.deepStrictEqual([head.toPath, head.fromPath], [before?.toPath, before?.fromPath], "not the same paths")
    }
    return {
      transactionId: head.transactionId,
      method: head.method,
      status: head.status,
      comment: head.comment,
      toPath: head.toPath,
      fromPath: head.fromPath,
      rest: head.buf.toString("latin1", head.restStart, head.restEnd),
      range: head.hasRange ? [head.rangeStart, head.rangeEnd, head.rangeTotal] : [],
      messageId: head.messageId,
      failureReport: head.failureReport,
      successReport: head.successReport,
      problem: head.problem,
      body: head.hasBody ? Buffer.alloc(0) : undefined,
      flag: undefined,
      whole
    }
  }
  readonly frame = (head: Head, start: number, end: number, flag: Flag): boolean => {
    const frame = this.#head(head, true)
    if (head.hasBody) frame.body = Buffer.from(head.buf.subarray(start, end))
    frame.flag = flag
    this.frames.push(frame)
    this.look(head, start, end)
    return !this.hold
  }
  readonly chunkStart = (head: Head): void => {
    this.frames.push(this.#head(head, false))
  }
  readonly chunkBody = (buf: Buffer, start: number, end: number): void => {
    const frame = this.frames.at(-1)!
    frame.body = Buffer.concat([frame.body!, buf.subarray(start, end)])
  }
  readonly chunkEnd = (flag: Flag): void => {
    this.frames.at(-1)!.flag = flag
  }
  readonly broken = (reason: Broken): void => {
    this.broken_.push(reason)
  }

  /** Gives the octets in these pieces, in a buffer that is overwritten after each. */
  push(octets: Buffer, sizes: (left: number) => number = (left) => left): this {
    for (let at = 0; at < octets.length;) {
      const size = Math.max(1, Math.min(octets.length - at, sizes(octets.length - at)))
      const piece = Buffer.from(octets.subarray(at, at + size))
      this.decoder.push(piece)
      piece.fill(0x2d)
      at += size
    }
    return this
  }

  /** What does not depend on the pieces. */
  get seen(): unknown {
    return [this.frames.map((frame) => ({ ...frame, whole: true, body: frame.body?.toString("latin1") })), this.broken_]
  }
}
