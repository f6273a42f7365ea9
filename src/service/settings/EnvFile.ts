/** The file of variables, which complements the environment of the process, and can change while the process runs. */
import * as ByteSize from "effect/ByteSize"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { parseEnv } from "node:util"
import { variables } from "./Table.ts"
import { reasonOf } from "./TextFile.ts"
import { textIn } from "./VariableText.ts"

/** In the working directory; may be absent. */
const DEFAULT_PATH = ".env"

/** Maximum size of the file in octets. */
export const MAX_OCTETS = 1_048_576

const { variable: NAME } = variables.envFile

interface EnvFile {
  readonly path: string
  /** All variables but the one that names the file. */
  readonly variables: Readonly<Record<string, string>>
  /** What is allowed but probably a mistake. */
  readonly warnings: ReadonlyArray<string>
}

/**
 * Reads the file that the environment names, or else `.env` if it exists; fails with the reason if it cannot be used.
 */
export const readEnvFile = Effect.fnUntraced(function*(
  environment: ConfigProvider.ConfigProvider
): Effect.fn.Return<EnvFile | undefined, string, FileSystem.FileSystem> {
  const named = yield* textIn(environment, NAME)
  const path = Option.getOrElse(named, () => DEFAULT_PATH)
  const fs = yield* FileSystem.FileSystem
  const because = (problem: string): string => `${problem} (${path})`
  const info = yield* Effect.result(fs.stat(path))
  if (info._tag === "Failure") {
    if (Option.isNone(named) && info.failure.reason._tag === "NotFound") return undefined
    return yield* Effect.fail(because(reasonOf(info.failure)))
  }
  if (info.success.type !== "File") {
    // A directory named `.env` is ignored, because some tools keep programs in one.
    if (Option.isNone(named)) return undefined
    return yield* Effect.fail(because("is not a file"))
  }
  if (ByteSize.toBigInt(info.success.size) > MAX_OCTETS) {
    return yield* Effect.fail(because(`is larger than ${MAX_OCTETS} octets`))
  }
  const text = yield* Effect.mapError(fs.readFileString(path), (error) => because(reasonOf(error)))
  const wrong = wrongIn(text)
  if (wrong !== undefined) return yield* Effect.fail(because(wrong))
  const { [NAME]: itself, ...others } = parseEnv(text) as Record<string, string>
  return {
    path,
    variables: others,
    warnings: itself === undefined ? [] : [`${NAME} in ${path} is not used: it belongs into the environment`]
  }
})

/** A line without a variable, or an assignment, whose value may be quoted and span several lines. */
const PART = /[ \t\r]*(?:[#;][^\n]*|(?:export[ \t]+)?[\w.-]+[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`)?[^\n]*)?(?:\n|$)/y

/**
 * The first syntax error of the text. `parseEnv` skips what it does not understand, so a damaged file would silently
 * reset settings to their defaults.
 */
const wrongIn = (text: string): string | undefined => {
  if (/[\0\uFFFD]/.test(text)) return "is not text in UTF-8"
  PART.lastIndex = 0
  for (let at = 0; at < text.length; at = PART.lastIndex) {
    if (!PART.test(text)) return `the file is wrong in line ${text.slice(0, at).split("\n").length}: not NAME=value`
  }
  return undefined
}

/**
 * Adds variables that are not the relay's to the environment of the process, unless they are set, as Node's
 * --env-file does.
 */
export const exportOthers = ({ variables: all }: EnvFile, environment: NodeJS.ProcessEnv): void => {
  for (const [name, value] of Object.entries(all)) {
    if (!name.startsWith("MSRP_")) environment[name] ??= value
  }
}

/** Exports the other variables of the file. Errors are ignored here, because reading the settings reports them. */
export const exported = Effect.flatMap(ConfigProvider.ConfigProvider, readEnvFile).pipe(
  Effect.map((file) => {
    if (file !== undefined) exportOthers(file, process.env)
  }),
  Effect.ignore
)
