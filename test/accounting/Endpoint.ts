/** One connection to the relay as a script sees it: it writes octets, and enters in the books what comes. */
import { Decoder, type FrameSink } from "../../src/protocol/Decoder.ts"
import { encodeRequest, encodeResponse } from "../../src/protocol/Encoder.ts"
import { type Head, Kind } from "../../src/protocol/Head.ts"
import type { Connection, Receiver } from "../../src/Transport.ts"
import type { Ledger, Piece } from "./Ledger.ts"
import type { Answer, Flag } from "./Scenario.ts"

/** Milliseconds for which the relay waits for an answer, and for which those do who share a connection (the limit `hold`). */
const TRANSACTION = 30_000
const HOLD = 2000

export class Endpoint implements Receiver, FrameSink {
  readonly name: string
  readonly #ledger: Ledger
  #answers: ReadonlyArray<Answer>
  readonly #later: (delay: number, run: () => void) => void
  readonly #decoder = new Decoder(this)
  #turn = 0
  /** Requests that it has answered. */
  #answered = 0
  connection!: Connection
  gone = false
  /** Octets that may still be written. */
  #budget = Infinity
  #queue: Array<Buffer> = []
  /** Octets that were to be written, and that were. */
  #wanted = 0
  passed = 0
  #sips = false
  #ending = false
  /** Transaction ids of requests that came. */
  readonly #seen = new Set<string>()
  #piece: Piece | undefined
  /** What is to be done with the end of the piece. */
  #atEnd: (() => void) | undefined
  readonly grants = new Map<string, (usePath: string) => void>()

  constructor(
    name: string,
    ledger: Ledger,
    answers: ReadonlyArray<Answer>,
    later: (delay: number, run: () => void) => void
  ) {
    this.name = name
    this.#ledger = ledger
    this.#answers = answers
    this.#later = later
  }

  readonly accept = (connection: Connection): this => {
    this.connection = connection
    return this
  }

  /** From now on it answers as it should. */
  recover(answers: ReadonlyArray<Answer>): void {
    this.#answers = answers
  }

  // ---- octets

  /** Gives the output up to and including these octets. */
  write(octets: Buffer): number {
    this.#queue.push(octets)
    this.#wanted += octets.length
    this.#drain()
    return this.#wanted
  }

  throttle(octets: number): void {
    this.#budget = octets
    this.#drain()
  }

  #drain(): void {
    while (this.#queue.length > 0 && this.#budget > 0) {
      const octets = this.#queue[0]!
      const part = octets.subarray(0, this.#budget)
      if (part.length === octets.length) this.#queue.shift()
      else this.#queue[0] = octets.subarray(part.length)
      this.#budget -= part.length
      this.passed += part.length
      this.connection.write(part, () => {}, part.length === octets.length ? [part.length] : [])
    }
  }

  pause(): void {
    if (!this.#ending) this.connection.pause()
  }

  /** Closes after what was written. It reads on, since what comes to a connection that was ended and paused is lost. */
  end(): void {
    this.resume()
    this.#ending = true
    this.connection.end()
  }

  resume(): void {
    this.#sips = false
    this.connection.resume()
  }

  /** Reads one piece, then no more. */
  sip(): void {
    this.#sips = !this.#ending
    this.connection.resume()
  }

  readonly bytes = (chunk: Buffer): void => {
    if (this.#sips) {
      this.#sips = false
      this.connection.pause()
    }
    this.#decoder.push(chunk)
  }

  readonly closed = (): void => {
    this.gone = true
  }

  readonly broken = (reason: string): void => this.#ledger.fault(`${this.name}: the relay's output is ${reason}`)

  // ---- frames

  readonly frame = (head: Head, start: number, end: number, flag: Flag): boolean => {
    if (head.problem !== undefined) this.#ledger.fault(`${this.name}: ${head.problem}`)
    else if (head.kind === Kind.Response) this.#response(head)
    else if (head.kind === Kind.Send) {
      this.#begin(head)
      this.chunkBody(head.buf, start, end)
      this.chunkEnd(flag)
    } else {
      this.#newId(head)
      if (head.kind === Kind.Report) this.#ledger.report(this, head)
      else this.#answer(head, true, undefined)?.()
    }
    return true
  }

  #newId(head: Head): void {
    const id = head.transactionId
    this.#ledger.check(!this.#seen.has(id), () => `${this.name}: transaction id ${id} again`)
    this.#seen.add(id)
  }

  #response(head: Head): void {
    const usePath = head.header("Use-Path")
    const grant = this.grants.get(head.transactionId)
    if (grant !== undefined) {
      this.grants.delete(head.transactionId)
      return usePath === undefined ? undefined : grant(usePath)
    }
    this.#ledger.response(this, head)
  }

  readonly chunkStart = (head: Head): void => {
    if (head.problem !== undefined || head.kind !== Kind.Send) {
      return this.#ledger.fault(`${this.name}: ${head.problem ?? "a long frame that is no SEND"}`)
    }
    this.#begin(head)
  }

  readonly chunkBody = (buf: Buffer, start: number, end: number): void => {
    if (this.#piece !== undefined) this.#ledger.octets(this.#piece, buf, start, end)
  }

  readonly chunkEnd = (flag: Flag): void => {
    const piece = this.#piece
    this.#piece = undefined
    if (piece === undefined) return
    this.#ledger.ended(piece, flag)
    this.#atEnd?.()
    const { message } = piece
    if (flag !== "$" || !message.plan.successReport) return
    message.successesSent++
    this.write(encodeRequest({
      transactionId: `r${message.id}`,
      method: "REPORT",
      toPath: message.direction.arrivingFrom,
      fromPath: message.direction.arrivingTo,
      headers: [
        ["Message-ID", message.id],
        ["Byte-Range", `1-${message.total}/${message.total}`],
        ["Status", "000 200 OK"]
      ]
    }))
  }

  #begin(head: Head): void {
    this.#newId(head)
    const piece = this.#piece = this.#ledger.began(this, head)
    this.#atEnd = piece === undefined ? undefined : this.#answer(head, false, piece)
  }

  /** What answers the request at its end; an early answer is given at once. */
  #answer(head: Head, whole: boolean, piece: Piece | undefined): (() => void) | undefined {
    const { failureReport, fromPath, toPath, transactionId } = head
    const { delay, status, when } = this.#answers[this.#turn++ % this.#answers.length]!
    if (piece !== undefined && (failureReport === "no" || (failureReport === "partial" && status < 300))) {
      // Without responses, having arrived is all there is.
      piece.answered = piece.heard = 200
      return undefined
    }
    const write = (id: string): void => {
      this.write(encodeResponse({
        transactionId: id,
        status,
        comment: "as the script wants",
        toPath: whole ? fromPath : fromPath.split(" ", 1)[0]!,
        fromPath: toPath
      }))
    }
    const before = this.#answered
    const give = (): void => {
      this.#answered++
      // Who has answered something meanwhile is given more time.
      if (piece !== undefined && this.#answered - before > 1) piece.mayBeHeard = true
      if (piece !== undefined) piece.answered ??= status
      write(transactionId)
    }
    const inTime = when !== "never" && when !== "unknown" && (when !== "late" || delay < TRANSACTION)
    if (piece !== undefined) {
      if (inTime) piece.heard = status
      piece.slow = !inTime || (when === "late" && delay >= HOLD)
    }
    switch (when) {
      case "now":
        return give
      case "early":
        if (status < 300) return give
        give()
        return undefined
      case "late":
        return () => this.#later(delay, give)
      case "never":
        return undefined
      case "twice":
        return () => {
          give()
          give()
        }
      case "unknown":
        return () => write(`x${transactionId}`)
    }
  }
}
