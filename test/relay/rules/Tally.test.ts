import { assert, it } from "vitest"
import { Tally } from "../../../src/relay/rules/Tally.ts"

it("counts for each, and never below nothing", () => {
  const tally = new Tally()
  tally.more("alice")
  tally.more("alice")
  tally.more("carol")
  assert.deepStrictEqual([tally.of("alice"), tally.of("carol"), tally.of("bob")], [2, 1, 0])
  tally.less("alice")
  tally.less("carol")
  tally.less("bob")
  assert.deepStrictEqual([tally.of("alice"), tally.of("carol"), tally.of("bob")], [1, 0, 0])
})
