import { assert, describe, it } from "vitest"
import {
  ADDRESS_BURST,
  ADDRESS_PAUSE,
  KIND_BURST,
  KIND_PAUSE,
  LineBudget,
  MAX_ADDRESSES,
  MAX_KINDS
} from "../../src/logging/LineBudget.ts"

/** How many of these are admitted. */
const admitted = (budget: LineBudget, count: number, now: number, line: (n: number) => readonly [string, string]) => {
  let lines = 0
  for (let i = 0; i < count; i++) if (budget.admits(...line(i), now)) lines++
  return lines
}

describe("LineBudget", () => {
  it("lets an address have some lines of a kind, then one now and then, and counts the rest", () => {
    const budget = new LineBudget()
    const one = () => ["not MSRP", "192.0.2.1"] as const
    assert.strictEqual(admitted(budget, 1000, 0, one), ADDRESS_BURST)
    assert.strictEqual(admitted(budget, 10, ADDRESS_PAUSE - 1, one), 0)
    assert.strictEqual(admitted(budget, 10, ADDRESS_PAUSE, one), 1)
    // Others are not kept out, nor is another kind.
    assert.strictEqual(admitted(budget, 1, ADDRESS_PAUSE, () => ["not MSRP", "192.0.2.2"]), 1)
    assert.strictEqual(admitted(budget, 1, ADDRESS_PAUSE, () => ["AUTH refused", "192.0.2.1"]), 1)
    assert.deepStrictEqual(budget.takeHeld(), [{ kind: "not MSRP", lines: 1000 - ADDRESS_BURST + 10 + 9 }])
    assert.deepStrictEqual(budget.takeHeld(), [])
  })

  it("bounds a kind whatever addresses it comes from, and forgets addresses", () => {
    const budget = new LineBudget()
    assert.strictEqual(admitted(budget, 3 * MAX_ADDRESSES, 0, (n) => ["not MSRP", `2001:db8::${n}`]), KIND_BURST)
    assert.strictEqual(admitted(budget, 100, 3 * KIND_PAUSE, (n) => ["not MSRP", `2001:db8:1::${n}`]), 3)
    // A clock that was set back gives nothing.
    assert.strictEqual(admitted(budget, 100, 0, (n) => ["not MSRP", `2001:db8:2::${n}`]), 0)
  })

  it("is as it was where the clock is set back", () => {
    const budget = new LineBudget()
    assert.isTrue(budget.admits("not MSRP", "192.0.2.1", 10 * ADDRESS_PAUSE))
    assert.strictEqual(admitted(budget, ADDRESS_BURST, 0, () => ["not MSRP", "192.0.2.1"]), ADDRESS_BURST - 1)
  })

  it("remembers so many addresses, and gives one that it has forgotten all of its lines again", () => {
    const bounds = { addressBurst: 1, addressPause: Infinity, kindBurst: Infinity, kindPause: 1 }
    const budget = new LineBudget(bounds)
    const first = () => budget.admits("not MSRP", "first", 0)
    assert.deepStrictEqual([first(), first()], [true, false])
    for (let n = 0; n < MAX_ADDRESSES; n++) budget.admits("not MSRP", `2001:db8::${n}`, 0)
    assert.isTrue(first())
  })

  it("bounds the kinds", () => {
    const budget = new LineBudget()
    const all = admitted(budget, 10 * MAX_KINDS, 0, (n) => [`kind ${n}`, `192.0.2.${n}`])
    assert.strictEqual(all, MAX_KINDS + KIND_BURST)
    assert.deepStrictEqual(budget.takeHeld(), [{ kind: "others", lines: 9 * MAX_KINDS - KIND_BURST }])
  })

  it("counts all that was held back, also of what was told", () => {
    const counters = { held: 0 }
    const budget = new LineBudget(undefined, counters)
    for (let i = 0; i < 2; i++) {
      admitted(budget, 2 * KIND_BURST, 0, (n) => [`kind ${i}`, `192.0.2.${n}`])
      budget.takeHeld()
    }
    assert.strictEqual(counters.held, 2 * KIND_BURST)
  })
})
