/** A bound on the DNS queries that each user causes. */
import { LinkedMap } from "../../collections/LinkedMap.ts"

/** Milliseconds in which the look-ups of a user are counted together. */
const PERIOD = 60_000

/** Users that are counted; the one whose period began first is forgotten first. */
const MAX_USERS = 10_000

/** The look-ups of one user in a period. */
interface Period {
  count: number
  /** Milliseconds of the monotonic clock. */
  readonly end: number
}

interface LookupLimits {
  /** Look-ups of one user in a minute; may change. */
  readonly lookups: number
}

/**
 * How many look-ups each user may cause. They need a bound because the owner of a domain chooses which servers are asked and how
 * large the answers are (RFC 4976 §8).
 */
export class Lookups {
  readonly #limits: LookupLimits
  readonly #periods = new LinkedMap<string, Period>()

  constructor(limits: LookupLimits) {
    this.#limits = limits
  }

  /** Counts one more look-up if the user may have it. `now` is in milliseconds. */
  admits(user: string, now: number): boolean {
    const periods = this.#periods
    for (let first = periods.first; first !== undefined && first.value.end <= now; first = periods.first) {
      periods.delete(first.key)
    }
    let period = periods.get(user)
    if (period === undefined) {
      periods.set(user, period = { count: 0, end: now + PERIOD })
      periods.shorten(MAX_USERS)
    }
    if (period.count >= this.#limits.lookups) return false
    period.count++
    return true
  }
}
