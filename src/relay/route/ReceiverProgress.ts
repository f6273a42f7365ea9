/** What a receiver had done at a time: whoever waits for him sees whether he has done anything since. */
import type { Way } from "./Way.ts"

export class ReceiverProgress {
  readonly #way: Way
  readonly #answers: number
  readonly #opened: number
  /** What he had taken, if that is what is waited for. */
  readonly #taken: number | undefined
  /** Milliseconds of the monotonic clock. */
  readonly at: number

  constructor(way: Way, forAnswers: boolean) {
    const { target: { outbox, shared: { turn } }, window } = way
    this.#way = way
    this.#answers = window.answers
    this.#opened = window.opened
    this.#taken = forAnswers ? undefined : outbox.taken
    this.at = turn.now
  }

  /** He is waited for to take octets, not to answer. */
  get forOctets(): boolean {
    return this.#taken !== undefined
  }

  /** Since then he has answered half of what may be without an answer, though that may have filled up again. */
  get halfAnswered(): boolean {
    return this.#opened !== this.#way.window.opened
  }

  /** He has done nothing since then. */
  get unchanged(): boolean {
    const { target: { outbox }, window } = this.#way
    return this.#answers === window.answers && (this.#taken === undefined || this.#taken === outbox.taken)
  }
}
