/** Help as a terminal shows it: lines of its width, the most needed first. */
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import type { FlagDoc, HelpDoc } from "effect/cli/HelpDoc"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { styleText } from "node:util"
import { documentsFolder } from "../DocumentsFolder.ts"

/** Columns of what is no terminal, and of a terminal that is wider: longer lines are hard to read. */
const WIDTH = 80
const MAX_WIDTH = 100
const MIN_WIDTH = 40

/** Columns before the second column of a table at most: a name that is longer has a line of its own. */
const MAX_NAMES = 30

const MARGIN = "  "

/** The short names of a flag first, as manuals have it; then what it takes. */
export const flagName = ({ aliases, name, type }: FlagDoc): string =>
  [...aliases, `--${name}`].join(", ") + (type === "boolean" ? "" : ` ${metavar(type)}`)

const metavar = (type: string): string =>
  type === "integer" ? "NUMBER" : /[A-Z|]/.test(type) ? type : type.toUpperCase()

/** What a flag does; its choices are in its name. */
export const flagText = ({ description, required }: FlagDoc): string =>
  `${Option.getOrElse(description, () => "").replace(/ ?\(choices: [^)]*\)$/, "")}${required ? " (needed)" : ""}`

/** What is shown of a command: sections of rows or paragraphs. */
export interface Section {
  readonly title: string
  readonly paragraphs?: ReadonlyArray<string>
  readonly rows?: ReadonlyArray<readonly [name: string, text: string]>
  readonly examples?: ReadonlyArray<{ readonly command: string; readonly description?: string | undefined }>
}

/** How it is called: with a subcommand or without, where both are possible. */
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
  // Only the whole program does something without a subcommand.
  return [...commandPath.length > 1 ? [] : [name], [name, ...takes, "SUBCOMMAND ..."].join(" ")]
}

/** The sections of a command, for whatever shows them. */
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
    // All subcommands have them as well: told once.
    { title: "Everywhere", rows: (doc.commandPath ?? []).length > 1 ? [] : rowsOf(doc.globalFlags) },
    { title: "Examples", examples: doc.examples ?? [] }
  ]
  return sections.filter(({ examples = [], rows = [] }) => examples.length + rows.length > 0)
}

/** Lines of at most so many columns, but for words that are longer. */
export const wrapped = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line]
}

export interface HelpOptions {
  /** Columns of the terminal. */
  readonly width: number
  readonly colours: boolean
  /** The folder of the documents, if it is there. */
  readonly documents?: string | undefined
}

/** The whole program, and whatever names one of the documents. */
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
  for (const paragraph of doc.description.split("\n\n")) lines.push("", ...wrapped(paragraph, width))
  for (const { examples = [], rows = [], title } of sectionsOf(doc)) {
    lines.push("", styled("bold", title))
    const names = Math.min(MAX_NAMES, Math.max(0, ...rows.map(([name]) => name.length)))
    for (const [name, text] of rows) {
      const [head = "", ...others] = wrapped(text, inner - names - MARGIN.length)
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
    // A path is not to be broken.
    lines.push("", styled("bold", "Documents"), `${MARGIN}${documents}`)
  }
  return lines.map((line) => line.trimEnd()).join("\n")
}

const widthOf = (stream: NodeJS.WriteStream): number =>
  Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, stream.isTTY ? stream.columns : WIDTH))

/** What Effect's own messages put before the names that may have been meant, on lines of their own. */
const SUGGESTED = "\n\n  Did you mean this?\n"

const meant = (error: CliError.NonShowHelpErrors): string => {
  const [name, ...others] = "suggestions" in error ? error.suggestions : []
  if (name === undefined) return error.message.replace(". Expected: Schema validation failed: ", ": ")
  return `${error.message.slice(0, error.message.lastIndexOf(SUGGESTED))}; did you mean ${
    [name, ...others].join(" or ")
  }?`
}

/** In one line, to what was typed; the whole help would hide it. */
const complaint = (path: ReadonlyArray<string>, errors: ReadonlyArray<CliError.NonShowHelpErrors>): string => {
  const name = path.join(" ")
  // Whatever was typed is among it.
  const text = (error: CliError.NonShowHelpErrors) => meant(error).replaceAll(/\p{Cc}/gu, "\uFFFD")
  return [...errors.map((error) => `${name}: ${text(error)}`), `See ${name} --help`].join("\n")
}

/** Help and the version on standard output; what is wrong with a command line on standard error. */
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
