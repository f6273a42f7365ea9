/** docs/log.md has every line of the log: the events by their table, the others by the words that stand in the code. */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { eventMessages } from "../../src/Relay.ts"
import { closeReasons } from "../../src/relay/Closing.ts"
import * as Loss from "../../src/relay/Loss.ts"
import { sessionEnds } from "../../src/relay/Session.ts"
import { eventTables } from "./made/events.ts"
import { eventTable, fieldMeanings } from "./made/eventTable.ts"

const root = new URL("../../", import.meta.url).pathname
const file = (path: string): string => readFileSync(root + path, "utf8")
const docs = file("docs/log.md")

/** A table without what the formatter makes of it. */
const plain = (text: string): string => text.replaceAll(/ +/g, " ").replaceAll(/-+/g, "-").trim()

const AGAIN = "node -e \"import('./test/documents/made/events.ts').then((m) => console.log(m.eventTables()))\""

/** All of the program's own code. */
const sources = readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => [path, file(`src/${path}`)] as const)

describe("docs/log.md", () => {
  it("has the table of events and that of their fields", () => {
    const between = /<!-- events -->([^]*)<!-- \/events -->/.exec(docs)?.[1] ?? ""
    assert.strictEqual(plain(between), plain(eventTables()), `between its marks: ${AGAIN}`)
  })

  it("tells of each event its fields, in the order of all fields, and no field is of no event", () => {
    const all = Object.keys(fieldMeanings)
    const used = new Set(["times"])
    for (const message of eventMessages) {
      const { always, sometimes } = eventTable[message]
      for (const names of [always, sometimes]) {
        assert.deepStrictEqual(
          [...names],
          all.filter((name) => (names as ReadonlyArray<string>).includes(name)),
          message
        )
        for (const name of names) used.add(name)
      }
      assert.isEmpty(always.filter((name) => sometimes.includes(name)), message)
    }
    assert.deepStrictEqual(all.filter((name) => !used.has(name)), [])
  })

  it("has each line that the code logs", () => {
    const lines = sources.flatMap(([path, text]) =>
      Array.from(
        text.matchAll(/Effect\.log(?:Info|Warning|Error|Debug|Fatal)\(\s*(["`])((?:(?!\1|\$\{)[^\\]|\\.)*)/g),
        ([, , line]) => [path, line!.trim()] as const
      )
    )
    assert.isAbove(lines.length, 20)
    const missing = lines.filter(([, line]) => !docs.includes(`\`${line}`))
    assert.deepStrictEqual(missing, [], "each stands in a table of docs/log.md, with what to do")
  })

  it("has each line that the code logs by a name", () => {
    // Their lines are those of settings ("Warnings at start"), or stand where the function is called.
    const given = new Set(["warning", "message"])
    const lines = sources.flatMap(([path, text]) =>
      Array.from(text.matchAll(/Effect\.log(?:Info|Warning|Error|Debug|Fatal)\(\s*(\w+)\s*\)/g), ([, name]) => name!)
        .filter((name) => !given.has(name))
        .flatMap((name) => {
          const value = new RegExp(`const ${name} = ([^;]*?)\n *(?:\n|\\w|/\\*)`).exec(text)?.[1] ?? ""
          const words = Array.from(value.matchAll(/"([^"]+)"/g), ([, line]) => [path, line!] as const)
          return words.length > 0 ? words : [[path, `${name}, whose words are not found`] as const]
        })
    )
    assert.isAbove(lines.length, 4)
    assert.deepStrictEqual(lines.filter(([, line]) => !docs.includes(`\`${line}\``)), [])
  })

  it("has each reason: why messages are lost, why sessions end, why connections do", () => {
    const causes = Object.values(Loss).flatMap((loss) =>
      typeof loss === "function" ? [] : typeof loss === "string" ? [loss] : [loss.cause]
    )
    assert.isAbove(causes.length, 6)
    assert.deepStrictEqual(
      [...causes, ...sessionEnds, ...Object.keys(closeReasons)].filter((text) => !docs.includes(`\`${text}\``)),
      []
    )
  })
})
