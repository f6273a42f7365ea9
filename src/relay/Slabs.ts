/**
 * Memory for the output of all connections, in slabs of one size. Outboxes lease parts of slabs, as much as they have to write, so
 * that the memory used by a turn depends on what it writes and not on the number of connections.
 */

/** Octets of a slab, and of the largest lease. */
export const SLAB = 131_072

/** A rest of a slab with fewer octets than this is added to the last lease. */
const REST = 512

/** Slabs that are kept for reuse even if none was needed: 1 MiB. */
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
  /** The slab from which leases are taken; the part before `#at` is leased. */
  #current: Slab | undefined
  #at = 0
  readonly #free: Array<Slab> = []
  #used = 0
  /** The largest number of slabs in use at a time since the last `relax`. */
  #peak = 0

  /** Octets of all slabs, in use or not. */
  get held(): number {
    return SLAB * (this.#used + this.#free.length)
  }

  /** A lease of at least `least` octets, and of about `wanted` if the slab has that many left. */
  lease(least: number, wanted: number): Lease {
    let slab = this.#current
    // Half of what is wanted is enough, rather than leaving a part of a slab unused.
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

  /** Returns the part of a lease from `to` on, which was not written to; the rest of the lease is still held. */
  trim({ end, slab }: Lease, to: number): void {
    if (slab === this.#current && end === this.#at) this.#at = to
  }

  release({ slab }: Lease): void {
    if (--slab.leases > 0) return
    if (slab === this.#current) {
      // The same octets are leased again, because they are in the processor's caches.
      this.#at = 0
      return
    }
    this.#used--
    this.#free.push(slab)
  }

  /** Frees slabs that were not needed since the last call. */
  relax(): void {
    this.#free.length = Math.min(this.#free.length, Math.max(KEPT, this.#peak - this.#used))
    this.#peak = this.#used
  }

  #take(): Slab {
    this.#peak = Math.max(this.#peak, ++this.#used)
    return this.#free.pop() ?? { octets: Buffer.allocUnsafeSlow(SLAB), leases: 0 }
  }
}
