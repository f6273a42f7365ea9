/**
 * The 200 to a request that waits for a slow receiver. It is sent when the request is, so that a sender that waits for answers is
 * slowed down; but early enough for the previous hop, which otherwise gives up a request that will arrive (RFC 4976 §6.4.1).
 */
import { stopTimer, Timed } from "../Timers.ts"
import type { Way } from "./Way.ts"

export class DelayedAnswer extends Timed {
  readonly #way: Pick<Way, "accept" | "target">
  readonly #tid: Buffer
  #given = false

  /** `tid`: the transaction id of the request. */
  constructor(way: Pick<Way, "accept" | "target">, tid: Buffer) {
    super()
    this.#way = way
    this.#tid = tid
    way.target.shared.limits.delayed.start(this)
  }

  /** Sends the 200, unless that is done. */
  give(): void {
    if (this.#given) return
    this.#given = true
    stopTimer(this)
    this.#way.accept(this.#tid, 0, this.#tid.length)
  }

  override expired(): void {
    this.give()
  }
}
