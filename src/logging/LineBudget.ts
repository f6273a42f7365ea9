/**
 * How many lines of a kind may be logged, of one address and in all: strangers cause lines, and must not fill a disk by
 * them. What is held back is counted.
 */
import { LinkedMap } from "../collections/LinkedMap.ts"

/** Lines at once of one kind for one address, and then one in so many milliseconds. */
export const ADDRESS_BURST = 20
export const ADDRESS_PAUSE = 10_000

/** Lines at once of one kind in all, and then one in so many milliseconds. */
export const KIND_BURST = 100
export const KIND_PAUSE = 1000

/** Kinds that are told apart; those that come when there are so many share one. */
export const MAX_KINDS = 200

/** Addresses that are remembered, of all kinds together; the one that was quiet for longest is forgotten. */
export const MAX_ADDRESSES = 4096

const OTHERS = "others"

/** Tokens, one of which comes back after each pause. */
interface Bucket {
  tokens: number
  /** Milliseconds: when the tokens were as many. */
  at: number
}

interface Kind extends Bucket {
  held: number
}

/** Lines of a kind that were held back. */
export interface HeldBack {
  readonly kind: string
  readonly lines: number
}

/** How many lines of a kind there may be at once, and milliseconds until there may be one more: of one address, and in all. */
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

/** Lines at debug level: so many at once, then 50 a second; of all addresses together 200 a second. */
export const detailBounds: LineBounds = { addressBurst: 50, addressPause: 20, kindBurst: 200, kindPause: 5 }

export class LineBudget {
  readonly #bounds: LineBounds
  readonly #counters: { held: number } | undefined
  readonly #kinds = new Map<string, Kind>()
  readonly #addresses = new LinkedMap<string, Bucket>()
  #held = false

  /** `counters`: where what is held back is counted as well. */
  constructor(bounds = defaultBounds, counters?: { held: number }) {
    this.#bounds = bounds
    this.#counters = counters
  }

  /** May a line of this kind be logged now (milliseconds) that somebody at this address caused; otherwise it is counted. */
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
    if (this.#addresses.size >= MAX_ADDRESSES) this.#addresses.delete(this.#addresses.first!.key)
    this.#addresses.set(key, { tokens: addressBurst - 1, at: now })
    return true
  }

  /** What was held back since it was asked last. */
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
  // A clock that was set back gives nothing.
  bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) / pause)
  bucket.at = now
  if (bucket.tokens < 1) return false
  bucket.tokens--
  return true
}
