/**
 * A received frame that outlives the octets it was read from.
 */
import * as Inspectable from "effect/Inspectable"
import type { HeaderLines } from "../protocol/Encoder.ts"
import { withoutBlanks } from "../protocol/Grammar.ts"
import type { FailureReport, Flag, Head } from "../protocol/Head.ts"
import { fromUtf8 } from "./Utf8.ts"

/**
 * Octets of a message that a chunk claims to have, from 1; `undefined` is `*` (RFC 4975 §7.1.1).
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
 * A received frame that outlives the octets it was read from.
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
  /** Undefined when the frame has no Byte-Range. */
  readonly byteRange: ByteRange | undefined
  /** `yes` when the frame has no Failure-Report. */
  readonly failureReport: FailureReport
  readonly successReport: boolean
  /** What is malformed in the header section. */
  readonly problem: string | undefined
  readonly hasBody: boolean
  /** A copy of the body, when frames are recorded. */
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

  /** Without anything secret: paths hold session-ids, and headers hold digests. */
  toJSON(): object {
    const { flag, method, status, transactionId } = this
    return { transactionId, ...(method === "" ? { status } : { method }), flag }
  }

  [Inspectable.NodeInspectSymbol](): object {
    return this.toJSON()
  }

  /** Octets of its paths and headers, which it holds beside the body. */
  get headOctets(): number {
    return this.toPath.length + this.fromPath.length + this.#rest.length
  }

  /** Headers behind From-Path, in order, without blanks around their values: text, as which UTF-8 is read. */
  get headers(): HeaderLines {
    return linesOf(fromUtf8(this.#rest))
  }

  /** The values of a header in any letter case, in order. */
  all(name: string): ReadonlyArray<string> {
    return this.octets(name).map(fromUtf8)
  }

  /** The same as octets, each of them a character: what is no UTF-8, or is hashed, is there as it came. */
  octets(name: string): ReadonlyArray<string> {
    const wanted = name.toLowerCase()
    return linesOf(this.#rest).filter(([one]) => one.toLowerCase() === wanted).map(([, value]) => value)
  }

  /** The first of its values. */
  header(name: string): string | undefined {
    return this.all(name)[0]
  }
}

const linesOf = (section: string): HeaderLines =>
  section.split("\r\n").filter((line) => line !== "").map((line) => {
    const colon = line.indexOf(":")
    return [line.slice(0, colon), withoutBlanks(line, colon + 1)] as const
  })
