/** What a receiver had done at some moment, to find out later whether it has done anything since. */
import type { Way } from "./Way.ts"

export class ReceiverProgress {
  readonly #way: Way
  readonly #answers: number
  readonly #opened: number
  /** Octets that the connection had taken, if that is what is waited for. */
  readonly #taken: number | undefined
  /** The moment, in milliseconds of the monotonic clock. */
  readonly at: number

  constructor(way: Way, forAnswers: boolean) {
    const { target: { outbox, shared: { turn } }, window } = way
    this.#way = way
    this.#answers = window.answers
    this.#opened = window.opened
    this.#taken = forAnswers ? undefined : outbox.taken
    this.at = turn.now
  }

  /** Whether the receiver is waited for to take octets, rather than to answer. */
  get forOctets(): boolean {
    return this.#taken !== undefined
  }

  /** Whether the receiver has since answered half of what may be unanswered, even if the window has filled up again. */
  get halfAnswered(): boolean {
    return this.#opened !== this.#way.window.opened
  }

  /** Whether the receiver has done nothing since. */
  get unchanged(): boolean {
    const { target: { outbox }, window } = this.#way
    return this.#answers === window.answers && (this.#taken === undefined || this.#taken === outbox.taken)
  }
}
