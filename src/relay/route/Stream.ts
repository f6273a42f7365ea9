/**
 * A long SEND chunk that is passed on while it still comes in. It leaves as one or more pieces, each a SEND of its own with a
 * new transaction id: anything else that is written to the hop ends the open piece with `+`, and the rest follows in the next
 * piece (RFC 4975 §5.1, §7.1.1).
 */
import { byteRangeLine, totalOf } from "../../protocol/ByteRange.ts"
import { type FailureReport, type Flag, type Head, Kind } from "../../protocol/Head.ts"
import { DASH, HYPHENS } from "../../protocol/Hyphens.ts"
import { transactionId } from "../../protocol/Ident.ts"
import { keepMore, keepOctets } from "../../protocol/Octets.ts"
import { type Loss, restOf } from "../Loss.ts"
import { expectationOf } from "../outbound/Expectation.ts"
import { writeEndLine, writeSend } from "../outbound/Frames.ts"
import type { LongChunk } from "../outbound/LongChunk.ts"
import type { Origin, Piece } from "../outbound/Origin.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import type { Outbox } from "../outbound/Outbox.ts"
import { Transaction } from "../outbound/Transaction.ts"
import type { Window } from "../outbound/Window.ts"
import { aroundRange } from "./Forward.ts"
import type { Way } from "./Way.ts"

/** Octets of memory that a long chunk takes besides its headers, approximately. */
const STREAM = 512

const NO_LINES: Buffer = Buffer.alloc(0)
const NO_HEADERS = { before: "", after: "" }

export class Stream implements LongChunk {
  readonly #target: Outbound
  readonly #outbox: Outbox
  readonly #origin: Origin
  readonly #window: Window
  /** Undefined once nothing more is written. */
  #way: Way | undefined
  #lines: Buffer
  #headers: { readonly before: string; readonly after: string }
  readonly messageId: string | undefined
  readonly failureReport: FailureReport
  readonly #total: number
  /** Number, in its message, of the last octet of this chunk, as the sender gives it; -1: unknown. */
  readonly #chunkEnd: number
  /** Number, in its message, of the next octet to be written. */
  #next: number
  /**
   * Octets that wait for more of them or the end: one that may be the last, so that the last piece is not empty if the piece
   * before it was interrupted; and after a piece fewer than the headers of the next one have. A sender whose octets come one by
   * one, beside another one that interrupts each time, would otherwise make the relay write 16 KiB of headers for each.
   */
  #held: Buffer = NO_LINES
  #id = ""
  /** The last octets of the open piece if they have hyphens, to find an end-line that begins in one write and ends in the next. */
  #tail = ""
  #pieceStart = 0
  #transaction: Transaction | undefined
  /** Whether the end of the chunk is being written. */
  #finishing = false
  /** Whether no more of it is passed on, because it failed, which was reported, or because its receiver does not want it. */
  refused = false
  /** Whether it completes its message, so that anything later under the same Message-ID is a new attempt (RFC 4975 §5.4). */
  isLast = false

  constructor(way: Way, head: Head) {
    this.#target = way.target
    this.#outbox = way.target.outbox
    this.#origin = way.wayBack
    this.#window = way.window
    this.#lines = way.lines
    this.#way = way
    way.flowPace?.spend(way.target.now, 1, 0)
    this.#headers = aroundRange(head)
    this.messageId = head.messageId
    this.failureReport = head.failureReport
    this.#total = head.rangeTotal
    this.#chunkEnd = head.rangeEnd === -1 ? head.rangeTotal : head.rangeEnd
    this.#next = head.rangeStart
  }

  /** Passes body on. `hyphens`: whether it may contain seven hyphens in a row. */
  write(buf: Buffer, start: number, end: number, hyphens: boolean): void {
    if (this.refused || start === end) return
    if (this.#isBetweenPieces && this.#held.length + (end - start) < this.#overhead) {
      this.#held = keepMore(this.#held, buf.subarray(start, end))
      return
    }
    this.#emitHeld()
    const to = this.#next + (end - start) > this.#chunkEnd ? end - 1 : end
    if (to < end) this.#held = keepOctets(buf.subarray(to, end))
    this.#emit(buf, start, to, hyphens)
  }

  /** Whether a piece has ended, and no other has begun. */
  get #isBetweenPieces(): boolean {
    return this.#id !== "" && this.#target.openChunk !== this
  }

  /** Octets that each piece has besides its body, approximately. */
  get #overhead(): number {
    const { after, before } = this.#headers
    return this.#lines.length + before.length + after.length
  }

  #emitHeld(): void {
    const held = this.#held
    if (held.length === 0) return
    this.#held = NO_LINES
    this.#emit(held, 0, held.length, held.length >= HYPHENS)
  }

  #emit(buf: Buffer, start: number, end: number, hyphens: boolean): void {
    if (start === end) return
    if (this.#target.openChunk !== this) this.#begin()
    if (hyphens || this.#tail !== "") return this.#emitSearched(buf, start, end)
    this.#copy(buf, start, end)
    if (buf[end - 1] === DASH) this.#tail = this.#lastOf(buf, start, end)
  }

  /** The end-line of a piece must not occur in its body (RFC 4975 §7.1). Where it would, another piece with another id begins. */
  #emitSearched(buf: Buffer, start: number, end: number): void {
    let at = start
    while (at < end) {
      if (this.#target.openChunk !== this) this.#begin()
      const needle = `-------${this.#id}`
      const seam = this.#tail + buf.toString("latin1", at, Math.min(end, at + needle.length - 1))
      if (this.#tail !== "" && seam.includes(needle)) {
        this.interrupt()
        continue
      }
      const found = buf.subarray(at, end).indexOf(needle, 0, "latin1")
      const to = found === -1 ? end : at + found + 1
      this.#copy(buf, at, to)
      const known = this.#tail + this.#lastOf(buf, at, to)
      this.#tail = known.includes("-") ? known.slice(-needle.length + 1) : ""
      at = to
      if (found !== -1 && this.#target.openChunk === this) this.interrupt()
    }
  }

  /** Copies body in pieces that are no larger than the connection allows. */
  #copy(buf: Buffer, start: number, end: number): void {
    let at = start
    for (let left = this.#left; left < end - at; left = this.#left) {
      this.#put(buf, at, at + left)
      at += left
      if (this.#target.openChunk === this) this.interrupt()
      this.#begin()
    }
    this.#put(buf, at, end)
  }

  /** Octets that the open piece may still have. */
  get #left(): number {
    return this.#target.piece - (this.#next - this.#pieceStart)
  }

  #put(buf: Buffer, start: number, end: number): void {
    this.#outbox.copy(buf, start, end)
    this.#target.shared.counters.bodyOctetsOut += end - start
    this.#next += end - start
    this.#way?.flowPace?.spend(this.#target.now, 0, end - start)
    const transaction = this.#transaction
    if (transaction === undefined || transaction.done) return
    const { expects, window } = transaction
    if (window === undefined || expects !== "every failure") return
    window.wrote(transaction, end - start)
    // Only a whole piece is answered, and later there may be nothing else to write that would end it.
    if (window.full && !this.#finishing) this.interrupt()
  }

  /** The last octets, in which an end-line may begin. */
  #lastOf(buf: Buffer, start: number, end: number): string {
    return buf.toString("latin1", Math.max(start, end - this.#id.length - 6), end)
  }

  #begin(): void {
    const target = this.#target
    target.interrupt()
    this.#id = transactionId()
    this.#tail = ""
    this.#pieceStart = this.#next
    target.shared.counters.sendsOut++
    writeSend(this.#outbox, this.#id, this.#lines)
    const range = byteRangeLine(this.#next, -1, totalOf(this.#total, this.#next, "+"))
    this.#outbox.text(`${this.#headers.before}${range}${this.#headers.after}\r\n`)
    target.openChunk = this
    const expects = expectationOf(this.failureReport)
    const transaction = this.#transaction = new Transaction(target.transactions, this.#id, this.#origin, expects)
    transaction.messageId = this.messageId
    transaction.start = this.#pieceStart
    transaction.total = this.#total
    transaction.chunk = this
    target.transactions.began(transaction)
    if (expects === "refusal") return
    const window = transaction.window = this.#window
    window.begins(transaction, target.now)
  }

  #end(flag: Flag): void {
    writeEndLine(this.#outbox, this.#id, flag, true)
    this.#target.openChunk = undefined
    const transaction = this.#transaction
    this.#transaction = undefined
    if (transaction === undefined) return
    transaction.length = this.#next - this.#pieceStart
    transaction.total = totalOf(this.#total, this.#next - 1, flag)
    if (transaction.expects === "refusal") transaction.finish()
    else if (!transaction.done) this.#target.transactions.ended(transaction)
  }

  /** Ends the open piece, so that something else can be written; the chunk goes on in a further piece. */
  interrupt(): void {
    this.#end("+")
  }

  /** Ends the chunk. `flag`: that of its end-line, or `#` if its sender is gone. */
  finish(flag: Flag): void {
    if (this.refused) return
    this.#finishing = true
    this.#emitHeld()
    // Otherwise the piece before has ended with + already.
    if (this.#target.openChunk === this || flag !== "+") {
      if (this.#target.openChunk !== this) this.#begin()
      this.#end(flag)
    }
    this.#shed()
  }

  /** Nothing more is written, so it keeps only what the answers need. */
  #shed(): void {
    this.#way = undefined
    this.#lines = this.#held = NO_LINES
    this.#headers = NO_HEADERS
  }

  /**
   * Octets of memory that it takes until its end is written: each piece needs its headers again. Its paths count too: if many
   * chunks fail at once, each causes a REPORT along one of these paths, which may wait for a peer that does not read.
   */
  get octets(): number {
    return STREAM + this.#overhead + this.#held.length
  }

  /** Octets of the open piece so far. */
  get pieceLength(): number {
    return this.#next - this.#pieceStart
  }

  /** Ends the chunk with `#`, because a piece failed, which was reported, and blocks the rest of its message (RFC 4975 §10.5). */
  refuse(why: string): void {
    if (this.refused) return
    this.refused = true
    if (!this.isLast) this.#origin.block(this.messageId, why)
    if (this.#target.openChunk === this) this.#end("#")
    this.#shed()
  }

  /** The transaction of the open piece, if nothing more goes out, so that it can be neither ended nor answered. */
  get #lost(): Transaction | undefined {
    return this.#target.shut && this.#transaction?.done === false ? this.#transaction : undefined
  }

  /**
   * The target cannot be reached. `octets`: how many came in and were not passed on. `flag`: that of the chunk, or `+` if its end
   * is still to come.
   */
  fail(loss: Loss, octets: number, flag: Flag): void {
    if (this.refused) return
    const lost = this.#lost
    // Finished before the report, so that the sender gets one REPORT, and not another one for what is written.
    lost?.finish()
    if (this.failureReport !== "no") {
      const start = lost === undefined ? this.#next : this.#pieceStart
      const length = this.#next - start + octets + this.#held.length
      const piece: Piece = {
        messageId: this.messageId,
        start,
        length,
        total: totalOf(this.#total, start + length - 1, flag)
      }
      this.#origin.report(piece, loss)
    } else this.#origin.lost(loss, Kind.Send)
    this.refuse(restOf(loss))
  }
}
