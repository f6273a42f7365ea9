/**
 * Memory for the output of all connections. It is held in slabs of one size, of which outboxes lease parts: as much as
 * they have to write, so that what a turn costs follows what it writes and not how many connections it writes to.
 */

/** Octets of a slab, and the most that a lease can have. */
export const SLAB = 131_072

/** Octets that are too few for a lease of their own. */
const REST = 512

/** Slabs that are kept for reuse even when none was needed: 1 MiB. */
const KEPT = 8

interface Slab {
  readonly octets: Buffer
  leases: number
}

/** A part of a slab: `[start, end)` of its octets. */
export class Lease {
  readonly slab: Slab
  readonly start: number
  readonly end: number

  constructor(slab: Slab, start: number, end: number) {
    this.slab = slab
    this.start = start
    this.end = end
  }

  get octets(): Buffer {
    return this.slab.octets
  }
}

export class Slabs {
  /** The one that leases are taken of now, up to `#at`. */
  #current: Slab | undefined
  #at = 0
  readonly #free: Array<Slab> = []
  #used = 0
  /** The most that were used at a time since the last `relax`. */
  #peak = 0

  /** Octets that are held, used or not. */
  get held(): number {
    return SLAB * (this.#used + this.#free.length)
  }

  /** A lease of at least `least` octets, and of about `wanted` if there are so many in one piece. */
  lease(least: number, wanted: number): Lease {
    let slab = this.#current
    // Half of what is wanted is good enough, rather than to leave a part of a slab unused.
    if (slab === undefined || SLAB - this.#at < Math.max(least, wanted >> 1)) {
      slab = this.#current = this.#take()
      this.#at = 0
    }
    const start = this.#at
    const end = start + wanted > SLAB - REST ? SLAB : start + Math.max(least, wanted)
    this.#at = end
    slab.leases++
    return new Lease(slab, start, end)
  }

  /** It is done, and from `to` on nothing was written; the lease is still held. */
  trim({ end, slab }: Lease, to: number): void {
    if (slab === this.#current && end === this.#at) this.#at = to
  }

  release({ slab }: Lease): void {
    if (--slab.leases > 0) return
    if (slab === this.#current) {
      // The same octets again, which are in the processor's caches.
      this.#at = 0
      return
    }
    this.#used--
    this.#free.push(slab)
  }

  /** Gives back what was not needed since the last call. */
  relax(): void {
    this.#free.length = Math.min(this.#free.length, Math.max(KEPT, this.#peak - this.#used))
    this.#peak = this.#used
  }

  #take(): Slab {
    this.#peak = Math.max(this.#peak, ++this.#used)
    return this.#free.pop() ?? { octets: Buffer.allocUnsafeSlow(SLAB), leases: 0 }
  }
}
