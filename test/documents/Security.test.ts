/** The tables of docs/security.md: each proof of a threat is there, each counter counts, and those with a star are logged. */
import { globSync } from "node:fs"
import { assert, describe, it } from "vitest"
import { zeroCounters } from "../../src/relay/Counters.ts"
import { citations } from "../conformance/citations.ts"
import { root, textOf } from "./fences.ts"

const document = textOf("docs/security.md")

/** Rows below a heading, by their cells. */
const rowsOf = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const [, section = ""] = new RegExp(`^## ${heading}\n(.*?)^## `, "ms").exec(document) ?? []
  return section.split("\n").filter((line) => line.startsWith("| ")).slice(1)
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
    .filter(([first]) => !/^-+$/.test(first!))
}

describe("threats in docs/security.md", () => {
  const rows = rowsOf("Threats")
  const proofs = new Map(
    [...textOf("docs/conformance.md").matchAll(/^\| (R\d\S+) .*\| (.+?) +\|$/gm)].map(([, id, proof]) => [id!, proof!])
  )

  it("have proofs that there are: tests, and requirements that tests prove", () => {
    assert.isAbove(rows.length, 25)
    const wrong = rows.flatMap(([threat, , proof]) => {
      const files = [...proof!.matchAll(/`([^`]+)`/g)].map(([, path]) => path!)
      const ids = citations(proof!)
      const missing = [
        ...files.filter((path) => globSync(path, { cwd: root }).length === 0),
        ...ids.filter((id) => !/\.test\.ts/.test(proofs.get(id) ?? ""))
      ]
      return files.length + ids.length === 0 ? [`${threat}: nothing`] : missing.map((one) => `${threat}: ${one}`)
    })
    assert.deepStrictEqual(wrong, [])
  })
})

describe("limits in docs/security.md", () => {
  const counters = rowsOf("Limits, and what counts them").flatMap(([, , , , counter]) =>
    [...counter!.matchAll(/(gauge )?`([^`]+)`(\*?)/g)].map(([, gauge, name, star]) => ({
      name: name!,
      isGauge: gauge !== undefined,
      star: star === "*"
    }))
  )

  it("are counted by what there is", () => {
    assert.isAbove(counters.length, 25)
    const gauges = textOf("src/relay/Gauges.ts")
    assert.deepStrictEqual(
      counters.filter(({ isGauge, name }) =>
        isGauge ? !gauges.includes(`readonly ${name}: number`) : !(name in zeroCounters())
      ),
      []
    )
  })

  it("have a star where the log tells of them once a minute", () => {
    const [, told] = /TROUBLE = \[(.*?)\]/s.exec(textOf("src/relay/edge/TroubleLog.ts"))!
    const names = [...told!.matchAll(/"(\w+)"/g)].map(([, name]) => name!)
    assert.deepStrictEqual(new Set(counters.filter(({ star }) => star).map(({ name }) => name)), new Set(names))
    assert.deepStrictEqual(counters.filter(({ name, star }) => !star && names.includes(name)), [])
  })
})
