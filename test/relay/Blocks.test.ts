import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { BLOCK, Blocks, MOST_FREE } from "../../src/relay/Blocks.ts"

const octets = (length: number, value = 0): Buffer => Buffer.alloc(length, value)

const source = octets(BLOCK)

const keep = (blocks: Blocks, source: Buffer): Buffer => blocks.keep(source, 0, source.length)

/** Octets of memory that belong to a copy. */
const memory = ({ buffer }: Buffer): number => buffer.byteLength

describe("Blocks", () => {
  it("keep copies that nothing else changes until they are released", () => {
    const commands = fc.array(
      fc.oneof(
        fc.record({ keep: fc.integer({ min: 0, max: 2 * BLOCK }), value: fc.nat(255), before: fc.nat(10) }),
        fc.record({ release: fc.nat(20) }),
        fc.constant("relax" as const)
      ),
      { maxLength: 200 }
    )
    fc.assert(fc.property(commands, (all) => {
      const blocks = new Blocks()
      const held: Array<{ readonly copy: Buffer; readonly expected: Buffer }> = []
      for (const command of all) {
        if (command === "relax") blocks.relax()
        else if ("keep" in command) {
          const expected = octets(command.keep, command.value)
          const source = Buffer.concat([octets(command.before, 1), expected, octets(5, 2)])
          const copy = blocks.keep(source, command.before, command.before + command.keep)
          assert.isBelow(memory(copy) - copy.length, 1024)
          held.push({ copy, expected })
        } else if (held.length > 0) blocks.release(held.splice(command.release % held.length, 1)[0]!.copy)
        for (const { copy, expected } of held) assert.isTrue(copy.equals(expected))
      }
    }))
  })

  it("use memory again, also for another number of octets", () => {
    const blocks = new Blocks()
    const first = keep(blocks, octets(BLOCK))
    blocks.release(first)
    assert.strictEqual(keep(blocks, octets(BLOCK - 1000)).buffer, first.buffer)
    assert.notStrictEqual(keep(blocks, octets(BLOCK)).buffer, first.buffer)
  })

  it("free what was not needed for the time between two calls of `relax`, and nothing else", () => {
    const blocks = new Blocks()
    const all = Array.from({ length: 10 }, () => keep(blocks, octets(BLOCK)))
    for (const one of all) blocks.release(one)
    blocks.relax()
    const again = Array.from({ length: 4 }, () => keep(blocks, octets(BLOCK)))
    const known = new Set(all.map(({ buffer }) => buffer))
    assert.isTrue(again.every(({ buffer }) => known.has(buffer)))
    for (const one of again) blocks.release(one)
    // Six of the ten were not needed.
    blocks.relax()
    const last = Array.from({ length: 10 }, () => keep(blocks, octets(BLOCK)))
    assert.strictEqual(last.filter(({ buffer }) => known.has(buffer)).length, 4)
  })

  it("keep no more free memory than a limit, in whatever sizes it was used, and as much again when it was freed", () => {
    const blocks = new Blocks()
    const sizes = Array.from({ length: 13 }, (_, i) => 4096 + 1024 * i)
    for (let round = 0; round < 2; round++) {
      const known = new Set<ArrayBufferLike>()
      for (const size of sizes) {
        const all = Array.from({ length: MOST_FREE / 4 / size }, () => blocks.keep(source, 0, size))
        for (const one of all) blocks.release(one)
        for (const { buffer } of all) known.add(buffer)
      }
      const free = sizes.flatMap((size) => {
        const again: Array<Buffer> = []
        for (let one = blocks.keep(source, 0, size); known.has(one.buffer); one = blocks.keep(source, 0, size)) {
          again.push(one)
        }
        return again
      })
      const kept = free.reduce((sum, one) => sum + one.length, 0)
      assert.isAtMost(kept, MOST_FREE)
      assert.isAbove(kept, MOST_FREE - BLOCK)
      for (const one of free) blocks.release(one)
      blocks.relax()
      blocks.relax()
    }
  })

  it("keep blocks of a size that is used now, also when others filled all memory with another one before", () => {
    const blocks = new Blocks()
    const fill = (size: number, octets: number) => {
      const all = Array.from({ length: octets / size }, () => blocks.keep(source, 0, size))
      for (const one of all) blocks.release(one)
      return new Set(all.map(({ buffer }) => buffer))
    }
    const before = fill(BLOCK, MOST_FREE)
    assert.strictEqual(blocks.free, MOST_FREE)
    for (const size of [8192, 4096]) {
      const known = fill(size, MOST_FREE / 8)
      const again = Array.from({ length: known.size }, () => blocks.keep(source, 0, size))
      assert.isTrue(again.every(({ buffer }) => known.has(buffer)))
      for (const one of again) blocks.release(one)
    }
    assert.strictEqual(blocks.free, MOST_FREE)
    const left = Array.from({ length: MOST_FREE / BLOCK }, () => blocks.keep(source, 0, BLOCK))
    assert.strictEqual(left.filter(({ buffer }) => before.has(buffer)).length, 0.75 * MOST_FREE / BLOCK)
    assert.strictEqual(blocks.free, MOST_FREE / 4)
    blocks.relax()
    blocks.relax()
    assert.strictEqual(blocks.free, 0)
  })

  it("keep few octets in memory of their own, and do not keep memory for those that are too many", () => {
    const blocks = new Blocks()
    for (const length of [100, BLOCK + 1]) {
      const own = keep(blocks, octets(length))
      assert.strictEqual(memory(own), length)
      blocks.release(own)
      assert.notStrictEqual(keep(blocks, octets(length)).buffer, own.buffer)
    }
  })
})
