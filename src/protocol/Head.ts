import { Buffer } from "../platform/Node.ts"
import type { Broken, OverLimit } from "./Broken.ts"
import type { FrameLimits } from "./FrameLimits.ts"
import {
  BYTE_RANGE,
  CONTENT_TYPE,
  endOfNumber,
  EXPIRES,
  FAILURE_REPORT,
  type FailureReport,
  FROM_PATH,
  is,
  isFlag,
  isMessageIdAt,
  isStatus,
  letter,
  MESSAGE_ID,
  NO,
  numberOf,
  PARTIAL,
  STATUS,
  SUCCESS_REPORT,
  TO_PATH,
  tokenOctet,
  withoutBlanks,
  word,
  YES
} from "./Grammar.ts"
import { DASH, HYPHENS } from "./Hyphens.ts"
import type { LastPaths } from "./PathLines.ts"
import { Kind, StartLine } from "./StartLine.ts"

export type { FailureReport, Flag } from "./Grammar.ts"
export { Kind } from "./StartLine.ts"

// Not imported, because V8 inlines a constant of the same module only.
const CR = 13
const LF = 10
const SP = 32
const HTAB = 9
const COLON = 58
const SLASH = 47
const RESPONSE = Kind.Response
const SEND = Kind.Send
const AUTH = Kind.Auth

/** Found by `#readHeader`: the line has no end within its limit. */
const TOO_LONG = -2

// bits of the headers that may occur only once in a frame
const SAW_TO = 1
const SAW_FROM = 2
const SAW_MESSAGE_ID = 4
const SAW_RANGE = 8
const SAW_SUCCESS = 16
const SAW_FAILURE = 32
const SAW_CONTENT_TYPE = 64
const SAW_STATUS = 128
const SAW_EXPIRES = 256

/**
 * The start line and header section of one frame, as offsets into its octets. It is a view that is reused for other frames, so it
 * is valid only during the call that passes it. What must live longer is read as a string (Latin-1, which keeps every octet).
 *
 * @category models
 * @since 0.1.0
 */
export class Head extends StartLine {
  /** The values of To-Path and From-Path: of the first ones, if there are more. The end is 0 when the header is missing. */
  toStart = 0
  toEnd = 0
  fromStart = 0
  fromEnd = 0
  /** The first octet after the line of From-Path, where the headers begin that a relay passes on unchanged. */
  restStart = 0
  /** One past the CRLF of the last header line. */
  restEnd = 0
  /** The whole Byte-Range line; `rangeLineEnd` is 0 when there is none. */
  rangeLineStart = 0
  rangeLineEnd = 0
  rangeStart = 1
  /** -1 is `*`. */
  rangeEnd = -1
  /** -1 is `*`. */
  rangeTotal = -1
  /** The whole Content-Type line; `contentTypeEnd` is 0 when there is none. */
  contentTypeStart = 0
  contentTypeEnd = 0
  messageIdStart = 0
  messageIdEnd = 0
  failureReport: FailureReport = "yes"
  successReport = false
  /**
   * Whether a body follows, perhaps an empty one. Some clients end each header section with a blank line, also that of a response
   * or REPORT: an end-line directly behind it means that there is no body, because CRLF stands before the end-line of a body.
   */
  hasBody = false
  /** Whether the body may contain seven hyphens in a row, as in an end-line. Set by the decoder when it has searched the body. */
  hyphens = true
  /** Where the body begins; if there is none, where the header lines end. */
  bodyStart = 0
  /** Where the end-line of a frame without a body begins. */
  endLineStart = 0
  /** Where the last line of an incomplete section begins; `start` if every further octet of it may matter. */
  lineStart = 0
  /** What is malformed, if the extent of the frame is known nevertheless (RFC 4975 §10.2). */
  problem: string | undefined = undefined
  /** Whether To-Path and From-Path equal, octet for octet, those of the previous request (or response) on the connection. */
  samePaths = false
  #linesStart = 0
  #seen = 0

  get hasRange(): boolean {
    return this.rangeLineEnd !== 0
  }
  get toPath(): string {
    return this.buf.toString("latin1", this.toStart, this.toEnd)
  }
  get fromPath(): string {
    return this.buf.toString("latin1", this.fromStart, this.fromEnd)
  }
  get messageId(): string | undefined {
    return this.messageIdEnd === 0 ? undefined : this.buf.toString("latin1", this.messageIdStart, this.messageIdEnd)
  }

  /** The values of a header, in order, as Latin-1 without blanks around them. */
  headers(header: string): Array<string> {
    const wanted = header.toLowerCase()
    const values: Array<string> = []
    for (const line of this.buf.toString("latin1", this.restStart, this.restEnd).split("\r\n")) {
      const colon = line.indexOf(":")
      if (colon === -1 || line.slice(0, colon).toLowerCase() !== wanted) continue
      values.push(withoutBlanks(line, colon + 1))
    }
    return values
  }

  header(header: string): string | undefined {
    return this.headers(header)[0]
  }

  /**
   * Reads a start line and header section from `buf[at, end)`.
   *
   * `last`: the previous path lines of this connection, if any, to find out quickly that they have not changed. The result is the
   * offset behind the header section, -1 if more octets are needed, or a reason for closing the connection; in that case the start
   * line and the lines before the fault may be read. A section that is malformed but has an end sets `problem`.
   *
   * The result does not depend on the octets behind the section: a limit is exceeded by the first octet beyond it, and octets that
   * may be the end of the section do not count.
   */
  read(buf: Buffer, at: number, end: number, limits: FrameLimits, last: LastPaths | undefined): number | Broken {
    this.buf = buf
    this.start = this.lineStart = at
    const lines = this.readStartLine(buf, at, end, limits)
    if (typeof lines !== "number" || lines === -1) return lines

    this.#linesStart = lines
    this.toStart = this.toEnd = 0
    this.fromStart = this.fromEnd = 0
    this.restStart = 0
    this.rangeLineStart = this.rangeLineEnd = 0
    this.rangeStart = 1
    this.rangeEnd = this.rangeTotal = -1
    this.contentTypeStart = this.contentTypeEnd = 0
    this.messageIdStart = this.messageIdEnd = 0
    this.failureReport = "yes"
    this.successReport = false
    this.hasBody = false
    this.hyphens = true
    this.problem = undefined
    this.samePaths = false
    this.#seen = 0

    const sectionEnd = at + limits.headerSection
    let p = lines
    let count = 0
    if (last !== undefined) {
      const known = this.kind === RESPONSE ? last.ofResponse : last.ofRequest
      const behind = known.endAt(buf, lines, Math.min(end, sectionEnd))
      if (behind !== -1) {
        this.toStart = lines + known.toStart
        this.toEnd = lines + known.toEnd
        this.fromStart = lines + known.fromStart
        this.fromEnd = lines + known.fromEnd
        this.restStart = p = behind
        this.#seen = SAW_TO | SAW_FROM
        this.samePaths = true
        count = 2
      }
    }
    while (true) {
      this.lineStart = count < limits.headers ? p : at
      if (p + 2 > end) return -1
      const first = buf[p]!
      if (first === CR && buf[p + 1] === LF) {
        const tail = this.#endLineAt(p + 2, end)
        if (tail === -1) {
          this.lineStart = at
          return -1
        }
        this.restEnd = p
        this.hasBody = tail === 0
        this.bodyStart = this.hasBody ? p + 2 : p
        this.endLineStart = p + 2
        break
      }
      if (first === DASH) {
        const tail = this.#endLineAt(p, end)
        if (tail === -1) return -1
        if (tail === 1) {
          this.restEnd = this.bodyStart = this.endLineStart = p
          break
        }
      }
      if (++count > limits.headers) return this.#cutAt(p, "too many headers")
      const lineEnd = p + limits.headerLine
      const next = this.#readHeader(buf, p, end, lineEnd <= sectionEnd ? lineEnd : sectionEnd, count)
      if (next === -1) return -1
      if (next === TOO_LONG) {
        return this.#cutAt(p, lineEnd <= sectionEnd ? "header line too long" : "header section too long")
      }
      p = next
    }
    this.#conclude()
    return this.bodyStart
  }

  /** The section exceeds a limit; the part that was read ends at `p`. */
  #cutAt(p: number, reason: OverLimit): OverLimit {
    if (this.restStart === 0) this.restStart = p
    this.restEnd = this.bodyStart = p
    return reason
  }

  /** Makes the paths of this frame the last ones. */
  keepPaths(last: LastPaths): void {
    if (this.samePaths) return
    const lines = this.kind === RESPONSE ? last.ofResponse : last.ofRequest
    const start = this.#linesStart
    // The paths of an AUTH are rarely repeated, and would be kept for as long as a client is idle.
    lines.length = this.problem === undefined && this.kind !== AUTH ? this.restStart - start : 0
    if (lines.length > lines.octets.length) lines.octets = Buffer.allocUnsafeSlow(lines.length)
    this.buf.copy(lines.octets, 0, start, start + lines.length)
    lines.toStart = this.toStart - start
    lines.toEnd = this.toEnd - start
    lines.fromStart = this.fromStart - start
    lines.fromEnd = this.fromEnd - start
  }

  /** Whether there is an end-line at `p`: 1 yes, 0 no, -1 more octets are needed. */
  #endLineAt(p: number, end: number): 1 | 0 | -1 {
    const { buf, tidStart } = this
    const length = HYPHENS + this.tidEnd - tidStart
    const here = Math.min(length, end - p)
    for (let i = 0; i < here; i++) if (buf[p + i] !== (i < HYPHENS ? DASH : buf[tidStart + i - HYPHENS])) return 0
    if (p + length + 3 > end) return -1
    return isFlag(buf[p + length]!) && buf[p + length + 1] === CR && buf[p + length + 2] === LF ? 1 : 0
  }

  /**
   * Reads the header line at `p`, which may extend to `max`. Returns the offset of the next line, or -1 if the line is incomplete.
   * Nothing is read from a line that is too long.
   */
  #readHeader(buf: Buffer, p: number, end: number, max: number, count: number): number {
    let q = p
    while (q < end && tokenOctet[buf[q]!] === 1) q++
    const nameEnd = q
    const named = nameEnd > p && letter[buf[p]!] === 1 && buf[q] === COLON
    let clean = true
    for (; q < end; q++) {
      const c = buf[q]!
      if (c >= SP && c !== 127) continue
      if (c === CR) {
        if (q + 1 >= end || buf[q + 1] === LF) break
      }
      if (c !== HTAB) clean = false
    }
    if (q + 1 >= end) return end > max ? TOO_LONG : -1
    if (q + 2 > max) return TOO_LONG
    if (!named) this.problem ??= "malformed header line"
    else if (!clean) this.problem ??= "control character in a header"
    if (named) this.#recognise(buf, p, nameEnd, q, count)
    else if (count <= 2) this.problem ??= "To-Path and From-Path must come first"
    return q + 2
  }

  #recognise(buf: Buffer, p: number, nameEnd: number, lineEnd: number, count: number): void {
    let from = nameEnd + 1
    let to = lineEnd
    while (from < to && (buf[from] === SP || buf[from] === HTAB)) from++
    while (to > from && (buf[to - 1] === SP || buf[to - 1] === HTAB)) to--
    let bit = 0
    switch (nameEnd - p) {
      case 6:
        if (is(buf, p, STATUS)) {
          bit = SAW_STATUS
          if (!isStatus(buf, from, to)) this.problem ??= "malformed Status"
        }
        break
      case 7:
        if (is(buf, p, TO_PATH)) {
          bit = SAW_TO
          if (count !== 1) this.problem ??= "To-Path must be the first header"
          if (this.toEnd !== 0) break
          this.toStart = from
          this.toEnd = to
          if (to === from) this.problem ??= "empty To-Path"
        } else if (is(buf, p, EXPIRES)) bit = SAW_EXPIRES
        break
      case 9:
        if (is(buf, p, FROM_PATH)) {
          bit = SAW_FROM
          if (count !== 2) this.problem ??= "From-Path must be the second header"
          if (this.fromEnd !== 0) break
          this.fromStart = from
          this.fromEnd = to
          this.restStart = lineEnd + 2
          if (to === from) this.problem ??= "empty From-Path"
        }
        break
      case 10:
        if (is(buf, p, MESSAGE_ID)) {
          bit = SAW_MESSAGE_ID
          this.messageIdStart = from
          this.messageIdEnd = to
          if (!isMessageIdAt(buf, from, to)) {
            this.messageIdEnd = 0
            this.problem ??= "malformed Message-ID"
          }
        } else if (is(buf, p, BYTE_RANGE)) {
          bit = SAW_RANGE
          this.rangeLineStart = p
          this.rangeLineEnd = lineEnd + 2
          if (!this.#readRange(buf, from, to)) this.problem ??= "malformed Byte-Range"
        }
        break
      case 12:
        if (is(buf, p, CONTENT_TYPE)) {
          bit = SAW_CONTENT_TYPE
          this.contentTypeStart = p
          this.contentTypeEnd = lineEnd + 2
          if (to === from) this.problem ??= "empty Content-Type"
        }
        break
      case 14:
        if (is(buf, p, FAILURE_REPORT)) {
          bit = SAW_FAILURE
          if (word(buf, from, to, NO)) this.failureReport = "no"
          else if (word(buf, from, to, PARTIAL)) this.failureReport = "partial"
          else if (!word(buf, from, to, YES)) this.problem ??= "unknown Failure-Report"
        } else if (is(buf, p, SUCCESS_REPORT)) {
          bit = SAW_SUCCESS
          this.successReport = word(buf, from, to, YES)
          if (!this.successReport && !word(buf, from, to, NO)) this.problem ??= "unknown Success-Report"
        }
    }
    if (bit !== 0) {
      if ((this.#seen & bit) !== 0) this.problem ??= "repeated header"
      this.#seen |= bit
    }
    if (count === 1 && bit !== SAW_TO) this.problem ??= "To-Path must be the first header"
    if (count === 2 && bit !== SAW_FROM) this.problem ??= "From-Path must be the second header"
  }

  /** RFC 4975 §9: `range-start "-" range-end "/" total`, the last two perhaps `*`. Real lengths are checked elsewhere. */
  #readRange(buf: Buffer, from: number, to: number): boolean {
    const dash = endOfNumber(buf, from, to)
    const start = numberOf(buf, from, dash)
    if (start < 1 || buf[dash] !== DASH) return false
    const slash = endOfNumber(buf, dash + 1, to)
    const last = numberOf(buf, dash + 1, slash)
    if (last === -2 || buf[slash] !== SLASH) return false
    const stop = endOfNumber(buf, slash + 1, to)
    const total = numberOf(buf, slash + 1, stop)
    if (total === -2 || stop !== to || (last !== -1 && last < start - 1)) return false
    this.rangeStart = start
    this.rangeEnd = last
    this.rangeTotal = total
    return true
  }

  /** Rules that need the whole section. */
  #conclude(): void {
    const seen = this.#seen
    if ((seen & (SAW_TO | SAW_FROM)) !== (SAW_TO | SAW_FROM)) this.problem ??= "To-Path or From-Path is missing"
    if (this.restStart === 0) this.restStart = this.restEnd
    if (this.hasBody && this.kind === RESPONSE) this.problem ??= "body in a response"
    // The reverse is harmless: some clients that bind a session by an empty SEND leave Content-Type in it.
    if (this.hasBody && (seen & SAW_CONTENT_TYPE) === 0) this.problem ??= "body without Content-Type"
    if (this.kind === SEND && this.hasBody && this.messageIdEnd === 0) {
      this.problem ??= "body without Message-ID"
    }
  }
}
