/**
 * Conditions that are waited for until they hold, such as the end of the last session, answer or connection. They are checked
 * when something ends that may have been the last, not periodically, and at most once in a turn.
 */
import type { Turn } from "./Turn.ts"

interface Wait {
  readonly holds: () => boolean
  readonly ended: () => void
}

export class Conditions {
  readonly #turn: Turn
  readonly #waits = new Set<Wait>()
  #isScheduled = false
  /** Whether anything is waited for. Callers on the path of every message check only this. */
  any = false

  constructor(turn: Turn) {
    this.#turn = turn
  }

  /** Calls `ended` once, in a later turn, when `holds` does. The function that is returned cancels this. */
  until(holds: () => boolean, ended: () => void): () => void {
    const wait = { holds, ended }
    this.#waits.add(wait)
    this.any = true
    this.check()
    return () => {
      this.#waits.delete(wait)
      this.any = this.#waits.size > 0
    }
  }

  /** Something has ended: schedules a check of the conditions. */
  check(): void {
    if (!this.any || this.#isScheduled) return
    this.#isScheduled = true
    this.#turn.continues(this)
  }

  goOn(): void {
    this.#isScheduled = false
    for (const wait of this.#waits) {
      if (!wait.holds()) continue
      this.#waits.delete(wait)
      wait.ended()
    }
    this.any = this.#waits.size > 0
  }
}
