/**
 * The books: what every sender sent, what was answered and reported to it, and what arrived. Each entry is checked when
 * it is made; `balance` checks at the end that nothing is missing.
 */
import type { Head } from "../../src/protocol/Head.ts"
import type { FailureReport, Flag, Message as Sending, Mood } from "./Scenario.ts"

/** A connection as the books see it. */
export interface Writer {
  readonly name: string
  readonly gone: boolean
  /** Octets that it has written. */
  readonly passed: number
  /** Gives the output up to and including these octets. */
  write(octets: Buffer): number
}

/** One direction of a dialog, with the paths as they are at its two ends. */
export interface Direction {
  readonly name: string
  readonly toPath: string
  readonly fromPath: string
  /** What the receiver must see. */
  readonly arrivingTo: string
  readonly arrivingFrom: string
  /** From-Paths of what the relays on the way report. */
  readonly reporters: ReadonlyArray<string>
  /** Its sessions end while it is used. */
  readonly brief: boolean
  /** Indexes of its two ends. */
  readonly ends: readonly [from: number, to: number]
  readonly source: () => Writer | undefined
}

/** One SEND as its sender wrote it. Positions count from 0. */
export interface Chunk {
  readonly message: Message
  readonly id: string
  readonly source: Writer
  /** Milliseconds. */
  readonly writtenAt: number
  readonly start: number
  readonly length: number
  readonly flag: Flag
  readonly hasBody: boolean
  /** As declared in Byte-Range; -1 is `*`. */
  readonly rangeEnd: number
  readonly rangeTotal: number
  /** The output of its connection up to and including its last octet. */
  endsAt: number
  status: number | undefined
}

/** One SEND as it came out. */
export interface Piece {
  readonly message: Message
  readonly endpoint: Writer
  readonly id: string
  readonly start: number
  readonly rangeEnd: number
  readonly rangeTotal: number
  readonly hasBody: boolean
  length: number
  flag: Flag | undefined
  /** What the receiver has said. */
  answered: number | undefined
  /** What the relay hears in time: 408 stands for nothing. */
  heard: number
  /** Its answer came late, behind others of the same receiver: the relay may have waited for it. */
  mayBeHeard: boolean
  /** Its receiver does not answer, or so late that nobody who shares a connection waits for him. */
  slow: boolean
}

export interface Report {
  readonly start: number
  readonly length: number
  readonly status: number
  readonly from: string
}

export class Message {
  readonly id: string
  readonly direction: Direction
  readonly plan: Sending
  readonly source: Writer
  /** Where its octets stand in `content`. */
  readonly offset: number
  readonly chunks: Array<Chunk> = []
  readonly pieces: Array<Piece> = []
  readonly reports: Array<Report> = []
  /** Octets sent. */
  sent = 0
  /** The first octet that may still come, on each connection; what came in on an older one may be read later. */
  readonly next = new Map<Writer, number>()
  /**
   * What the far relay says of it may not come back: the link was lost that it came by, or the session ends before, whose
   * URI the way back has.
   */
  severed: boolean
  successes = 0
  successesSent = 0

  constructor(id: string, direction: Direction, plan: Sending, source: Writer, offset: number) {
    this.id = id
    this.direction = direction
    this.severed = this.linked && direction.brief
    this.plan = plan
    this.source = source
    this.offset = offset
  }

  /** It passes two relays. */
  get linked(): boolean {
    return this.direction.reporters.length > 1
  }

  get failureReport(): "yes" | "partial" | "no" {
    const { failureReport } = this.plan
    return failureReport === "absent" ? "yes" : failureReport
  }

  get total(): number {
    return this.plan.chunks.reduce((sum, octets) => sum + octets, 0)
  }
}

/** A request whose answer is awaited. */
export interface Request {
  readonly source: Writer
  readonly chunk: Chunk | undefined
  readonly mayBeAnswered: boolean
  /** The relay itself has to answer, as soon as all of it is there. */
  readonly mustBeAnswered: boolean
  readonly failureReport: FailureReport
  endsAt: number
  status: number | undefined
}

/** The octets of all messages; with much in it that looks like the beginning of an end-line. */
export const content: Buffer = (() => {
  const octets = Buffer.allocUnsafe(2 ** 21)
  let state = 12_345
  for (let i = 0; i < octets.length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    octets[i] = state >>> 24
  }
  const traps = ["\r\n-------", "\r\n-------abcd$\r\n", "-------", "\r\n\r\n", "\r", "----------------"]
  for (let at = 50, i = 0; at < octets.length - 100; at += 100 + (octets[at]! << 1), i++) {
    octets.write(traps[i % traps.length]!, at, "latin1")
  }
  return octets
})()

/** Octets up to which a piece must say where it ends (RFC 4975 §7.1.1). */
const SHORT = 2048

/** Octets of body with which, unanswered, a receiver may get nothing more: what was full is so until half of it is free. */
const MUCH_UNANSWERED = 65_536

/** With Failure-Report partial the relay tells by REPORT what it would otherwise answer. */
const ownRefusal = ({ failureReport }: Message, status: number): boolean =>
  failureReport === "partial" && (status === 413 || status === 481 || status === 506)

export class Ledger {
  readonly mood: Mood
  /** The relays bound what has no answer, so that they may refuse some themselves. */
  readonly #refuses: boolean
  /** The operator has ended sessions: what was on its way through one may be reported 481. */
  sessionsEnded = false
  /** The relays end, and refuse with 408 what comes still. */
  closing = false
  readonly faults: Array<string> = []
  readonly messages = new Map<string, Message>()
  readonly requests = new Map<string, Request>()

  constructor(mood: Mood, refuses: boolean) {
    this.mood = mood
    this.#refuses = refuses
  }

  fault(what: string): void {
    if (this.faults.length < 10) this.faults.push(what)
  }

  check(right: boolean, what: () => string): void {
    if (!right) this.fault(what())
  }

  // ---- what arrives

  /** A SEND has begun to arrive; its octets follow. */
  began(endpoint: Writer, head: Head): Piece | undefined {
    const id = head.messageId
    const message = id === undefined ? undefined : this.messages.get(id)
    if (message === undefined) {
      this.fault(`${endpoint.name}: a SEND of an unknown message ${id}`)
      return undefined
    }
    const { direction } = message
    this.check(
      head.toPath === direction.arrivingTo && head.fromPath === direction.arrivingFrom,
      () => `${id}: paths ${head.toPath} | ${head.fromPath}`
    )
    const piece: Piece = {
      message,
      endpoint,
      id: head.transactionId,
      start: head.rangeStart - 1,
      rangeEnd: head.rangeEnd,
      rangeTotal: head.rangeTotal,
      hasBody: head.hasBody,
      length: 0,
      flag: undefined,
      answered: undefined,
      heard: 408,
      mayBeHeard: false,
      slow: false
    }
    const next = message.next.get(endpoint) ?? 0
    // What comes by a new link may pass what waits from the one before.
    this.check(message.severed || piece.start >= next, () => `${id}: octet ${piece.start} again, ${next} was expected`)
    this.check(head.failureReport === message.failureReport, () => `${id}: Failure-Report ${head.failureReport}`)
    this.check(head.successReport === message.plan.successReport, () => `${id}: Success-Report changed`)
    this.check(
      piece.rangeTotal === -1 ? message.plan.range === "open" : piece.rangeTotal === message.total,
      () => `${id}: total ${piece.rangeTotal}`
    )
    message.pieces.push(piece)
    return piece
  }

  octets(piece: Piece, buf: Buffer, start: number, end: number): void {
    const { message } = piece
    const at = piece.start + piece.length
    this.check(at + end - start <= message.sent, () => `${message.id}: octets that were never sent at ${at}`)
    const from = message.offset + at
    this.check(
      buf.compare(content, from, from + end - start, start, end) === 0,
      () => `${message.id}: other octets in ${at}..${at + end - start}`
    )
    piece.length += end - start
    message.next.set(piece.endpoint, piece.start + piece.length)
  }

  ended(piece: Piece, flag: Flag): void {
    const { length, message, rangeEnd, start } = piece
    piece.flag = flag
    const end = start + length
    const what = (): string =>
      `${message.id}: piece ${start}..${end} ${start + 1}-${rangeEnd}/${piece.rangeTotal}${flag}`
    const chunk = length > 0
      ? message.chunks.find((one) => start >= one.start && start < one.start + one.length)
      : message.chunks.find((one) => start === one.start && one.length === 0 && one.flag === flag) ??
        message.chunks.find((one) => start >= one.start && start <= one.start + one.length)
    if (chunk === undefined) return this.fault(`${what()}: of no chunk`)
    this.check(end <= chunk.start + chunk.length, () => `${what()}: beyond its chunk`)
    this.check(piece.hasBody === chunk.hasBody, () => `${what()}: body or no body`)
    const declared = chunk.rangeEnd === -1 ? chunk.rangeTotal : chunk.rangeEnd
    const long = chunk.length > SHORT || (declared !== -1 && declared - chunk.start > SHORT)
    this.check(
      rangeEnd === -1 ? long || !chunk.hasBody : rangeEnd === end && length <= SHORT,
      () => `${what()}: range-end`
    )
    const last = end === chunk.start + chunk.length
    if (flag === "$") this.check(chunk.flag === "$" && last, () => `${what()}: $ too early`)
    if (flag === "+") this.check(!last || chunk.flag === "+", () => `${what()}: + instead of ${chunk.flag}`)
    if (flag === "$" && piece.rangeTotal !== -1) this.check(piece.rangeTotal === end, () => `${what()}: total`)
  }

  // ---- what comes back

  response(endpoint: Writer, head: Head): void {
    const { status } = head
    const request = this.requests.get(head.transactionId)
    if (request === undefined || request.source !== endpoint) {
      return this.fault(`${endpoint.name}: response ${status} to nothing`)
    }
    const { chunk, failureReport } = request
    const what = (): string => `${chunk?.message.id ?? head.transactionId}: response ${status}`
    this.check(request.status === undefined, () => `${what()} after ${request.status}`)
    this.check(request.mayBeAnswered, () => `${what()} with Failure-Report ${failureReport}`)
    request.status = status
    if (chunk !== undefined) chunk.status = status
  }

  report(endpoint: Writer, head: Head): void {
    const status = Number(head.header("Status")?.split(" ")[1])
    const message = this.messages.get(head.messageId ?? "")
    if (message === undefined) return this.strayReport(endpoint, head, status)
    const what = (): string => `${message.id}: REPORT ${status} ${head.header("Byte-Range")}`
    this.check(head.toPath === message.direction.fromPath, () => `${what()} to ${head.toPath}`)
    if (status === 200) {
      this.check(++message.successes <= message.successesSent, () => `${what()} once too often`)
      return
    }
    this.check(message.source === endpoint, () => `${what()} on ${endpoint.name}`)
    this.check(message.direction.reporters.includes(head.fromPath), () => `${what()} from ${head.fromPath}`)
    this.check(message.failureReport !== "no", () => `${what()} is not wanted`)
    // Who comes again before the relay knows that his connection is gone uses somebody else's session (RFC 4976 §6.4).
    const stranger = status === 403 && message.failureReport === "partial"
    // The far relay refuses as well, which the near one reports: more of a message that has failed (RFC 4975 §10.5), of
    // which the sender may hear later, and what is for a session that is over.
    const refusedFar = message.linked && (status === 413 || this.#rough && (status === 403 || status === 481))
    const said = message.pieces.some(({ answered }) => answered === status)
    this.check(
      status === 408 || said || stranger || refusedFar || ownRefusal(message, status) ||
        (this.sessionsEnded && status === 481),
      () => `${what()}, which nobody said`
    )
    const start = head.rangeStart - 1
    const report: Report = { start, length: head.rangeEnd - start, status, from: head.fromPath }
    const end = report.start + report.length
    this.check(head.rangeEnd !== -1 && end <= message.sent, () => `${what()}: only ${message.sent} octets were sent`)
    this.check(
      head.rangeTotal === -1 ? message.plan.range === "open" : head.rangeTotal === message.total,
      () => `${what()}: total`
    )
    // A far relay answers late when its receiver is slow. After 30 seconds the near one reports what the far one then
    // delivers, or reports as well (RFC 4976 §6.4.1 has each relay report what it hears nothing of).
    if (message.linked && this.#rough) return void message.reports.push(report)
    // So it is when its receiver has as much without an answer as it may have; each relay has cut it in pieces of its own.
    const others = message.linked && status === 408
      ? message.reports.filter((other) => other.status !== 408 || other.from === head.fromPath)
      : message.reports
    for (const other of others) {
      const overlap = Math.min(end, other.start + other.length) > Math.max(report.start, other.start)
      this.check(!overlap, () => `${what()} again, after ${other.start + 1}+${other.length} ${other.status}`)
    }
    for (const chunk of message.chunks) {
      if (chunk.status === undefined || chunk.status < 300 || chunk.length === 0) continue
      const overlap = Math.min(end, chunk.start + chunk.length) > Math.max(report.start, chunk.start)
      this.check(!overlap, () => `${what()} after a response ${chunk.status}`)
    }
    message.reports.push(report)
  }

  /** Time passes, and receivers may be slow, or gone. */
  get #rough(): boolean {
    return this.mood === "wild" || this.mood === "fair"
  }

  strayReport(endpoint: Writer, head: Head, status: number): void {
    this.check(
      head.messageId?.startsWith("stray-partial") === true && (status === 481 || (this.closing && status === 408)),
      () => `${endpoint.name}: REPORT ${status} for ${head.messageId}`
    )
  }

  /** Is it known what became of a chunk: it has arrived, or its sender was told that it has not. */
  settled({ flag, length, message, start, status }: Chunk): boolean {
    if (message.reports.length > 0 || (status !== undefined && status >= 300)) return true
    if (status === undefined && message.failureReport === "yes") return false
    if (length === 0 || flag === "#") return true
    const end = start + length
    const arrived = message.pieces.reduce(
      (sum, piece) => sum + Math.max(0, Math.min(end, piece.start + piece.length) - Math.max(start, piece.start)),
      0
    )
    return arrived >= length
  }

  // ---- the balance

  /** The relays have ended; these were there until then, and have read all. */
  closed(there: ReadonlySet<Writer>): void {
    for (const message of this.messages.values()) if (there.has(message.source)) this.#balance(message)
  }

  balance(): void {
    for (const [id, request] of this.requests) {
      const { chunk, mustBeAnswered, source, status } = request
      if (source.gone || source.passed < request.endsAt) continue
      this.check(!mustBeAnswered || status !== undefined, () => `${chunk?.message.id ?? id}: no response`)
    }
    for (const message of this.messages.values()) {
      this.#balance(message)
      if (!this.#rough) this.#exact(message)
      if (this.mood === "calm") this.#complete(message)
    }
  }

  /** What is reported was not sent on, since the receiver had more without an answer than it may have. */
  #unsent({ direction, linked, pieces }: Message, { length, start, status }: Report): boolean {
    if (status !== 408 || !this.#isMuchSlow((one) => one.direction.ends[1] === direction.ends[1])) return false
    // The near relay has sent it, and has no answer while the far one waits.
    return linked || pieces.every((piece) => piece.start >= start + length || piece.start + piece.length <= start)
  }

  /** Is so much of these messages with slow receivers that nothing more is sent to them. */
  #isMuchSlow(is: (message: Message) => boolean): boolean {
    const slow = [...this.messages.values()].filter(is).flatMap(({ pieces }) => pieces.filter((piece) => piece.slow))
    return slow.reduce((sum, { length }) => sum + length, 0) >= MUCH_UNANSWERED
  }

  /**
   * The relay may have waited longer for the answer: its receiver has given others meanwhile, or is not read, since those are
   * slow whom he writes to himself.
   */
  #mayBeHeard({ endpoint, mayBeHeard }: Piece): boolean {
    return mayBeHeard || this.#isMuchSlow(({ source }) => source === endpoint)
  }

  /** Nothing came between: each piece is reported as its receiver answered it, once, or not at all. */
  #exact(message: Message): void {
    const { failureReport, id, pieces, reports } = message
    const left = [...reports]
    for (const piece of pieces) {
      const { answered, heard, length, start } = piece
      if (heard < 300 || failureReport === "no") continue
      const mayBeHeard = this.#mayBeHeard(piece)
      // Silence is no failure then, and yet the relay may have waited for what was answered later.
      const isFine = failureReport === "partial" && heard === 408
      if (isFine && !mayBeHeard) continue
      const i = left.findIndex((one) =>
        one.start === start && one.length === length &&
        (one.status === heard || (mayBeHeard && one.status === answered))
      )
      const waitedFor = mayBeHeard && (isFine || (answered !== undefined && answered < 300))
      this.check(i !== -1 || waitedFor, () => `${id}: no REPORT ${heard} for ${start}..${start + length}`)
      if (i !== -1) left.splice(i, 1)
    }
    const strange = left.filter((report) =>
      !ownRefusal(message, report.status) && !(message.linked && report.status === 413) &&
      !this.#unsent(message, report)
    )
    this.check(strange.length === 0, () => `${id}: a REPORT of nothing: ${JSON.stringify(strange)}`)
  }

  #complete(message: Message): void {
    const { id, pieces, sent } = message
    const end = pieces.at(-1)
    this.check(
      pieces.reduce((sum, { length }) => sum + length, 0) === sent && end?.flag === message.chunks.at(-1)?.flag,
      () => `${id}: incomplete`
    )
  }

  #balance(message: Message): void {
    const { direction, id, pieces, reports, source } = message
    let behind = 0
    for (const { length, start } of pieces.toSorted((a, b) => a.start - b.start)) {
      this.check(start >= behind, () => `${id}: octet ${start} came twice`)
      behind = Math.max(behind, start + length)
    }
    for (const piece of pieces) {
      if (piece.flag !== "#") continue
      const aborted = message.chunks.some((chunk) =>
        chunk.flag === "#" && piece.start + piece.length === chunk.start + chunk.length
      )
      this.check(
        aborted || source.gone || reports.length > 0 || message.failureReport === "no" ||
          // It was told to the near relay.
          message.severed ||
          // A link was lost, of which those hear nothing who do not want answers.
          message.linked && this.#rough && message.failureReport !== "yes" ||
          piece.answered !== undefined && piece.answered >= 300,
        () => `${id}: # at ${piece.start} without cause`
      )
    }
    // When only the link was lost, the far relay reports by another.
    if ((this.closing ? message.severed : source.gone) || direction.brief || this.sessionsEnded) return
    const failed = reports.some(({ status }) => status !== 413) ||
      pieces.some(({ answered }) => answered !== undefined && answered >= 300)
    this.check(
      failed || reports.length === 0 || !message.linked || this.#refuses,
      () => `${id}: REPORT 413, which nobody said`
    )
    if (message.failureReport !== "yes") return
    for (const chunk of message.chunks) {
      if (chunk.status !== 200) continue
      const end = chunk.start + chunk.length
      const accounted = [
        ...pieces.filter((piece) => piece.flag !== undefined && piece.answered !== undefined && piece.answered < 300)
          .map((piece) => ({ from: piece.start, to: piece.start + piece.length })),
        // What follows in the same chunk is not sent after a failure of its beginning: the sender knows.
        ...reports.map(({ length, start }) => ({
          from: start,
          // So it is with what follows in the message, where a relay has passed the REPORT on (RFC 4975 §10.5).
          to: message.linked && start < end || start >= chunk.start && start < end ? end : start + length
        }))
      ].toSorted((a, b) => a.from - b.from)
      if (chunk.length === 0) {
        const here = pieces.some((piece) =>
          piece.length === 0 && piece.start === chunk.start && piece.answered !== undefined && piece.answered < 300
        ) || reports.some((report) =>
          report.length === 0 && report.start === chunk.start
        )
        this.check(here, () => `${id}: an empty chunk was answered 200 and lost`)
        continue
      }
      let at = chunk.start
      for (const { from, to } of accounted) if (from <= at && to > at) at = to
      this.check(at >= end, () => `${id}: octets from ${at} of ${chunk.start}..${end} were answered 200 and lost`)
    }
  }
}
