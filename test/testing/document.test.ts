/** What docs/testing.md shows is what is run. */
import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as testing from "../../src/testing.ts"

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8")
const page = read("docs/testing.md")

it("the example is the one that is run, and short", () => {
  const example = read("examples/expiry.test.ts")
  assert.include(page, `\`\`\`ts\n${example}\`\`\``)
  assert.isBelow(example.split("\n").length, 61)
})

it("each contract is named, and there", () => {
  const there = Object.keys(testing).filter((name) => name.endsWith("Contract")).toSorted()
  const named = new Set(Array.from(page.matchAll(/\b\w+Contract\b/g), ([name]) => name))
  assert.deepStrictEqual([...named].toSorted(), there)
})
