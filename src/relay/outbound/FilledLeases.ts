/**
 * Leases that nothing is added to any more, oldest first: those that were handed to the connection, then those that were not. They
 * are linked, because arrays would be allocated for each write.
 */
import type { Lease } from "../Slabs.ts"

export class FilledLease {
  readonly lease: Lease
  /** What was put in. */
  readonly octets: Buffer
  /** Offsets at which frames end, for a connection that carries messages. */
  readonly ends: ReadonlyArray<number> | undefined
  /** The one that was filled after it. */
  next: FilledLease | undefined = undefined

  constructor(lease: Lease, octets: Buffer, ends: ReadonlyArray<number> | undefined) {
    this.lease = lease
    this.octets = octets
    this.ends = ends
  }
}

export class FilledLeases {
  #oldest: FilledLease | undefined
  #newest: FilledLease | undefined
  /** The oldest that was not handed over. */
  #unhanded: FilledLease | undefined

  add(one: FilledLease): void {
    if (this.#newest === undefined) this.#oldest = one
    else this.#newest.next = one
    this.#newest = one
    this.#unhanded ??= one
  }

  /** The next to be handed to the connection; it counts as handed over from now on. */
  hand(): FilledLease | undefined {
    const one = this.#unhanded
    this.#unhanded = one?.next
    return one
  }

  /** Removes the oldest of those that were handed over. */
  remove(): FilledLease {
    const one = this.#oldest!
    this.#oldest = one.next
    if (one.next === undefined) this.#newest = undefined
    return one
  }
}
