import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { placesOf, rankedPage } from "../../../src/relay/edge/RankedPage.ts"

interface One {
  readonly at: number
  readonly rank: number
}

const ones = (ranks: ReadonlyArray<number>): ReadonlyArray<One> => ranks.map((rank, at) => ({ at, rank }))

describe("rankedPage", () => {
  it("gives a page of all in order; those with as much in the order in which they came", () => {
    fc.assert(fc.property(fc.array(fc.nat(20)), fc.nat(40), fc.nat(40), (ranks, from, most) => {
      const all = ones(ranks)
      const sorted = all.toSorted((a, b) => b.rank - a.rank || a.at - b.at)
      assert.deepStrictEqual(rankedPage(all, ranks, from, most), sorted.slice(from, from + most))
    }))
  })

  it("sorts those of the page only, wherever it is", () => {
    for (const from of [0, 25_000, 49_900]) {
      const all = ones(Array.from({ length: 50_000 }, (_, i) => i * 7919 % 50_021))
      const top = rankedPage(all, all.map(({ rank }) => rank), from, 100)
      assert.lengthOf(top, 100)
      assert.lengthOf(placesOf(Float64Array.from(all, ({ rank }) => rank), from, 100), 100)
      assert.isTrue(top.every(({ rank }, i) => i === 0 || top[i - 1]!.rank > rank))
    }
  })

  it("is a page even where all have as much", () => {
    const ranks = new Float64Array(50_000)
    assert.deepStrictEqual(placesOf(ranks, 49_900, 100), Array.from({ length: 100 }, (_, i) => 49_900 + i))
  })
})
