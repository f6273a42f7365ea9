/**
 * Which requirements of the RFCs are proven, by the titles of the tests that passed in the last run of `npm test`.
 *
 *     node test/conformance/report.ts           prints a list
 *     node test/conformance/report.ts --write   writes docs/conformance.md
 *     node test/conformance/report.ts --check   fails when docs/conformance.md says something else
 *
 * Fails when a test cites a requirement that does not exist.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { relative } from "node:path"
import { citations } from "./citations.ts"
import { groups, type Requirement } from "./requirements.ts"

const ROOT = new URL("../..", import.meta.url).pathname
const RESULTS = `${ROOT}node_modules/.cache/tests.json`
const DOCUMENT = `${ROOT}docs/conformance.md`

interface Results {
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly assertionResults: ReadonlyArray<{ readonly fullName: string; readonly status: string }>
  }>
}

const LEVELS = { M: "must", S: "should", Y: "may", D: "derived" } as const

/** The test files that prove each requirement. */
const proofs = (): ReadonlyMap<string, ReadonlySet<string>> => {
  const { testResults } = JSON.parse(readFileSync(RESULTS, "utf8")) as Results
  const found = new Map<string, Set<string>>()
  for (const { assertionResults, name } of testResults) {
    for (const { fullName, status } of assertionResults) {
      if (status !== "passed") continue
      for (const id of citations(fullName)) {
        const files = found.get(id) ?? new Set()
        found.set(id, files.add(relative(`${ROOT}test`, name)))
      }
    }
  }
  return found
}

const proven = proofs()
const all = groups.flatMap(({ requirements }) => requirements)
const known = new Set(all.map(({ id }) => id))
const unknown = [...proven.keys()].filter((id) => !known.has(id))

const stateOf = ({ id, reason }: Requirement): "proven" | "not applicable" | "open" =>
  proven.has(id) ? "proven" : reason === undefined ? "open" : "not applicable"

const count = (requirements: ReadonlyArray<Requirement>, state: string): number =>
  requirements.filter((one) => stateOf(one) === state).length

const proofOf = (one: Requirement): string => {
  const state = stateOf(one)
  if (state === "open") return "**open**"
  return state === "proven" ? [...proven.get(one.id)!].toSorted().join(", ") : `not applicable: ${one.reason}`
}

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: ReadonlyArray<string>): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n")
}

const document = (): string => {
  const sums = groups.map(({ letter, requirements, title }) => [
    `${letter}. ${title}`,
    String(requirements.length),
    ...["proven", "not applicable", "open"].map((state) => String(count(requirements, state)))
  ])
  const total = [
    "all",
    String(all.length),
    ...["proven", "not applicable", "open"].map((state) => String(count(all, state)))
  ]
  return `# Conformance

What RFC 4976, RFC 4975 and their neighbours require of a relay, and the tests that prove it. This page is made from the
titles of the tests that pass: \`npm run conformance -- --write\`. An id is RFC, section and number; "derived" is what follows
from several rules, or fills a gap, with a reading of ours. Files are those in \`test/\`.

${readFileSync(new URL("readings.md", import.meta.url), "utf8").trim()}

${table(["Group", "Requirements", "Proven", "Not applicable", "Open"], [...sums, total])}

${
    groups.map(({ letter, requirements, title }) =>
      `## ${letter}. ${title}\n\n${
        table(
          ["Id", "Level", "Requirement", "Proof"],
          requirements.map((
            one
          ) => [one.id, LEVELS[one.level], one.text.replaceAll("|", "\\|").replaceAll("*", "\\*"), proofOf(one)])
        )
      }`
    ).join("\n\n")
  }
`
}

if (process.argv.includes("--write")) writeFileSync(DOCUMENT, document())
else if (!process.argv.includes("--check")) {
  for (const one of all) {
    console.log(`${stateOf(one).padEnd(14)} ${one.id.padEnd(16)} ${LEVELS[one.level].padEnd(7)} ${one.text}`)
  }
}
console.log(
  `${all.length} requirements: ${count(all, "proven")} proven, ${count(all, "not applicable")} not applicable, ` +
    `${count(all, "open")} open`
)
for (const id of unknown) console.error(`${id} is cited, and there is no such requirement`)
if (unknown.length > 0) process.exitCode = 1
if (process.argv.includes("--check") && readFileSync(DOCUMENT, "utf8") !== document()) {
  console.error("docs/conformance.md says something else: look what has changed, then npm run conformance -- --write")
  process.exitCode = 1
}
