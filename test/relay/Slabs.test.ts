import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { Lease, SLAB, Slabs } from "../../src/relay/Slabs.ts"

describe("Slabs", () => {
  it("leases parts that do not overlap while they are held, each at least as large as it must be", () => {
    const commands = fc.array(
      fc.oneof(
        fc.record({ least: fc.integer({ min: 1, max: SLAB }), wanted: fc.integer({ min: 1, max: SLAB }) }),
        fc.record({ trim: fc.nat(20), used: fc.double({ min: 0, max: 1, noNaN: true }) }),
        fc.record({ release: fc.nat(20) }),
        fc.constant("relax" as const)
      ),
      { maxLength: 200 }
    )
    fc.assert(fc.property(commands, (all) => {
      const slabs = new Slabs()
      const held: Array<Lease> = []
      for (const command of all) {
        if (command === "relax") slabs.relax()
        else if ("least" in command) {
          const lease = slabs.lease(command.least, command.wanted)
          assert.isAtLeast(lease.end - lease.start, command.least)
          assert.isAtMost(lease.end, SLAB)
          for (const other of held) {
            // One that was trimmed to nothing has no octets that another could have.
            if (other.start === other.end) continue
            assert.isTrue(other.octets !== lease.octets || other.end <= lease.start || lease.end <= other.start)
          }
          held.push(lease)
        } else if (held.length > 0 && "trim" in command) {
          const at = command.trim % held.length
          const { end, slab, start } = held[at]!
          const to = start + Math.floor(command.used * (end - start))
          slabs.trim(held[at]!, to)
          held[at] = new Lease(slab, start, to)
        } else if (held.length > 0 && "release" in command) {
          slabs.release(held.splice(command.release % held.length, 1)[0]!)
        }
      }
    }))
  })

  it("hold no more than is written: a thousand small ones share a few slabs", () => {
    const slabs = new Slabs()
    const leases = Array.from({ length: 1000 }, () => slabs.lease(400, 1024))
    assert.isAtMost(slabs.held, 1000 * 1024 + SLAB)
    for (const lease of leases) slabs.release(lease)
  })

  it("give the rest of a lease to the next one, when it is the last", () => {
    const slabs = new Slabs()
    const first = slabs.lease(1, SLAB)
    slabs.trim(first, first.start + 100)
    const second = slabs.lease(100, 100)
    assert.strictEqual(second.octets, first.octets)
    assert.strictEqual(second.start, 100)
  })

  it("give the memory of a crowd back when it was not needed for a while, and keep what is needed again and again", () => {
    const slabs = new Slabs()
    const crowd = () => Array.from({ length: 100 }, () => slabs.lease(SLAB, SLAB))
    for (const lease of crowd()) slabs.release(lease)
    slabs.relax()
    assert.isAtLeast(slabs.held, 100 * SLAB, "it was needed since the last look")
    slabs.relax()
    assert.isAtMost(slabs.held, 10 * SLAB)
  })
})
