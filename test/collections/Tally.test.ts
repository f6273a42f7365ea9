import { assert, it } from "vitest"
import { Tally } from "../../src/collections/Tally.ts"

it("counts for each, and never below nothing", () => {
  const tally = new Tally<string>()
  tally.more("alice")
  assert.strictEqual(tally.more("alice"), 2)
  tally.more("carol")
  assert.deepStrictEqual([tally.of("alice"), tally.of("carol"), tally.of("bob")], [2, 1, 0])
  assert.strictEqual(tally.size, 2)
  tally.less("alice")
  tally.less("carol")
  tally.less("bob")
  assert.deepStrictEqual([tally.of("alice"), tally.of("carol"), tally.of("bob")], [1, 0, 0])
  assert.strictEqual(tally.size, 1)
})
