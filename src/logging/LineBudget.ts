/**
 * Limits the log lines of each kind, for each address and in total, because peers cause lines and must not be able to
 * fill a disk. Suppressed lines are counted.
 */
import { LinkedMap } from "../collections/LinkedMap.ts"

/** Lines of one kind that one address may cause at once, and milliseconds until one more is allowed. */
export const ADDRESS_BURST = 20
export const ADDRESS_PAUSE = 10_000

/** Lines of one kind that all addresses may cause at once, and milliseconds until one more is allowed. */
export const KIND_BURST = 100
export const KIND_PAUSE = 1000

/** Maximum number of kinds that are tracked; any further kinds share one budget. */
export const MAX_KINDS = 200

/** Maximum number of addresses that are tracked, over all kinds; the least recently active one is forgotten. */
export const MAX_ADDRESSES = 4096

const OTHERS = "others"

/** A token bucket that gains a token after each pause. */
interface Bucket {
  tokens: number
  /** Time in milliseconds at which `tokens` was computed. */
  at: number
}

interface Kind extends Bucket {
  held: number
}

/** Suppressed lines of a kind. */
export interface HeldBack {
  readonly kind: string
  readonly lines: number
}

/** Lines of a kind allowed at once, and milliseconds until one more is allowed: for one address, and in total. */
export interface LineBounds {
  readonly addressBurst: number
  readonly addressPause: number
  readonly kindBurst: number
  readonly kindPause: number
}

const defaultBounds: LineBounds = {
  addressBurst: ADDRESS_BURST,
  addressPause: ADDRESS_PAUSE,
  kindBurst: KIND_BURST,
  kindPause: KIND_PAUSE
}

/**
 * Bounds at debug level: 50 lines at once and then 20 a second for each address, 200 at once and then 200 a second in
 * total.
 */
export const detailBounds: LineBounds = { addressBurst: 50, addressPause: 20, kindBurst: 200, kindPause: 5 }

export class LineBudget {
  readonly #bounds: LineBounds
  readonly #counters: { held: number } | undefined
  readonly #kinds = new Map<string, Kind>()
  readonly #addresses = new LinkedMap<string, Bucket>()
  #held = false

  /** `counters`: where suppressed lines are counted as well. */
  constructor(bounds = defaultBounds, counters?: { held: number }) {
    this.#bounds = bounds
    this.#counters = counters
  }

  /** Whether a line of a kind, caused by an address, may be logged at `now` (milliseconds). If not, it is counted. */
  admits(name: string, address: string, now: number): boolean {
    const { kindBurst, kindPause } = this.#bounds
    const known = this.#kinds.has(name) || this.#kinds.size < MAX_KINDS ? name : OTHERS
    let kind = this.#kinds.get(known)
    if (kind === undefined) this.#kinds.set(known, kind = { tokens: kindBurst, at: now, held: 0 })
    const admitted = this.#addressAdmits(`${known}\n${address}`, now) && take(kind, kindBurst, kindPause, now)
    if (!admitted) {
      kind.held++
      if (this.#counters !== undefined) this.#counters.held++
      this.#held = true
    }
    return admitted
  }

  #addressAdmits(key: string, now: number): boolean {
    const { addressBurst, addressPause } = this.#bounds
    const bucket = this.#addresses.touch(key)
    if (bucket !== undefined) return take(bucket, addressBurst, addressPause, now)
    this.#addresses.set(key, { tokens: addressBurst - 1, at: now })
    this.#addresses.shorten(MAX_ADDRESSES)
    return true
  }

  /** Takes the numbers of lines suppressed since the last call. */
  takeHeld(): ReadonlyArray<HeldBack> {
    if (!this.#held) return []
    this.#held = false
    const all: Array<HeldBack> = []
    for (const [kind, state] of this.#kinds) {
      if (state.held > 0) all.push({ kind, lines: state.held })
      state.held = 0
    }
    return all
  }
}

const take = (bucket: Bucket, burst: number, pause: number, now: number): boolean => {
  // A clock that was set back adds no tokens.
  bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) / pause)
  bucket.at = now
  if (bucket.tokens < 1) return false
  bucket.tokens--
  return true
}
