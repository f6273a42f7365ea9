import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { BLOCK, Blocks } from "../../src/relay/Blocks.ts"

const octets = (length: number, value = 0): Buffer => Buffer.alloc(length, value)

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
