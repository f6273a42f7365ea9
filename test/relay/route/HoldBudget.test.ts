import { assert, it } from "@effect/vitest"
import { HoldBudget } from "../../../src/relay/route/HoldBudget.ts"

/** Holds of so many milliseconds, each begun as soon as it may be, until `end`; how long others waited in all. */
const waited = (millis: number, end: number): number => {
  const budget = new HoldBudget()
  let sum = 0
  for (let now = 100_000; now < 100_000 + end; now += 50) {
    if (budget.isSpent(now)) continue
    // Several at a time are one.
    for (let i = 0; i < 3; i++) budget.charge(now, now + millis)
    now += millis
    sum += millis
  }
  return sum
}

it("R4976-9.3-05: holds for one user last ten seconds in all, and then a third of the time", () => {
  assert.closeTo(waited(1000, 10_000), 10_000, 1000)
  assert.closeTo(waited(1000, 100_000), 40_000, 2000)
  assert.closeTo(waited(1900, 1_000_000), 340_000, 2000)
})

it("R4976-9.3-05: what others hardly notice is none", () => {
  const budget = new HoldBudget()
  for (let now = 0; now < 100_000; now += 250) budget.charge(now - 250, now)
  assert.isFalse(budget.isSpent(100_000))
  // Nor does it make a longer one that began with it any shorter.
  const other = new HoldBudget()
  for (let since = 0; since < 100_000; since += 400) {
    for (const millis of [200, 400]) other.charge(since, since + millis)
  }
  assert.isTrue(other.isSpent(100_000))
  for (let now = 100_251; now < 200_000; now += 251) budget.charge(now - 251, now)
  assert.isTrue(budget.isSpent(200_000))
})
