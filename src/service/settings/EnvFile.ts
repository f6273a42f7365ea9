/** The file of variables, for what the environment of the process does not have; it can change while the process runs. */
import * as ByteSize from "effect/ByteSize"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { parseEnv } from "node:util"
import { variables } from "./Table.ts"
import { reasonOf } from "./TextFile.ts"

/** In the working directory. Nothing is wrong when it is not there. */
const DEFAULT_PATH = ".env"

/** Octets it may have. */
export const MAX_OCTETS = 1_048_576

const { variable: NAME } = variables.envFile

export interface EnvFile {
  readonly path: string
  /** Without the one that names the file. */
  readonly variables: Readonly<Record<string, string>>
  /** What is in it and yet most likely not meant. */
  readonly warnings: ReadonlyArray<string>
}

/** The file that the environment names, or else `.env`, if there is one; fails with why it cannot be used. */
export const readEnvFile = Effect.fnUntraced(function*(
  environment: ConfigProvider.ConfigProvider
): Effect.fn.Return<EnvFile | undefined, string, FileSystem.FileSystem> {
  const given = yield* Config.option(Config.String(NAME)).parse(environment).pipe(Effect.orElseSucceed(Option.none))
  const named = Option.filter(Option.map(given, (path) => path.trim()), (path) => path !== "")
  const path = Option.getOrElse(named, () => DEFAULT_PATH)
  const fs = yield* FileSystem.FileSystem
  const because = (problem: string): string => `${problem} (${path})`
  const info = yield* Effect.result(fs.stat(path))
  if (info._tag === "Failure") {
    if (Option.isNone(named) && info.failure.reason._tag === "NotFound") return undefined
    return yield* Effect.fail(because(reasonOf(info.failure)))
  }
  if (info.success.type !== "File") {
    // A directory of this name is something else: some keep programs there.
    if (Option.isNone(named)) return undefined
    return yield* Effect.fail(because("is no file"))
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

/** A line without a variable, or a variable, whose value may be quoted over several lines. */
const PART = /[ \t\r]*(?:[#;][^\n]*|(?:export[ \t]+)?[\w.-]+[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`)?[^\n]*)?(?:\n|$)/y

/**
 * What is wrong with the text. `parseEnv` skips whatever it does not understand: half of a file would be settings that are
 * back at their defaults.
 */
const wrongIn = (text: string): string | undefined => {
  if (/[\0\uFFFD]/.test(text)) return "is not text in UTF-8"
  PART.lastIndex = 0
  for (let at = 0; at < text.length; at = PART.lastIndex) {
    if (!PART.test(text)) return `the file is wrong in line ${text.slice(0, at).split("\n").length}: not NAME=value`
  }
  return undefined
}

/** Puts what is not for the relay into the environment of the process, unless it is there, as Node.js' --env-file does. */
export const exportOthers = ({ variables: all }: EnvFile, environment: NodeJS.ProcessEnv): void => {
  for (const [name, value] of Object.entries(all)) {
    if (!name.startsWith("MSRP_")) environment[name] ??= value
  }
}

/** What others read of the environment may be in the file too. If it cannot be used, the settings say so. */
export const exported = Effect.flatMap(ConfigProvider.ConfigProvider, readEnvFile).pipe(
  Effect.map((file) => {
    if (file !== undefined) exportOthers(file, process.env)
  }),
  Effect.ignore
)
