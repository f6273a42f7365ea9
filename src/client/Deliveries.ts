/**
 * What REPORTs say about sent messages: that one with Success-Report was delivered, or that one under way has failed (RFC 4975
 * §7.1.2).
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ClientError } from "./ClientError.ts"
import { failed, type Report } from "./Report.ts"

/** Messages whose REPORTs are awaited at a time. Beyond it, the oldest fails with `NoReport`. */
export const MAX_AWAITED_REPORTS = 16_384
/** Separate ranges of one message that REPORTs may be about. */
const MAX_PARTS = 1024

/** One message whose REPORT is awaited. */
export class Delivery {
  readonly #outcome = Deferred.makeUnsafe<Report, ClientError>()
  /** Ranges of octets that REPORTs were about, in order and without overlap. `behind` is not included. */
  readonly #parts: Array<readonly [from: number, behind: number]> = []
  readonly #from: number
  #behind: number | undefined
  #last: Report | undefined

  /** `from`: position in the message of the first octet that is sent, from 1. */
  constructor(from: number) {
    this.#from = from
  }

  /** Completes with the success REPORT after which all octets are covered. */
  get outcome(): Effect.Effect<Report, ClientError> {
    return Deferred.await(this.#outcome)
  }

  fail(error: ClientError): void {
    Deferred.doneUnsafe(this.#outcome, Exit.fail(error))
  }

  /** Sets how many octets were sent. True if REPORTs cover all of them. */
  sent(octets: number): boolean {
    this.#behind = this.#from + octets
    return this.#check()
  }

  /** Adds a success REPORT. True if REPORTs now cover all octets. */
  succeeded(report: Report): boolean {
    const { byteRange } = report
    this.#last = report
    let from = byteRange?.start ?? this.#from
    let behind = (byteRange?.end ?? Infinity) + 1
    const parts = this.#parts
    let at = 0
    while (at < parts.length && parts[at]![1] < from) at++
    let joined = 0
    for (let part = parts[at]; part !== undefined && part[0] <= behind; part = parts[at + ++joined]) {
      from = Math.min(from, part[0])
      behind = Math.max(behind, part[1])
    }
    if (joined === 0 && parts.length >= MAX_PARTS) return false
    parts.splice(at, joined, [from, behind])
    return this.#check()
  }

  #check(): boolean {
    const [first] = this.#parts
    if (this.#last === undefined || this.#behind === undefined || first === undefined) return false
    if (first[0] > this.#from || first[1] < this.#behind) return false
    Deferred.doneUnsafe(this.#outcome, Exit.succeed(this.#last))
    return true
  }
}

/** The sent messages of one connection that REPORTs may be about, by Message-ID. */
export class Deliveries {
  readonly #awaited = new Map<string, Delivery>()
  /** Called when a message under way has failed. */
  readonly #underWay = new Map<string, (error: ClientError) => void>()

  /** Calls `failed` for a failure REPORT with this Message-ID, until the returned function is called. */
  watch(messageId: string, failed: (error: ClientError) => void): () => void {
    this.#underWay.set(messageId, failed)
    return () => {
      if (this.#underWay.get(messageId) === failed) this.#underWay.delete(messageId)
    }
  }

  /** Called before the first octet is sent. */
  expect(messageId: string, from: number): Delivery {
    const delivery = new Delivery(from)
    this.#giveUp(messageId, "another message took its Message-ID")
    const [oldest] = this.#awaited.keys()
    if (oldest !== undefined && this.#awaited.size >= MAX_AWAITED_REPORTS) {
      this.#giveUp(oldest, "too many REPORTs are awaited")
    }
    this.#awaited.set(messageId, delivery)
    return delivery
  }

  #giveUp(messageId: string, message: string): void {
    const delivery = this.#awaited.get(messageId)
    this.#awaited.delete(messageId)
    delivery?.fail(new ClientError({ reason: "NoReport", message }))
  }

  /** All `octets` of the message were sent. */
  sent(messageId: string, delivery: Delivery, octets: number): void {
    if (delivery.sent(octets)) this.forget(messageId, delivery)
  }

  forget(messageId: string, delivery: Delivery): void {
    if (this.#awaited.get(messageId) === delivery) this.#awaited.delete(messageId)
  }

  reported(report: Report): void {
    const { messageId = "", status } = report
    const delivery = this.#awaited.get(messageId)
    if (status < 300) {
      if (status >= 200 && delivery?.succeeded(report) === true) this.forget(messageId, delivery)
      return
    }
    // Deleted first, because the waiting fiber resumes at once and may send the same Message-ID again.
    this.#awaited.delete(messageId)
    const error = failed(report)
    delivery?.fail(error)
    this.#underWay.get(messageId)?.(error)
  }

  close(error: ClientError): void {
    for (const fail of this.#underWay.values()) fail(error)
    for (const delivery of this.#awaited.values()) delivery.fail(error)
    this.#awaited.clear()
  }
}

export const notAsked: Effect.Effect<never, ClientError> = Effect.suspend(() =>
  Effect.fail(new ClientError({ reason: "NoReport", message: "no success REPORT was asked for" }))
)
