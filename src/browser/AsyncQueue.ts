/** A queue that is read with `for await`. */

/** Entries that may wait. */
export const MAX_WAITING = 1000
/** Octets that waiting entries may hold together. */
export const MAX_OCTETS = 8_388_608

export class AsyncQueue<A extends { readonly received: number }> implements AsyncIterable<A> {
  #waiting: Array<A> = []
  #takers: Array<(result: IteratorResult<A, undefined>) => void> = []
  #ended = false

  get isFull(): boolean {
    return this.#waiting.length >= MAX_WAITING || this.octets >= MAX_OCTETS
  }

  /** Octets of waiting entries that have arrived by now. */
  get octets(): number {
    return this.#waiting.reduce((sum, { received }) => sum + received, 0)
  }

  put(entry: A): void {
    const taker = this.#takers.shift()
    if (taker !== undefined) taker({ done: false, value: entry })
    else if (!this.#ended) this.#waiting.push(entry)
  }

  /** Ends the queue, and gives the entries that were not taken. */
  end(): ReadonlyArray<A> {
    this.#ended = true
    const left = this.#waiting
    this.#waiting = []
    for (const taker of this.#takers) taker({ done: true, value: undefined })
    this.#takers = []
    return left
  }

  /** Iterators share the entries: each entry goes to one of them. Leaving one iterator takes nothing from the others. */
  [Symbol.asyncIterator](): AsyncIterator<A, undefined> {
    let left = false
    const over = { done: true, value: undefined } as const
    return {
      next: async () => {
        const entry = left ? undefined : this.#waiting.shift()
        if (entry !== undefined) return { done: false, value: entry }
        if (left || this.#ended) return over
        return new Promise((resolve) => this.#takers.push(resolve))
      },
      return: async () => {
        left = true
        return over
      }
    }
  }
}
