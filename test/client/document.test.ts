/** What docs/client.md shows compiles, its bot is the one that is run, and its reasons are those that there are. */
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { fencesIn, root, textOf } from "../documents/fences.ts"

const PAGE = "docs/client.md"

describe(PAGE, () => {
  const blocks = fencesIn(PAGE).filter(({ language }) => language === "ts")

  it("shows the bot as it is, which is short", () => {
    const bot = textOf("examples/bot.ts")
    assert.include(blocks.map(({ code }) => `${code}\n`), bot)
    assert.isBelow(bot.split("\n").length, 45)
  })

  it("has examples that compile", { timeout: 180_000 }, () => {
    // Where packages are found, and by a name of its own: other checkouts may have the same packages.
    const folder = join(root, `node_modules/.cache/client-examples-${process.pid}`)
    mkdirSync(folder, { recursive: true })
    blocks.forEach(({ code }, i) => writeFileSync(join(folder, `block${i}.ts`), `${code}\n`))
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: join(root, "tsconfig.json"),
        files: blocks.map((_, i) => `block${i}.ts`),
        include: []
      })
    )
    const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" })
    rmSync(folder, { recursive: true })
    assert.isAbove(blocks.length, 4)
    assert.deepStrictEqual({ status, stdout }, { status: 0, stdout: "" })
  })

  it("names each reason of an error", () => {
    const source = readFileSync(join(root, "src/client/ClientError.ts"), "utf8")
    const there = Array.from(source.matchAll(/^ {2}\| "(\w+)"$/gm), ([, reason]) => reason!)
    const section = textOf(PAGE).split(/\n\| `reason` +\| why +\|\n/)[1]!
    const named = Array.from(section.matchAll(/^\| `([A-Z]\w+)` /gm), ([, reason]) => reason!)
    assert.isAbove(there.length, 8)
    assert.deepStrictEqual(named.toSorted(), there.toSorted())
  })
})
