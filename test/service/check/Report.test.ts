import { stripVTControlCharacters } from "node:util"
import { assert, describe, it } from "vitest"
import { findingsOf } from "../../../src/service/check/Finding.ts"
import { toJson, toTable } from "../../../src/service/check/Report.ts"

const circumstances = { version: "1.2.3", node: "24.0.0", user: "msrp" }
const settings = findingsOf("settings")
const files = findingsOf("files")

const findings = [
  files.warning("/key", "everybody on this machine may read it", "chmod o-rwx /key"),
  files.ok("/cert", "can be read"),
  settings.problem("MSRP_X", "is wrong"),
  findingsOf("names").skipped("", "the relay is on loopback only")
]

const table = (width: number, colours = false, all = findings) => toTable(all, circumstances, { width, colours })

describe("the table", () => {
  it("has a word for each status, in the order of the checks, each of which is named once", () => {
    assert.strictEqual(
      table(120),
      `\
msrp-relay 1.2.3, Node.js 24.0.0, as msrp

  \u2717 PROBLEM  settings      MSRP_X: is wrong
  ! warning  files         /key: everybody on this machine may read it
                           \u2192 chmod o-rwx /key
  \u2713 ok                     /cert: can be read
  - skipped  names         the relay is on loopback only

1 problem, 1 warning`
    )
  })

  it("says the same with colours", () => {
    const coloured = table(120, true)
    assert.notStrictEqual(coloured, table(120))
    assert.strictEqual(stripVTControlCharacters(coloured), table(120))
  })

  it("is as wide as the terminal, where that is wide enough", () => {
    assert.isAtMost(Math.max(...table(67).split("\n").map((line) => line.length)), 67)
    assert.match(table(67), /: everybody on this[a-z ]*\n {27}[a-z ]+\n/)
  })

  it("says at its end whether the service would work", () => {
    assert.match(table(120, false, findings.slice(0, 2)), /\nNo problem, 1 warning: the service would work$/)
    assert.match(table(120, false, findings.slice(1, 2)), /\nAll is well$/)
  })

  it("has no control characters of what it tells", () => {
    assert.include(table(120, false, [files.ok("/a\u001b[2Jb\n", "is there")]), "/a [2Jb : is there")
  })
})

describe("the document", () => {
  it("has the verdict, the circumstances and all findings", () => {
    assert.deepStrictEqual(JSON.parse(toJson(findings, circumstances)), {
      ok: false,
      problems: 1,
      warnings: 1,
      ...circumstances,
      findings
    })
    assert.isTrue(JSON.parse(toJson(findings.slice(0, 2), circumstances)).ok)
  })
})
