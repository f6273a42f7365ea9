/** The names of metrics, and the document made from them. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { families } from "../../src/metrics/Catalogue.ts"
import { metricTables } from "../documents/made/metrics.ts"

describe("docs/metrics.md", () => {
  it("has the tables of all metrics", () => {
    // without the blanks and lines that align the columns
    const plain = (text: string) => text.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---")
    assert.include(
      plain(readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8")),
      plain(metricTables()),
      "docs/metrics.md is not what test/documents/made/metrics.ts makes; write metricTables() into it"
    )
  })
})

describe("names", () => {
  it("are each of one metric, and as Prometheus' conventions have them", () => {
    const names = families.map(({ name }) => name)
    assert.strictEqual(new Set(names).size, names.length)
    for (const { help, name, type } of families) {
      assert.match(name, /^msrp_relay_[a-z_]+$/)
      assert.strictEqual(type === "counter", name.endsWith("_total"), name)
      assert.notMatch(name, /octets|millis/, name)
      assert.notMatch(help, /[.|]$|\|/, name)
    }
  })
})
