/** Examples of TypeScript in documents are complete: they compile as they stand there, so whoever copies one has what it imports. */
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { documents, fencesIn, placeOf, root, textOf } from "./fences.ts"

describe("examples of TypeScript in documents", () => {
  // Those for web pages have types of their own (test/browser/Types.test.ts).
  const blocks = documents.filter((path) => path !== "docs/browser.md").flatMap(fencesIn)
    .filter(({ language }) => language === "ts")

  it("compile", { timeout: 180_000 }, () => {
    // Where packages are found, and by a name of its own: other checkouts may have the same packages.
    const folder = join(root, `node_modules/.cache/examples-${process.pid}`)
    const fileOf = (place: string): string => `${place.replaceAll(/\W/g, "_")}.ts`
    mkdirSync(folder, { recursive: true })
    for (const block of blocks) writeFileSync(join(folder, fileOf(placeOf(block))), `${block.code}\n`)
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: join(root, "tsconfig.json"),
        files: blocks.map((block) => fileOf(placeOf(block))),
        include: []
      })
    )
    const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" })
    rmSync(folder, { recursive: true })
    assert.isAbove(blocks.length, 15)
    assert.deepStrictEqual({ status, stdout }, { status: 0, stdout: "" })
  })

  it("of the README are the program that is run", () => {
    const own = fencesIn("README.md").find(({ language }) => language === "ts")
    assert.strictEqual(`${own!.code}\n`, textOf("examples/own-credentials.ts").replaceAll(/^\/\*\*.*?\*\/\n/gms, ""))
  })
})
