/** Messages that were sent with Success-Report, and what their receivers say of them (RFC 4975 §7.1.2). */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ClientError } from "./ClientError.ts"
import { failed, type Report } from "./Report.ts"

/** Messages whose REPORT is awaited at a time: beyond it the oldest is given up. */
export const MAX_AWAITED_REPORTS = 16_384
/** Parts of one message that REPORTs may be about, before they join. */
const MAX_PARTS = 1024

/** One message whose REPORT is awaited. */
export class Delivery {
  readonly #outcome = Deferred.makeUnsafe<Report, ClientError>()
  /** Octets that REPORTs have been about, in order and apart: the first, and the one behind the last. */
  readonly #parts: Array<readonly [from: number, behind: number]> = []
  readonly #from: number
  #behind: number | undefined
  #last: Report | undefined

  /** `from`: number of the first octet in its message. */
  constructor(from: number) {
    this.#from = from
  }

  /** Completes with the success REPORT that leaves nothing out. */
  get outcome(): Effect.Effect<Report, ClientError> {
    return Deferred.await(this.#outcome)
  }

  fail(error: ClientError): void {
    Deferred.doneUnsafe(this.#outcome, Exit.fail(error))
  }

  /** So many octets were sent. True when REPORTs have been about all of them. */
  sent(octets: number): boolean {
    this.#behind = this.#from + octets
    return this.#check()
  }

  /** True when it was the last one. */
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

/** All of one connection, by Message-ID. */
export class Deliveries {
  readonly #awaited = new Map<string, Delivery>()

  /** Before the first octet is sent. */
  expect(messageId: string, from: number): Delivery {
    const delivery = new Delivery(from)
    this.#giveUp(messageId, "another message with its Message-ID was sent")
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

  /** All of it is on its way. */
  sent(messageId: string, delivery: Delivery, octets: number): void {
    if (delivery.sent(octets)) this.forget(messageId, delivery)
  }

  forget(messageId: string, delivery: Delivery): void {
    if (this.#awaited.get(messageId) === delivery) this.#awaited.delete(messageId)
  }

  reported(report: Report): void {
    const { messageId = "", status } = report
    const delivery = this.#awaited.get(messageId)
    if (delivery === undefined || status < 200) return
    if (status < 300) {
      if (delivery.succeeded(report)) this.forget(messageId, delivery)
      return
    }
    // First: who waits for it goes on at once, and may send again.
    this.#awaited.delete(messageId)
    delivery.fail(failed(report))
  }

  close(error: ClientError): void {
    for (const delivery of this.#awaited.values()) delivery.fail(error)
    this.#awaited.clear()
  }
}

export const notAsked: Effect.Effect<never, ClientError> = Effect.suspend(() =>
  Effect.fail(new ClientError({ reason: "NoReport", message: "no success REPORT was asked for" }))
)
