/** The start line of one frame (RFC 4975 §7.1, §7.2), as offsets into the octets it was read from. */
import { Buffer } from "../platform/Node.ts"
import type { BrokenStartLine } from "./Broken.ts"
import type { FrameLimits } from "./FrameLimits.ts"
import { AUTH, identFirst, identRest, isText, MSRP, REPORT, SEND, word } from "./Grammar.ts"

// Not imported, because V8 inlines a constant of the same module only.
const CR = 13
const LF = 10
const SP = 32
const LOW_LINE = 95

const EMPTY = Buffer.alloc(0)

/**
 * The kind of a frame. Requests with another method are `Other`.
 *
 * @category models
 * @since 0.2.0
 */
export const Kind = { Response: 0, Send: 1, Report: 2, Auth: 3, Other: 4 } as const

/**
 * The kind of a frame, as `Kind` lists them.
 *
 * @category models
 * @since 0.2.0
 */
export type Kind = (typeof Kind)[keyof typeof Kind]

export class StartLine {
  buf: Buffer = EMPTY
  start = 0
  tidStart = 0
  tidEnd = 0
  kind: Kind = Kind.Other
  methodStart = 0
  methodEnd = 0
  /** 0 for a request. */
  status = 0
  commentStart = 0
  commentEnd = 0

  get method(): string {
    return this.kind === Kind.Response ? "" : this.buf.toString("latin1", this.methodStart, this.methodEnd)
  }
  get transactionId(): string {
    return this.buf.toString("latin1", this.tidStart, this.tidEnd)
  }
  get comment(): string {
    return this.buf.toString("latin1", this.commentStart, this.commentEnd)
  }

  /**
   * Reads the start line at `at`: `MSRP SP transact-id SP method CRLF` or `MSRP SP transact-id SP status-code [SP comment] CRLF`
   * (RFC 4975 §9). Returns the offset behind it, -1 if more octets are needed, or what is wrong with it.
   *
   * A method may contain underscores, which the grammar does not allow: file transfers of some clients begin with a FILE_OFFSET,
   * and a relay passes on methods that it does not know (RFC 4976 §6.4.2).
   */
  protected readStartLine(buf: Buffer, at: number, end: number, limits: FrameLimits): number | BrokenStartLine {
    const known = Math.min(MSRP.length, end - at)
    for (let i = 0; i < known; i++) if (buf[at + i] !== MSRP[i]) return "not MSRP"
    let p = at + MSRP.length
    this.tidStart = p
    while (p < end && identRest[buf[p]!] === 1) p++
    const length = p - this.tidStart
    if (length > 32) return "malformed start line"
    if (p >= end) return -1
    if (buf[p] !== SP || length < 4 || identFirst[buf[this.tidStart]!] === 0) return "malformed start line"
    this.tidEnd = p++

    this.methodStart = p
    while (p < end && ((buf[p]! >= 65 && buf[p]! <= 90) || (buf[p] === LOW_LINE && p > this.methodStart))) p++
    this.methodEnd = this.commentStart = p
    let status = 0
    const isRequest = p > this.methodStart
    if (!isRequest) {
      while (p < end && p < this.methodStart + 3 && buf[p]! >= 48 && buf[p]! <= 57) {
        status = status * 10 + buf[p++]! - 48
      }
      if (p >= end) return -1
      if (p !== this.methodStart + 3) return "malformed start line"
      this.commentStart = p
      if (buf[p] === SP) {
        this.commentStart = ++p
        while (p < end && isText(buf[p]!)) p++
      }
    }
    this.commentEnd = p
    if (p + 2 - at > limits.startLine) return "start line too long"
    if (p >= end) return -1
    if (buf[p] !== CR) return "malformed start line"
    if (p + 1 >= end) return -1
    if (buf[p + 1] !== LF) return "malformed start line"
    this.status = status
    this.kind = isRequest ? kindOf(buf, this.methodStart, p) : Kind.Response
    return p + 2
  }
}

const kindOf = (buf: Buffer, from: number, to: number): Kind => {
  if (word(buf, from, to, SEND)) return Kind.Send
  return word(buf, from, to, REPORT) ? Kind.Report : word(buf, from, to, AUTH) ? Kind.Auth : Kind.Other
}
