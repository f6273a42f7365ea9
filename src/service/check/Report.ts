/** The report of a check, as text and as JSON. */
import { styleText } from "node:util"
import { wrapped } from "../Wrapping.ts"
import { CHECKS, type Finding, type Status } from "./Finding.ts"

/** The versions that were checked, and the user that ran the check. */
interface Circumstances {
  readonly version: string
  /** The version of Node.js. */
  readonly node: string
  /** The user whose permissions were tried. */
  readonly user: string
}

interface Verdict {
  readonly problems: number
  readonly warnings: number
}

export const verdictOf = (findings: ReadonlyArray<Finding>): Verdict => {
  const count = (status: Status) => findings.filter((one) => one.status === status).length
  return { problems: count("problem"), warnings: count("warning") }
}

/** The report as one JSON document. */
export const toJson = (findings: ReadonlyArray<Finding>, circumstances: Circumstances): string => {
  const { problems, warnings } = verdictOf(findings)
  return JSON.stringify({ ok: problems === 0, problems, warnings, ...circumstances, findings }, undefined, 2)
}

/** A sign and a word for each status, so that the report needs neither colours nor a special font. */
const words: { readonly [S in Status]: readonly [text: string, style: Parameters<typeof styleText>[0]] } = {
  ok: ["\u2713 ok", "green"],
  warning: ["! warning", "yellow"],
  problem: ["\u2717 PROBLEM", ["red", "bold"]],
  skipped: ["- skipped", "dim"]
}

const MARGIN = "  "
const STATUS_WIDTH = 11
const NAME_WIDTH = Math.max(...CHECKS.map((name) => name.length)) + 2
/** Columns before the text. */
const INDENT = MARGIN.length + STATUS_WIDTH + NAME_WIDTH

/** Minimum width of the text, even in a narrower terminal. */
const MIN_TEXT = 40

interface TableOptions {
  /** Columns of the terminal. */
  readonly width: number
  readonly colours: boolean
}

/** The report as a table, in which problems stand out and each check is named once. */
export const toTable = (
  findings: ReadonlyArray<Finding>,
  { node, user, version }: Circumstances,
  { colours, width }: TableOptions
): string => {
  const styled = (style: Parameters<typeof styleText>[0], text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text
  const columns = Math.max(MIN_TEXT, width - INDENT)
  const rows: Array<string> = []
  for (const look of CHECKS) {
    for (const [index, { hint, message, status, subject }] of findings.filter((one) => one.look === look).entries()) {
      const [word, style] = words[status]
      const [first = "", ...others] = linesOf(subject === "" ? message : `${subject}: ${message}`, columns)
      rows.push(
        MARGIN + styled(style, word.padEnd(STATUS_WIDTH)) + (index === 0 ? look : "").padEnd(NAME_WIDTH) + first
      )
      for (const line of others) rows.push(" ".repeat(INDENT) + line)
      if (hint === undefined) continue
      for (const line of linesOf(`\u2192 ${hint}`, columns)) rows.push(" ".repeat(INDENT) + styled("cyan", line))
    }
  }
  const { problems, warnings } = verdictOf(findings)
  const last = problems > 0
    ? styled(["red", "bold"], `${counted(problems, "problem")}, ${counted(warnings, "warning")}`)
    : warnings > 0
    ? styled("yellow", `No problem, ${counted(warnings, "warning")}: the service would work`)
    : styled("green", "All is well")
  return [`msrp-relay ${version}, Node.js ${node}, as ${user}`, "", ...rows, "", last].join("\n")
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

/** Control characters, which values of variables and certificates may contain, and a terminal would interpret. */
const CONTROL = /\p{Cc}+/gu

/** The lines of a text, wrapped to some columns. */
const linesOf = (text: string, columns: number): ReadonlyArray<string> =>
  wrapped(text.replace(CONTROL, " ").split(" "), columns)
