/** When an operator is told that a certificate ends. */
import { assert, describe, it } from "vitest"
import { concernOf, isValid } from "../../../src/service/settings/Validity.ts"

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)

/** Days before its end at which one that is valid for so many is warned of first. */
const warnedAt = (days: number): number => {
  const validity = { from: START, to: START + days * DAY }
  for (let left = days; left > 0; left--) if (concernOf(validity, validity.to - left * DAY) !== undefined) return left
  return 0
}

describe("a certificate that ends", () => {
  it("is warned of from 14 days before on, of a short life in its last third", () => {
    assert.deepStrictEqual([365, 90, 45, 42, 30, 6].map(warnedAt), [14, 14, 14, 14, 10, 2])
  })

  it("is warned of with the days that are left, also when it is over, or not valid yet", () => {
    const validity = { from: START, to: START + 90 * DAY }
    const said = [-1, 83, 89, 89.5, 91].map((days) => concernOf(validity, START + days * DAY))
    assert.deepStrictEqual(said, [
      "is valid only from 2026-01-01T00:00:00.000Z on",
      "expires on 2026-04-01T00:00:00.000Z, in 7 days",
      "expires on 2026-04-01T00:00:00.000Z, in a day",
      "expires on 2026-04-01T00:00:00.000Z, in less than a day",
      "expired on 2026-04-01T00:00:00.000Z"
    ])
    assert.deepStrictEqual([-1, 0, 90, 91].map((days) => isValid(validity, START + days * DAY)), [
      false,
      true,
      true,
      false
    ])
  })
})
