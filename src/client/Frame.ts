/** Received frames. */
import * as Inspectable from "effect/Inspectable"
import type { HeaderLines } from "../protocol/Encoder.ts"
import { withoutBlanks } from "../protocol/Grammar.ts"
import type { FailureReport, Flag, Head } from "../protocol/Head.ts"
import { fromUtf8 } from "./Utf8.ts"

/**
 * Byte-Range of a chunk: positions in the message, from 1. `undefined` stands for `*` (RFC 4975 §7.1.1).
 *
 * @category models
 * @since 0.1.0
 */
export interface ByteRange {
  readonly start: number
  readonly end: number | undefined
  readonly total: number | undefined
}

/**
 * A received frame. It is a copy, valid after the buffer it was read from is reused.
 *
 * @category models
 * @since 0.1.0
 */
export class Frame {
  readonly transactionId: string
  /** Empty for a response. */
  readonly method: string
  /** 0 for a request. */
  readonly status: number
  readonly comment: string
  readonly toPath: string
  readonly fromPath: string
  readonly messageId: string | undefined
  /** Undefined if the frame has no Byte-Range. */
  readonly byteRange: ByteRange | undefined
  /** `yes` if the frame has no Failure-Report. */
  readonly failureReport: FailureReport
  readonly successReport: boolean
  /** What is malformed in the header section, if anything is. */
  readonly problem: string | undefined
  readonly hasBody: boolean
  /** A copy of the body, if frames are recorded. */
  body: Buffer | undefined = undefined
  flag: Flag = "$"
  readonly #rest: string

  constructor(head: Head) {
    this.transactionId = head.transactionId
    this.method = head.method
    this.status = head.status
    this.comment = fromUtf8(head.comment)
    this.toPath = head.toPath
    this.fromPath = head.fromPath
    this.messageId = head.messageId
    this.byteRange = head.hasRange
      ? {
        start: head.rangeStart,
        end: head.rangeEnd === -1 ? undefined : head.rangeEnd,
        total: head.rangeTotal === -1 ? undefined : head.rangeTotal
      }
      : undefined
    this.failureReport = head.failureReport
    this.successReport = head.successReport
    this.problem = head.problem
    this.hasBody = head.hasBody
    this.#rest = head.buf.toString("latin1", head.restStart, head.restEnd)
  }

  /** Without secrets: paths contain session-ids, and headers contain digests. */
  toJSON(): object {
    const { flag, method, status, transactionId } = this
    return { transactionId, ...(method === "" ? { status } : { method }), flag }
  }

  [Inspectable.NodeInspectSymbol](): object {
    return this.toJSON()
  }

  /** Octets of the paths and headers. */
  get headOctets(): number {
    return this.toPath.length + this.fromPath.length + this.#rest.length
  }

  /** Headers after From-Path, in order, without white space around their values. Values are decoded as UTF-8. */
  get headers(): HeaderLines {
    return linesOf(fromUtf8(this.#rest))
  }

  /** All values of a header, in order. Names are compared without regard to case. */
  all(name: string): ReadonlyArray<string> {
    return this.octets(name).map(fromUtf8)
  }

  /** All values of a header as octet strings, in which one character is one octet: for values that are hashed or not UTF-8. */
  octets(name: string): ReadonlyArray<string> {
    const wanted = name.toLowerCase()
    return linesOf(this.#rest).filter(([one]) => one.toLowerCase() === wanted).map(([, value]) => value)
  }

  /** The first value of a header. */
  header(name: string): string | undefined {
    return this.all(name)[0]
  }
}

const linesOf = (section: string): HeaderLines =>
  section.split("\r\n").filter((line) => line !== "").map((line) => {
    const colon = line.indexOf(":")
    return [line.slice(0, colon), withoutBlanks(line, colon + 1)] as const
  })
