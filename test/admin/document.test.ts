/** What docs/admin.md shows is what compiles, and runs against each release. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, it } from "vitest"

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8")

it("the example of a program with the API is the one that is run", () => {
  assert.include(read("docs/admin.md"), `\`\`\`ts\n${read("examples/with-admin.ts")}\`\`\``)
})
