/**
 * What a connection of the load client reads. It must cost as little as it can, or it would be measured instead of the relay.
 *
 * All connections read into one buffer. A frame that looks like the one before it on the same connection (same lengths,
 * its end-line where it must be, the next message number) is taken at once; every other frame is parsed, in pieces if it
 * spans several reads. Either way every body is compared with the one that was sent.
 */
import { type Counter, OkFrame } from "./frames.ts"
import type { Output } from "./output.ts"

/** Octets before each read that are kept free for the rest of the last one. */
const headroom = 20_480
const readSize = 262_144
const area = Buffer.allocUnsafeSlow(headroom + readSize)

/** The buffer that all connections read into. */
export const readBuffer = area.subarray(headroom)

const latin1 = (from: number, to: number): string => area.toString("latin1", from, to)

const blankLine = Buffer.from("\r\n\r\n", "latin1")
const dashes = "-------"

const cr = 0x0d
const lf = 0x0a
const dash = 0x2d
const space = 0x20

/** The messages of the other end of a pair: the n-th has the n-th number, and all have this body. */
export interface Expected {
  readonly id: Counter
  readonly body: Buffer
}

/** Lengths within the last whole SEND that arrived in order. */
interface Layout {
  readonly idLength: number
  readonly messageId: number
  readonly head: number
  readonly total: number
}

/** What went wrong on a connection. */
export interface Faults {
  /** Responses other than 200. */
  responses: number
  reports: number
  /** Messages with a wrong number, length or content. */
  damaged: number
  /** Lost connections, and frames that could not be parsed. */
  broken: number
  /** The first fault, in words. */
  first: string | undefined
}

export const noFaults = (): Faults => ({ responses: 0, reports: 0, damaged: 0, broken: 0, first: undefined })

/** The connection that is read from. */
export interface Reading {
  /** The URI of this end. */
  readonly uri: string
  readonly faults: Faults
  /** Where messages are answered. */
  readonly output: Output
  /** Whether the connection is being closed, so that nothing more is read. */
  readonly isClosing: boolean
  /** Closes the connection because of a frame that cannot be parsed. */
  fail(reason: string): void
}

export class Input {
  /** Whole messages that arrived, octets of bodies, and 200s received. */
  delivered = 0
  octets = 0
  acknowledged = 0
  /** The messages that must arrive. */
  expected: Expected | undefined
  /** Called with the whole of the next response. */
  awaited: ((response: string) => void) | undefined
  /** Called with the status of each response to a SEND, for a caller that expects statuses other than 200. */
  onAnswer: ((status: string) => void) | undefined

  private readonly connection: Reading
  private readonly faults: Faults
  private rest: Buffer | undefined
  private restLength = 0
  private layout: Layout | undefined
  private responseLength = 0
  private ok: OkFrame | undefined
  private replyTo = ""

  private inBody = false
  /** Start of the current frame in the buffer; -1 if it began in an earlier read. */
  private frameStart = -1
  private headEnd = 0
  private messageIdAt = 0
  private endLine = Buffer.alloc(0)
  private messageOctets = 0
  private intact = true

  constructor(connection: Reading) {
    this.connection = connection
    this.faults = connection.faults
  }

  /** Reads the first `length` octets of `readBuffer`. */
  read(length: number): void {
    const end = headroom + length
    let at = headroom
    if (this.restLength > 0) {
      at -= this.restLength
      area.set(this.rest!.subarray(0, this.restLength), at)
      this.restLength = 0
    }
    this.frameStart = -1
    while (at < end && !this.connection.isClosing) {
      const next = this.inBody ? this.readBody(at, end) : this.readFrame(at, end)
      if (next < 0) {
        // The rest stays for the next read; in a body, all but what may be the start of its end-line is counted.
        at = -next
        break
      }
      at = next
    }
    if (at < end && !this.connection.isClosing) this.keep(at, end)
  }

  private keep(at: number, end: number): void {
    const length = end - at
    if (length > headroom) return this.connection.fail(`a header section of more than ${headroom} octets`)
    if (this.rest === undefined || this.rest.length < length) this.rest = Buffer.allocUnsafeSlow(Math.max(2048, length))
    area.copy(this.rest, 0, at, end)
    this.restLength = length
  }

  /** Reads the frame at `at`. Returns the offset after it (or after its header section); `-at` if more octets are needed. */
  private readFrame(at: number, end: number): number {
    const idAt = at + 5
    let idEnd = idAt
    while (idEnd < end && area[idEnd] !== space && idEnd - idAt < 64) idEnd++
    if (idEnd + 2 > end) return -at
    if (area[idEnd] !== space || area[at] !== 0x4d) {
      this.connection.fail("no MSRP start line where one must be")
      return end
    }
    const idLength = idEnd - idAt
    const kind = area[idEnd + 1]!
    if (kind === 0x53) return this.readSend(at, end, idAt, idLength)
    const guess = at + this.responseLength
    const frameEnd = this.responseLength > 0 && guess <= end && this.endsAt(guess, idAt, idLength)
      ? guess
      : this.findEnd(at, end, idAt, idLength)
    if (frameEnd < 0) return -at
    if (kind >= 0x30 && kind <= 0x39) {
      this.responseLength = frameEnd - at
      this.onResponse(at, frameEnd, idEnd + 1)
    } else {
      this.faults.reports++
      this.faults.first ??= latin1(idEnd + 1, Math.min(idEnd + 7, end))
    }
    return frameEnd
  }

  private onResponse(at: number, end: number, status: number): void {
    const ok = area[status] === 0x32 && area[status + 1] === 0x30 && area[status + 2] === 0x30
    if (this.awaited !== undefined) {
      const answer = this.awaited
      this.awaited = undefined
      answer(latin1(at, end))
    } else if (this.onAnswer !== undefined) {
      this.onAnswer(latin1(status, status + 3))
    } else if (ok) {
      this.acknowledged++
    } else {
      this.faults.responses++
      this.faults.first ??= latin1(status, Math.min(end, status + 40)).split("\r\n", 1)[0]
    }
  }

  /** Whether an end-line with `$` and this transaction id ends at `end`. */
  private endsAt(end: number, idAt: number, idLength: number): boolean {
    if (area[end - 1] !== lf || area[end - 2] !== cr || area[end - 3] !== 0x24) return false
    const start = end - 3 - idLength
    for (let i = 0; i < idLength; i++) {
      if (area[start + i] !== area[idAt + i]) return false
    }
    for (let i = 1; i <= 7; i++) {
      if (area[start - i] !== dash) return false
    }
    return area[start - 8] === lf && area[start - 9] === cr
  }

  /** The offset after the end-line with this transaction id; -1 if it has not arrived. */
  private findEnd(at: number, end: number, idAt: number, idLength: number): number {
    const line = Buffer.from(dashes + latin1(idAt, idAt + idLength), "latin1")
    const found = area.subarray(at, end).indexOf(line)
    const frameEnd = at + found + line.length + 3
    return found < 0 || frameEnd > end ? -1 : frameEnd
  }

  private readSend(at: number, end: number, idAt: number, idLength: number): number {
    const { expected, layout } = this
    if (layout !== undefined && expected !== undefined && layout.idLength === idLength) {
      const frameEnd = at + layout.total
      const headEnd = at + layout.head
      if (frameEnd > end) {
        // The rest probably comes with the next read, unless a relay has divided this message into chunks.
        if (layout.total <= headroom && this.findEnd(at, end, idAt, idLength) < 0) return -at
      } else if (
        this.endsAt(frameEnd, idAt, idLength) && area[headEnd - 4] === cr && area[headEnd - 3] === lf &&
        area[headEnd - 2] === cr && area[headEnd - 1] === lf && expected.id.matches(area, at + layout.messageId)
      ) {
        const { body } = expected
        if (body.compare(area, headEnd, headEnd + body.length) !== 0) this.damage("a body that is not the one sent")
        this.octets += body.length
        this.reply(area, idAt, idLength)
        this.arrived(expected)
        return frameEnd
      }
    }
    return this.readHead(at, end, idAt, idLength)
  }

  private arrived(expected: Expected): void {
    expected.id.next()
    this.delivered++
  }

  private damage(what: string): void {
    this.faults.damaged++
    this.faults.first ??= what
  }

  private readHead(at: number, end: number, idAt: number, idLength: number): number {
    const found = area.subarray(at, end).indexOf(blankLine)
    if (found < 0) return -at
    const head = latin1(at, at + found + 2)
    const { expected } = this
    const messageId = /\r\nMessage-ID: *(\S+)/i.exec(head)
    const range = /\r\nByte-Range: *(\d+)-/i.exec(head)
    const from = /\r\nFrom-Path: *(\S+)/i.exec(head)
    if (expected === undefined || messageId === null || range === null || from === null) {
      this.connection.fail(`an unexpected SEND: ${head.split("\r\n", 1)[0]}`)
      return end
    }
    this.frameStart = at
    this.headEnd = at + found + 4
    this.messageIdAt = at + messageId.index + messageId[0].length - messageId[1]!.length
    if (!expected.id.matches(area, this.messageIdAt)) {
      this.damage("a message that is not the next one")
      expected.id.set(messageId[1]!)
    }
    if (Number(range[1]) !== this.messageOctets + 1) this.intact = false
    if (from[1] !== this.replyTo) {
      this.replyTo = from[1]!
      this.ok = undefined
    }
    this.endLine = Buffer.from(dashes + latin1(idAt, idAt + idLength), "latin1")
    this.inBody = true
    return this.headEnd
  }

  /** Reads more of a body. Returns the end of the frame, or `-at` if it has not ended; octets from `at` on are not counted yet. */
  private readBody(at: number, end: number): number {
    const { endLine } = this
    const lineLength = endLine.length + 3
    const view = area.subarray(at, end)
    let found = view.indexOf(endLine)
    while (found >= 0 && found + lineLength <= view.length) {
      const after = at + found + endLine.length
      if (
        found >= 2 && view[found - 1] === lf && view[found - 2] === cr && area[after + 1] === cr &&
        area[after + 2] === lf
      ) {
        this.countBody(at, at + found - 2)
        this.endChunk(after + 3, area[after]!)
        return after + 3
      }
      found = view.indexOf(endLine, found + 1)
    }
    const counted = Math.max(at, end - lineLength - 1)
    this.countBody(at, counted)
    return -counted
  }

  private countBody(at: number, end: number): void {
    const length = end - at
    const { body } = this.expected!
    const before = this.messageOctets
    if (
      this.intact &&
      (before + length > body.length || body.compare(area, at, end, before, before + length) !== 0)
    ) this.intact = false
    this.messageOctets = before + length
    this.octets += length
  }

  private endChunk(end: number, flag: number): void {
    const expected = this.expected!
    const idLength = this.endLine.length - dashes.length
    this.inBody = false
    this.reply(this.endLine, dashes.length, idLength)
    if (flag === 0x2b) return // "+": more of the message follows
    if (!this.intact || flag !== 0x24 || this.messageOctets !== expected.body.length) {
      this.damage("a message that is not the one sent")
    }
    const whole = this.frameStart >= 0 && end - this.headEnd === expected.body.length + idLength + 12
    if (whole) {
      this.layout = {
        idLength,
        messageId: this.messageIdAt - this.frameStart,
        head: this.headEnd - this.frameStart,
        total: end - this.frameStart
      }
    }
    this.messageOctets = 0
    this.intact = true
    this.arrived(expected)
  }

  private reply(source: Buffer, idAt: number, idLength: number): void {
    if (this.ok?.idLength !== idLength) this.ok = new OkFrame(idLength, this.replyTo, this.connection.uri)
    this.connection.output.respond(this.ok, source, idAt)
  }
}
