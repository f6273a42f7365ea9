import { assert, it } from "vitest"
import { BLOCK } from "../../src/relay/Blocks.ts"
import { Memory } from "../../src/relay/Memory.ts"
import { SLAB } from "../../src/relay/Slabs.ts"

it("frees what output and what was parked took, when neither was needed again", () => {
  const memory = new Memory()
  const leases = Array.from({ length: 100 }, () => memory.slabs.lease(SLAB, SLAB))
  const parked = Array.from({ length: 100 }, () => memory.blocks.keep(Buffer.alloc(BLOCK), 0, BLOCK))
  for (const lease of leases) memory.slabs.release(lease)
  for (const block of parked) memory.blocks.release(block)
  assert.deepStrictEqual(memory.octets, { output: 100 * SLAB, freeBlocks: 100 * BLOCK })
  memory.relax()
  memory.relax()
  assert.isAtMost(memory.octets.output, 10 * SLAB)
  assert.strictEqual(memory.octets.freeBlocks, 0)
})
