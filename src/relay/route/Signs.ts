/** What a receiver had done at a time: whoever waits for him sees whether he has done anything since. */
import type { Way } from "./Forward.ts"

export class Signs {
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

  /** It is waited for him to take octets, and not for his answers. */
  get areOctets(): boolean {
    return this.#taken !== undefined
  }

  /** He had as much as may be without an answer, and has answered half of it since then, whoever has filled it again. */
  get areHalf(): boolean {
    return this.#opened !== this.#way.window.opened
  }

  /** There are no more since then. */
  get last(): boolean {
    const { target: { outbox }, window } = this.#way
    return this.#answers === window.answers && (this.#taken === undefined || this.#taken === outbox.taken)
  }
}
