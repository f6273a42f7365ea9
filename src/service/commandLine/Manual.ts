/** The man page, `msrp-relay.1`: the help, and facts that are not about the command line. */
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import type { HelpDoc } from "effect/cli/HelpDoc"
import * as Effect from "effect/Effect"
import { sectionsOf, usagesOf } from "./Help.ts"

/** Maximum depth of nested subcommands. */
const MAX_DEPTH = 8

/** The help of a command and of all its subcommands, in the order in which they are listed. */
export const documentsOf = Effect.fnUntraced(function*<Name extends string, Input, E, R, ContextInput>(
  command: Command.Command<Name, Input, ContextInput, E, R>
) {
  const found: Array<HelpDoc> = []
  const run = Command.runWith(command, { version: "" })
  const collect = (event: CliOutput.Presenter.Event) =>
    Effect.sync(() => {
      if (event._tag === "Help") found.push(event.helpDoc)
    })
  const open: Array<ReadonlyArray<string>> = [[]]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    yield* Effect.provideService(run([...path, "--help"]), CliOutput.Presenter, { present: collect })
    const below = (found.at(-1)?.subcommands ?? []).flatMap(({ commands }) => commands)
    if (path.length === MAX_DEPTH) continue
    for (const { name } of below.toReversed()) open.push([...path, name])
  }
  return found
})

/** Text escaped for roff. */
const escaped = (text: string): string =>
  text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll(/^([.'])/gm, "\\&$1").replaceAll(
    /`([^`]*)`/g,
    "\\fB$1\\fR"
  )

const paragraphs = (text: string): ReadonlyArray<string> =>
  text.split("\n\n").flatMap((one, index) => index === 0 ? [escaped(one)] : [".PP", escaped(one)])

const rows = (all: ReadonlyArray<readonly [string, string]>): ReadonlyArray<string> =>
  all.flatMap(([name, text]) => [".TP", `\\fB${escaped(name)}\\fR`, escaped(text)])

const examples = (all: ReadonlyArray<{ readonly command: string; readonly description?: string | undefined }>) =>
  all.flatMap(({ command, description = "" }) => [".TP", escaped(description), `\\fB${escaped(command)}\\fR`])

/** Facts for the man page that the help does not contain. */
interface ManualFacts {
  readonly version: string
  /** Date of the version, such as 2026-11-28. */
  readonly date: string
  readonly environment: ReadonlyArray<readonly [name: string, text: string]>
  readonly exitCodes: ReadonlyArray<readonly [name: string, text: string]>
  readonly files: ReadonlyArray<readonly [name: string, text: string]>
  readonly seeAlso: string
}

/** The man page in roff, from the help of the program and of all its subcommands. */
export const manualPage = (documents: ReadonlyArray<HelpDoc>, facts: ManualFacts): string => {
  const [program, ...subcommands] = documents
  if (program === undefined) return ""
  const name = program.commandPath?.[0] ?? ""
  const everywhere = sectionsOf(program).find(({ title }) => title === "Everywhere")?.rows ?? []
  const lines: Array<string> = [
    `.TH ${name.toUpperCase()} 1 ${facts.date} "${name} ${facts.version}" "User Commands"`,
    ".SH NAME",
    `${escaped(name)} \\- relay of the Message Session Relay Protocol (RFC 4976)`,
    ".SH SYNOPSIS"
  ]
  for (const [index, usage] of usagesOf(program).entries()) {
    lines.push(...index === 0 ? [] : [".br"], `\\fB${escaped(usage)}\\fR`)
  }
  lines.push(".SH DESCRIPTION", ...paragraphs(program.description), ".SH OPTIONS", ...rows(everywhere))
  lines.push(".SH SUBCOMMANDS")
  for (const doc of subcommands) {
    // Includes commands that only group subcommands; those have headings of their own.
    lines.push(`.SS ${escaped((doc.commandPath ?? []).join(" "))}`, ...paragraphs(doc.description))
    for (const section of sectionsOf(doc)) {
      if (section.title === "Subcommands") continue
      lines.push(...rows(section.rows ?? []))
      if (section.examples !== undefined) lines.push(".PP", "Examples:", ...examples(section.examples))
    }
  }
  lines.push(".SH ENVIRONMENT", ...rows(facts.environment))
  lines.push(".SH EXIT STATUS", ...rows(facts.exitCodes))
  lines.push(".SH FILES", ...rows(facts.files))
  lines.push(".SH SEE ALSO", escaped(facts.seeAlso))
  return `${lines.join("\n")}\n`
}
