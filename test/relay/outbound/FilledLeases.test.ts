/** Leases on their way to the operating system. */
import { assert, describe, it } from "@effect/vitest"
import { FilledLease, FilledLeases } from "../../../src/relay/outbound/FilledLeases.ts"
import { Slabs } from "../../../src/relay/Slabs.ts"

describe("FilledLeases", () => {
  it("are handed over once, and removed, in the order in which they were filled", () => {
    const leases = new FilledLeases()
    const slabs = new Slabs()
    const [a, b, c] = ["a", "b", "c"].map((text) => new FilledLease(slabs.lease(1, 1), Buffer.from(text), undefined))
    assert.isUndefined(leases.hand())
    leases.add(a!)
    leases.add(b!)
    assert.strictEqual(leases.hand(), a)
    assert.strictEqual(leases.remove(), a)
    assert.strictEqual(leases.hand(), b)
    assert.isUndefined(leases.hand())
    leases.add(c!)
    assert.strictEqual(leases.hand(), c)
    assert.strictEqual(leases.remove(), b)
    assert.strictEqual(leases.remove(), c)
    leases.add(a!)
    assert.strictEqual(leases.hand(), a)
    assert.strictEqual(leases.remove(), a)
  })
})
