/**
 * For how long a connection of several users was held for one of them. Each hold has its own limit, but who answers just
 * before that is over could have the others wait again and again: they do so for ten seconds, and then for a third of the time.
 */

/** Milliseconds of a hold that others hardly notice: 128 KiB are taken meanwhile at 512 KiB a second. */
const BRIEF = 250
/** One part of the time in so many; what was not used of so many milliseconds may be at once. */
const PART = 3
const STRETCH = 20_000

export class HoldBudget {
  /** Milliseconds of the monotonic clock until which there is nothing left. */
  #until = -Infinity

  #counted = -Infinity

  /** There was a hold since then, which ends now. Several of his at a time are one. */
  charge(since: number, now: number): void {
    const millis = now - Math.max(since, this.#counted)
    if (millis <= BRIEF) return
    this.#counted = now
    this.#until = Math.max(this.#until, now - STRETCH) + PART * millis
  }

  /** There may be no further one now. */
  isSpent(now: number): boolean {
    return this.#until > now
  }
}
