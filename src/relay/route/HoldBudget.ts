/**
 * How long connections of several users may be held for one of them. Each hold has a limit of its own, but a receiver that
 * always answers just before that limit could make the other users wait again and again. So the other users wait for ten
 * seconds in all, and from then on for a third of the time.
 */

/** Milliseconds of a hold that other users hardly notice: time enough to take 128 KiB at 512 KiB a second. */
const BRIEF = 250
/** Connections may be held for 1 / PART of the time. */
const PART = 3
/** Milliseconds of the recent past whose unused part may be used at once. */
const STRETCH = 20_000

export class HoldBudget {
  /** Milliseconds of the monotonic clock until which the budget is spent. */
  #until = -Infinity
  /** Milliseconds of the monotonic clock up to which holds are charged. */
  #counted = -Infinity

  /** Charges a hold that began at `since` and ends now. Time that several holds have in common is charged once. */
  charge(since: number, now: number): void {
    const millis = now - Math.max(since, this.#counted)
    if (millis <= BRIEF) return
    this.#counted = now
    this.#until = Math.max(this.#until, now - STRETCH) + PART * millis
  }

  /** Whether there may be no further hold now. */
  isSpent(now: number): boolean {
    return this.#until > now
  }
}
