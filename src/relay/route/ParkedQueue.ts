/** What is parked in a flow, in order. Of its first item, if that is part of a long chunk, some octets may be written already. */
import type { Parked } from "./Parked.ts"

/** Places of written items that may stand in front of the first one before the others are moved. */
const MAX_WRITTEN = 256

export class ParkedQueue {
  #items: Array<Parked | undefined> = []
  /** The index of the first item. */
  #first = 0
  /** Octets of the first item that are already written. */
  written = 0

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  /** The first item; there must be one. */
  get first(): Parked {
    return this.#items[this.#first]!
  }

  push(one: Parked): void {
    this.#items.push(one)
  }

  /** Removes the first item, which is written to its end. */
  shift(): void {
    this.written = 0
    // Behind a slow receiver the queue may never be empty, and would keep the octets of all items in front.
    this.#items[this.#first++] = undefined
    if (this.#first === this.#items.length) this.#clear()
    else if (this.#first > MAX_WRITTEN) {
      this.#items.splice(0, this.#first)
      this.#first = 0
    }
  }

  /** Removes all items, and returns them. */
  takeAll(): ReadonlyArray<Parked> {
    const all = this.#items.slice(this.#first)
    this.#clear()
    return all as Array<Parked>
  }

  #clear(): void {
    this.#items = []
    this.#first = this.written = 0
  }
}
