/** A bound on the DNS queries that each user causes. */
import { LinkedMap } from "../../collections/LinkedMap.ts"

/** Milliseconds in which look-ups are counted together. */
const WINDOW = 60_000

/** Users that are counted; the one whose window began first is forgotten first. */
const MAX_USERS = 10_000

interface Window {
  count: number
  /** Milliseconds of the monotonic clock. */
  readonly end: number
}

export interface LookupLimits {
  /** Look-ups of one user in a minute; may change. */
  readonly lookups: number
}

/**
 * How many look-ups each user may cause. They need a bound because the owner of a domain chooses which servers are asked and how
 * large the answers are (RFC 4976 §8).
 */
export class Lookups {
  readonly #limits: LookupLimits
  readonly #windows = new LinkedMap<string, Window>()

  constructor(limits: LookupLimits) {
    this.#limits = limits
  }

  /** Counts one more look-up if the user may have it. `now` is in milliseconds. */
  admits(user: string, now: number): boolean {
    const windows = this.#windows
    for (let first = windows.first; first !== undefined && first.value.end <= now; first = windows.first) {
      windows.delete(first.key)
    }
    let window = windows.get(user)
    if (window === undefined) {
      if (windows.size === MAX_USERS) windows.delete(windows.first!.key)
      windows.set(user, window = { count: 0, end: now + WINDOW })
    }
    if (window.count >= this.#limits.lookups) return false
    window.count++
    return true
  }
}
