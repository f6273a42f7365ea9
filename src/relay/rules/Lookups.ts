import { LinkedMap } from "../../collections/LinkedMap.ts"

/** Milliseconds for which look-ups are counted. */
const WINDOW = 60_000

/** Users that are counted; the one who began first is forgotten first. */
const MAX_USERS = 10_000

interface Window {
  count: number
  /** When it is over. */
  readonly end: number
}

export interface LookupLimits {
  /** Of one user in a minute; may change. */
  readonly lookups: number
}

/**
 * Questions to name servers that each user may cause: who is asked, and how much the answer is, whoever owns the domain
 * decides (RFC 4976 §8).
 */
export class Lookups {
  readonly #limits: LookupLimits
  readonly #windows = new LinkedMap<string, Window>()

  constructor(limits: LookupLimits) {
    this.#limits = limits
  }

  /** Counts one more, if the user may have it. `now` in milliseconds. */
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
