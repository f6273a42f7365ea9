/**
 * What somebody waits for the end of: the last session, the last answer, the last connection. It is looked at when something
 * ends that may have been the last, and not by a clock; once in a turn, however much ends in it.
 */
import type { Turn } from "./Turn.ts"

interface Wait {
  readonly holds: () => boolean
  readonly ended: () => void
}

export class Conditions {
  readonly #turn: Turn
  readonly #waits = new Set<Wait>()
  #looking = false
  /** Somebody waits. Where something ends with every message, this is all that is looked at. */
  any = false

  constructor(turn: Turn) {
    this.#turn = turn
  }

  /** Calls back once when it holds, in a later turn. What is returned gives it up. */
  until(holds: () => boolean, ended: () => void): () => void {
    const wait = { holds, ended }
    this.#waits.add(wait)
    this.any = true
    this.look()
    return () => {
      this.#waits.delete(wait)
      this.any = this.#waits.size > 0
    }
  }

  /** Something has ended. */
  look(): void {
    if (!this.any || this.#looking) return
    this.#looking = true
    this.#turn.continues(this)
  }

  goOn(): void {
    this.#looking = false
    for (const wait of this.#waits) {
      if (!wait.holds()) continue
      this.#waits.delete(wait)
      wait.ended()
    }
    this.any = this.#waits.size > 0
  }
}
