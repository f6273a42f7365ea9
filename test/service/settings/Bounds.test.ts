/** What a number, a time or a size may be is what documents say: both ends, and nothing beyond them. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { decode } from "../../../src/service/settings/codecs/Codec.ts"
import { settingsTable, variables } from "../../../src/service/settings/Table.ts"

const bounds = /^(?:0, or )?(a whole number|a time|a size) (?:from|of) (.+?) to (.+?)(?:, in whole seconds)?$/

const bounded = Object.values(variables).flatMap(({ codec, default: fallback, expects, variable }) => {
  const [, what, least, most] = bounds.exec(expects) ?? []
  const read = (text: string): number | undefined => {
    const result = decode(codec, text)
    return Result.isSuccess(result) ? result.success as number : undefined
  }
  return what === undefined ? [] : [{ variable, what, least: least!, most: most!, fallback, read }]
})

describe("bounds", () => {
  it("are told of most variables that have a number", () => {
    assert.isAbove(bounded.length, 35)
    const numbers = settingsTable.filter(({ expects }) => /\bnumber\b|\btime\b|\bsize\b/.test(expects))
    assert.deepStrictEqual(numbers.map(({ variable }) => variable), bounded.map(({ variable }) => variable))
  })

  it.each(bounded)("$variable is $what of $least to $most", ({ fallback, least, most, read, what }) => {
    const [from, to] = [read(least), read(most)]
    assert(from !== undefined && to !== undefined)
    // Of a time the next one is a millisecond away, or what goes on the wire a second.
    const beside = (value: number, by: number): string =>
      what === "a time" ? `${1000 * value + by} ms` : `${value + by}`
    assert.isUndefined(read(beside(to, 1)))
    assert.isUndefined(read(beside(to, 1000)))
    if (from > 0) assert.isUndefined(read(beside(from, -1)))
    assert.isUndefined(read("-1"))
    if (fallback !== undefined) assert.isDefined(read(fallback))
  })
})
