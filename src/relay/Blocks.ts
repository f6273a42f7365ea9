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

export class Blocks {
  /** Free blocks by their size in steps. They cannot be more than what was parked since the last `relax`. */
  readonly #free = Array.from({ length: BLOCK / STEP + 1 }, () => new FreeBlocks())

  /** A copy of at most `BLOCK` octets of `buf`, or of more in memory that is not used again. */
  keep(buf: Buffer, start: number, end: number): Buffer {
    const octets = end - start
    if (octets < SMALLEST || octets > BLOCK) return keepOctets(buf.subarray(start, end))
    const steps = Math.ceil(octets / STEP)
    const block = this.#free[steps]!.take() ?? Buffer.allocUnsafeSlow(steps * STEP)
    buf.copy(block, 0, start, end)
    return octets === block.length ? block : block.subarray(0, octets)
  }

  /** Takes back what `keep` returned. Nothing may refer to its octets any more. */
  release(octets: Buffer): void {
    const { buffer, length } = octets
    if (length < SMALLEST || length > BLOCK) return
    this.#free[buffer.byteLength / STEP]!.add(
      length === buffer.byteLength ? octets : Buffer.from(buffer as ArrayBuffer)
    )
  }

  /** Frees blocks that were not needed since the last call. */
  relax(): void {
    for (const free of this.#free) free.relax()
  }
}

class FreeBlocks {
  readonly #blocks: Array<Buffer> = []
  /** The smallest number of free blocks since the last `relax`. */
  #least = 0

  take(): Buffer | undefined {
    const block = this.#blocks.pop()
    if (this.#blocks.length < this.#least) this.#least = this.#blocks.length
    return block
  }

  add(block: Buffer): void {
    this.#blocks.push(block)
  }

  relax(): void {
    this.#blocks.length -= this.#least
    this.#least = this.#blocks.length
  }
}
