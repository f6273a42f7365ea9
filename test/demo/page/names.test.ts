import { assert, it } from "vitest"
import { distinctName, MAX_NAME, nameOf, someName } from "../../../src/demo/page/names.ts"

it("a name is made up of two words", () => {
  assert.strictEqual(someName(() => 0), "Amber Badger")
  assert.strictEqual(someName(() => 0.999), "Teal Seal")
})

it("a name is on one line, and not too long", () => {
  assert.strictEqual(nameOf("  Ada\n\tLovelace\u2028\u202e "), "Ada Lovelace")
  assert.strictEqual(nameOf("\u0000 \u200b"), "")
  assert.lengthOf(Array.from(nameOf("\u{1F600}".repeat(99))), MAX_NAME)
})

it("a name that somebody has gets a number", () => {
  assert.strictEqual(distinctName("Ada", ["Bob"]), "Ada")
  assert.strictEqual(distinctName("Ada", ["Ada", "Ada 2"]), "Ada 3")
  assert.isAtMost(distinctName("x".repeat(MAX_NAME), ["x".repeat(MAX_NAME)]).length, MAX_NAME)
})
