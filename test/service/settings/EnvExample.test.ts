/** The documents say what the table says. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { settingsTable } from "../../../src/service/Settings.ts"
import { envExample } from "../../../src/service/settings/EnvExample.ts"
import { settingTables } from "../../documents/made/settings.ts"

describe("documents", () => {
  const file = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")
  const again = (path: string, source: string, what: string) =>
    `${path} is not what ${source} makes; write ${what} into it`

  it(".env.example is made from the table", () => {
    assert.strictEqual(
      file(".env.example"),
      envExample(),
      again(".env.example", "src/service/settings/EnvExample.ts", "envExample()")
    )
  })

  it(".env.example can be read when all of it is uncommented", async () => {
    const text = file(".env.example").replaceAll(/^#(?=MSRP_)/gm, "")
    const lines = text.split("\n").filter((line) => line.startsWith("MSRP_"))
    const env = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
    )
    assert.deepStrictEqual(Object.keys(env), settingsTable.map(({ variable }) => variable))
    const fromFile = ConfigProvider.fromDotEnvContents(text)
    for (const [variable, value] of Object.entries(env)) {
      const node = await Effect.runPromise(fromFile.load([variable]))
      assert.strictEqual(node?.value, value)
    }
  })

  it("docs/configuration.md has the tables", () => {
    // without the blanks and lines that align the columns
    const plain = (text: string) => text.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---")
    assert.include(
      plain(file("docs/configuration.md")),
      plain(settingTables()),
      again("docs/configuration.md", "test/documents/made/settings.ts", "settingTables()")
    )
  })
})
