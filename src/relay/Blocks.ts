/**
 * Memory for what is parked, in blocks of some sizes. Behind a receiver that is slower than its sender nearly everything that comes in is
 * parked for some milliseconds.
 */
import { keepOctets } from "../protocol/Octets.ts"

/** Octets of the largest block, and of the longest record of TLS. More is parked in several blocks. */
export const BLOCK = 16_384

/** The sizes of blocks are multiples of this, so that at most as many octets are unused in each. */
const STEP = 1024

/** Fewer octets than this are kept in memory of their own, which is cheap in the heap's young generation. */
const SMALLEST = 4096

/**
 * Octets of all free blocks. A user who parks as much as allowed in blocks of each size, one after the other, could otherwise make
 * the relay keep as much again for each size. Beyond it the size that has most gives way, so that sizes that were used before, and
 * may not be any more, leave room for those that others use.
 */
export const MOST_FREE = 33_554_432

export class Blocks {
  /** Free blocks by their size in steps. Of each size they cannot be more than were parked at a time since the last `relax`. */
  readonly #free = Array.from({ length: BLOCK / STEP + 1 }, () => new FreeBlocks())
  #octets = 0

  /** Octets of the free blocks. */
  get free(): number {
    return this.#octets
  }

  /** A copy of at most `BLOCK` octets of `buf`, or of more in memory that is not used again. */
  keep(buf: Buffer, start: number, end: number): Buffer {
    const octets = end - start
    if (octets < SMALLEST || octets > BLOCK) return keepOctets(buf.subarray(start, end))
    const steps = Math.ceil(octets / STEP)
    const free = this.#free[steps]!.take()
    if (free !== undefined) this.#octets -= free.length
    const block = free ?? Buffer.allocUnsafeSlow(steps * STEP)
    buf.copy(block, 0, start, end)
    return octets === block.length ? block : block.subarray(0, octets)
  }

  /** Takes back what `keep` returned. Nothing may refer to its octets any more. */
  release(octets: Buffer): void {
    if (octets.length < SMALLEST || octets.length > BLOCK) return
    const { buffer } = octets
    const { byteLength } = buffer
    while (this.#octets + byteLength > MOST_FREE) this.#octets -= this.#largest().take()!.length
    this.#octets += byteLength
    this.#free[byteLength / STEP]!.add(octets.length === byteLength ? octets : Buffer.from(buffer as ArrayBuffer))
  }

  /** The free blocks of the size that has most octets. */
  #largest(): FreeBlocks {
    let largest = this.#free[0]!
    let most = 0
    for (let steps = SMALLEST / STEP; steps < this.#free.length; steps++) {
      const free = this.#free[steps]!
      if (free.count * steps > most) {
        largest = free
        most = free.count * steps
      }
    }
    return largest
  }

  /** Frees blocks that were not needed since the last call. */
  relax(): void {
    for (const [steps, free] of this.#free.entries()) this.#octets -= free.relax() * steps * STEP
  }
}

class FreeBlocks {
  readonly #blocks: Array<Buffer> = []
  /** The smallest number of free blocks since the last `relax`. */
  #least = 0

  get count(): number {
    return this.#blocks.length
  }

  take(): Buffer | undefined {
    const block = this.#blocks.pop()
    if (this.#blocks.length < this.#least) this.#least = this.#blocks.length
    return block
  }

  add(block: Buffer): void {
    this.#blocks.push(block)
  }

  /** Returns the number of blocks that it has freed. */
  relax(): number {
    const unused = this.#least
    this.#blocks.length -= unused
    this.#least = this.#blocks.length
    return unused
  }
}
