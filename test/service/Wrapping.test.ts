import { assert, it } from "@effect/vitest"
import { wrapped } from "../../src/service/Wrapping.ts"

it("words that fit share a line; a longer one has its own", () => {
  assert.deepStrictEqual(wrapped("one two three".split(" "), 7), ["one two", "three"])
  assert.deepStrictEqual(wrapped("one-that-is-long two".split(" "), 4), ["one-that-is-long", "two"])
  assert.deepStrictEqual(wrapped([], 10), [])
})

it("a gap is between words, and an indent before all lines but the first", () => {
  assert.deepStrictEqual(wrapped(["a", "b", "c"], 4, { gap: "  ", indent: "- " }), ["a  b", "- c"])
  assert.deepStrictEqual(wrapped(["\u{1f44b}\u{1f44b}", "b"], 4), ["\u{1f44b}\u{1f44b} b"])
})
