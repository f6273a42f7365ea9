import { assert, it } from "vitest"
import { HandshakeBudget, OCTETS_OF_ONE } from "../../src/transport/HandshakeBudget.ts"

const plain = (address: string) => address

it("R4976-9.3-06: an address has so many handshakes at once, then one after the other, others theirs", () => {
  const budget = new HandshakeBudget(10, plain)
  const waits = (address: string, count: number, now: number) =>
    Array.from({ length: count }, () => budget.reserve(address, now, 250))
  // Those of four seconds at once.
  assert.deepStrictEqual(new Set(waits("a", 40, 0)), new Set([0]))
  assert.deepStrictEqual(waits("a", 4, 0), [100, 200, undefined, undefined])
  assert.deepStrictEqual(waits("b", 1, 0), [0])
  // What was refused was not reserved.
  assert.deepStrictEqual(waits("a", 1, 50), [250])
  assert.deepStrictEqual(waits("a", 3, 1000), [0, 0, 0])
  assert.deepStrictEqual(new Set(waits("a", 40, 60_000)), new Set([0]))
  assert.deepStrictEqual(waits("a", 1, 60_000), [100])
})

it("R4976-9.3-06: a handshake with a long chain counts as several", () => {
  const budget = new HandshakeBudget(10, plain)
  const wait = () => budget.reserve("a", 0, Infinity)
  for (let i = 0; i < 40; i++) assert.strictEqual(wait(), 0)
  budget.spent("a", 1)
  budget.spent("a", OCTETS_OF_ONE)
  assert.strictEqual(wait(), 100)
  budget.spent("a", 25 * OCTETS_OF_ONE)
  assert.strictEqual(wait(), 200 + 2400)
  // What brings nothing has cost one all the same.
  budget.spent("a", 0)
  assert.strictEqual(wait(), 200 + 2500)
  budget.spent("nobody", 1_000_000)
  assert.strictEqual(budget.reserve("nobody", 0, 0), 0)
})

it("R4976-9.3-06: an address that was quiet for long has no more at once, even if many are to be forgotten before it", () => {
  const budget = new HandshakeBudget(10, plain)
  for (let i = 0; i < 1000; i++) budget.reserve(`a${i}`, 0, 0)
  for (let i = 0; i < 40; i++) assert.strictEqual(budget.reserve("a999", 60_000, 0), 0)
  assert.isUndefined(budget.reserve("a999", 60_000, 0))
})

it("R4976-9.3-06: addresses that have been quiet are forgotten, and never too many remembered", () => {
  const budget = new HandshakeBudget(10, (address) => address.split(".")[0]!)
  for (let i = 0; i < 100; i++) budget.reserve(`a${i}.x`, 0, 0)
  assert.strictEqual(budget.size, 100)
  for (let i = 0; i < 50; i++) budget.reserve(`a0.${i}`, 10_000, Infinity)
  assert.strictEqual(budget.size, 1)
  for (let i = 0; i < 20_000; i++) budget.reserve(`b${i}`, 10_000, 0)
  assert.strictEqual(budget.size, 16_384)
  // The oldest goes, and not the one that came.
  budget.reserve("late.x", 10_000, 0)
  budget.spent("late.y", 1000 * OCTETS_OF_ONE)
  assert.isUndefined(budget.reserve("late.z", 10_000, 60_000))
})
