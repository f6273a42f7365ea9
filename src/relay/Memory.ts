/**
 * Memory for octets that stay for some milliseconds. It is used again: new memory for each read or write would make V8 collect the
 * whole heap several times a second.
 */
import { Blocks } from "./Blocks.ts"
import type { RelayMemory } from "./Gauges.ts"
import { Slabs } from "./Slabs.ts"

export class Memory {
  /** For output. */
  readonly slabs = new Slabs()
  /** For what is parked. */
  readonly blocks = new Blocks()

  get octets(): RelayMemory {
    return { output: this.slabs.held, freeBlocks: this.blocks.free }
  }

  /** Frees what was not needed since the last call. */
  relax(): void {
    this.slabs.relax()
    this.blocks.relax()
  }
}
