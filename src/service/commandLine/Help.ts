/** Help for a terminal, wrapped to its width, with the most important things first. */
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import type { FlagDoc, HelpDoc } from "effect/cli/HelpDoc"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { styleText } from "node:util"
import { documentsFolder } from "../DocumentsFolder.ts"
import { wrapped } from "../Wrapping.ts"

/** Columns if the output is not a terminal, and at most in a terminal, because longer lines are hard to read. */
const WIDTH = 80
const MAX_WIDTH = 100
const MIN_WIDTH = 40

/** Maximum width of the first column of a table; longer names get a line of their own. */
const MAX_NAMES = 30

const MARGIN = "  "

/** The names of a flag, short ones first as in manuals, and its parameter. */
export const flagName = ({ aliases, name, type }: FlagDoc): string =>
  [...aliases, `--${name}`].join(", ") + (type === "boolean" ? "" : ` ${metavar(type)}`)

const metavar = (type: string): string =>
  type === "integer" ? "NUMBER" : /[A-Z|]/.test(type) ? type : type.toUpperCase()

/** The description of a flag. Its choices are part of its name. */
const flagText = ({ description, required }: FlagDoc): string =>
  `${Option.getOrElse(description, () => "").replace(/ ?\(choices: [^)]*\)$/, "")}${required ? " (required)" : ""}`

/** A section of the help: rows or paragraphs. */
interface Section {
  readonly title: string
  readonly paragraphs?: ReadonlyArray<string>
  readonly rows?: ReadonlyArray<readonly [name: string, text: string]>
  readonly examples?: ReadonlyArray<{ readonly command: string; readonly description?: string | undefined }>
}

/** The usage lines of a command: without a subcommand, with one, or both. */
export const usagesOf = ({ args = [], commandPath = [], flags, subcommands = [], usage }: HelpDoc): ReadonlyArray<
  string
> => {
  const name = commandPath.join(" ") || usage
  const takes = [
    ...flags.filter(({ required }) => required).map((flag) => flagName(flag)),
    ...(flags.some(({ required }) => !required) ? ["[options]"] : []),
    ...args.map((arg) => arg.required ? arg.name.toUpperCase() : `[${arg.name.toUpperCase()}]`)
  ]
  if (subcommands.length === 0) return [[name, ...takes].join(" ")]
  // Only the top command does something without a subcommand.
  return [...commandPath.length > 1 ? [] : [name], [name, ...takes, "SUBCOMMAND ..."].join(" ")]
}

/** The sections of a command, for help and man page. */
export const sectionsOf = (doc: HelpDoc): ReadonlyArray<Section> => {
  const rowsOf = (flags: ReadonlyArray<FlagDoc> = []) => flags.map((flag) => [flagName(flag), flagText(flag)] as const)
  const commands = (doc.subcommands ?? []).flatMap((group) => group.commands)
  const sections: ReadonlyArray<Section> = [
    { title: "Subcommands", rows: commands.map((one) => [one.name, one.shortDescription ?? one.description]) },
    {
      title: "Arguments",
      rows: (doc.args ?? []).map(({ description, name }) =>
        [name.toUpperCase(), Option.getOrElse(description, () => "")] as const
      )
    },
    { title: "Options", rows: [...rowsOf(doc.flags), ...rowsOf(doc.inheritedFlags)] },
    // Global flags apply to all subcommands, and are shown once.
    { title: "Everywhere", rows: (doc.commandPath ?? []).length > 1 ? [] : rowsOf(doc.globalFlags) },
    { title: "Examples", examples: doc.examples ?? [] }
  ]
  return sections.filter(({ examples = [], rows = [] }) => examples.length + rows.length > 0)
}

/** The lines of a text, wrapped to a width. */
const linesOf = (text: string, width: number): ReadonlyArray<string> => wrapped(text.split(/\s+/), width)

interface HelpOptions {
  /** Columns of the terminal. */
  readonly width: number
  readonly colours: boolean
  /** The folder of the documents, if it is installed. */
  readonly documents?: string | undefined
}

/** Whether to show the folder of documents: for the top command, and for commands that mention a document. */
const wantsDocuments = ({ commandPath = [], description }: HelpDoc): boolean =>
  commandPath.length <= 1 || description.includes("docs/")

/** The help of a command. */
export const helpText = (doc: HelpDoc, { colours, documents, width }: HelpOptions): string => {
  const styled = (style: Parameters<typeof styleText>[0], text: string): string =>
    colours ? styleText(style, text, { validateStream: false }) : text
  const inner = width - MARGIN.length
  const [first, ...usages] = usagesOf(doc)
  const lines: Array<string> = [`${styled("bold", "Usage:")} ${first}`]
  for (const usage of usages) lines.push(`       ${usage}`)
  for (const paragraph of doc.description.split("\n\n")) lines.push("", ...linesOf(paragraph, width))
  for (const { examples = [], rows = [], title } of sectionsOf(doc)) {
    lines.push("", styled("bold", title))
    const names = Math.min(MAX_NAMES, Math.max(0, ...rows.map(([name]) => name.length)))
    for (const [name, text] of rows) {
      const [head = "", ...others] = linesOf(text, inner - names - MARGIN.length)
      const blank = `${MARGIN}${" ".repeat(names)}${MARGIN}`
      const shown = `${MARGIN}${styled("cyan", name)}`
      if (name.length > names) lines.push(shown, `${blank}${head}`)
      else lines.push(`${shown}${" ".repeat(names - name.length)}${MARGIN}${head}`)
      for (const other of others) lines.push(`${blank}${other}`)
    }
    for (const { command, description } of examples) {
      if (description !== undefined) lines.push(`${MARGIN}${styled("dim", `# ${description}`)}`)
      lines.push(`${MARGIN}${command}`)
    }
  }
  if (documents !== undefined && wantsDocuments(doc)) {
    // Not wrapped, so that the path stays whole.
    lines.push("", styled("bold", "Documents"), `${MARGIN}${documents}`)
  }
  return lines.map((line) => line.trimEnd()).join("\n")
}

const widthOf = (stream: NodeJS.WriteStream): number =>
  Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, stream.isTTY ? stream.columns : WIDTH))

/** Text that Effect's messages put before suggested names. */
const SUGGESTED = "\n\n  Did you mean this?\n"

/** What is expected of a value, in the words of the settings ("must be"), and a choice without quotation marks. */
const expectation = (message: string): string =>
  message.replace(". Expected: Schema validation failed: ", ": ")
    .replace(". Expected a string representing a finite number", ": must be a number")
    .replace(/(?<=\. Expected: )"[^"]*"(?: \| "[^"]*")*$/, (words) =>
      words.replaceAll("\"", "").split(" | ").join(", ").replace(/, ([^,]*)$/, " or $1"))
    .replace(/\. Expected: (?!.*\. Expected: )/s, ": must be ")

const meant = (error: CliError.NonShowHelpErrors): string => {
  const [name, ...others] = "suggestions" in error ? error.suggestions : []
  if (name === undefined) return expectation(error.message)
  return `${error.message.slice(0, error.message.lastIndexOf(SUGGESTED))}; did you mean ${
    [name, ...others].join(" or ")
  }?`
}

/** An error of the command line on one line, because the whole help would hide it. */
const complaint = (path: ReadonlyArray<string>, errors: ReadonlyArray<CliError.NonShowHelpErrors>): string => {
  const name = path.join(" ")
  // The typed text is part of the message, so control characters are replaced.
  const text = (error: CliError.NonShowHelpErrors) => meant(error).replaceAll(/\p{Cc}/gu, "\uFFFD")
  return [...errors.map((error) => `${name}: ${text(error)}`), `See ${name} --help`].join("\n")
}

/** Writes help and version to standard output, and errors of the command line to standard error. */
export const presenter: CliOutput.Presenter = {
  present: Effect.fnUntraced(function*(event) {
    switch (event._tag) {
      case "Help": {
        const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
        return yield* Console.log(
          helpText(event.helpDoc, {
            width: widthOf(process.stdout),
            colours: canColor,
            documents: documentsFolder()
          })
        )
      }
      case "InvalidInvocation":
        return yield* Console.error(complaint(event.commandPath, event.errors))
      case "Version":
        return yield* CliOutput.defaultPresenter.present(event)
    }
  })
}
