import { assert, describe, it } from "vitest"
import { count, dateAndTime, daysUntil, duration, millis, octets, rate } from "../../../src/admin/page/numbers.ts"

describe("numbers of the status page", () => {
  it("are short, and say when they are not known", () => {
    assert.deepStrictEqual([count(1234567), rate(9.44), rate(0), rate(1234.5), millis(0.25), millis(1234), millis(0)], [
      "1,234,567",
      "9.4",
      "0",
      "1,235",
      "0.3",
      "1,234",
      "0"
    ])
    assert.deepStrictEqual([count(null), rate(undefined), millis(null), octets(null)], ["–", "–", "–", "–"])
  })

  it("have units of a thousand octets", () => {
    const amounts = [0, 999, 999.6, 1000, 99_949, 999_499, 999_500, 12_345_678_901, 5e15]
    assert.deepStrictEqual(amounts.map(octets), [
      "0 B",
      "999 B",
      "1.0 kB",
      "1.0 kB",
      "99.9 kB",
      "999 kB",
      "1.0 MB",
      "12.3 GB",
      "5,000 TB"
    ])
  })

  it("tell times in their two largest units", () => {
    const times = [-5, 999, 59_999, 61_000, 3_600_000, 93_784_000]
    assert.deepStrictEqual(times.map(duration), ["0 s", "0 s", "59 s", "1 min 1 s", "1 h 0 min", "1 d 2 h"])
    assert.match(dateAndTime(Date.UTC(2031, 5, 15)), /^1[45] Jun 2031, /)
    assert.deepStrictEqual([daysUntil(86_400_000 * 14, 1), daysUntil(0, 1)], [13, -1])
  })
})
