/** The bot that docs/client.md shows is the one that is run, and its reasons are those that there are. */
import { readFileSync } from "node:fs"
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

  it("names each reason of an error", () => {
    const source = readFileSync(join(root, "src/client/ClientError.ts"), "utf8")
    const there = Array.from(source.matchAll(/^ {2}\| "(\w+)"$/gm), ([, reason]) => reason!)
    const section = textOf(PAGE).split(/\n\| `reason` +\| why +\|\n/)[1]!
    const named = Array.from(section.matchAll(/^\| `([A-Z]\w+)` /gm), ([, reason]) => reason!)
    assert.isAbove(there.length, 8)
    assert.deepStrictEqual(named.toSorted(), there.toSorted())
  })
})
