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

/** Lines that are named in a warning. */
const LINES_NAMED = 10

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
  const { [NAME]: itself, ...others } = parseEnv(text) as Record<string, string>
  return {
    path,
    variables: others,
    warnings: [
      ...itself === undefined ? [] : [`${NAME} in ${path} is not used: it belongs into the environment`],
      ...unused(text).map((lines) => `${path} has what is no NAME=value and is not used: ${lines}`)
    ]
  }
})

/** A value in quotes, which may have several lines. */
const QUOTED = /^(\s*(?:export\s+)?[\w.-]+[ \t]*=[ \t]*)("[^"]*"|'[^']*'|`[^`]*`)/gm

const USED = /^\s*(?:#|$|[^=\s]+\s*=|export\s+[^=\s]+\s*=)/

/** Which lines Node.js passes over without a word; not what is in them, which may be a secret. */
const unused = (text: string): ReadonlyArray<string> => {
  const lines = text.replaceAll(QUOTED, (_, name: string, value: string) => `${name}${value.replaceAll(/[^\n]/g, "")}`)
    .split("\n")
    .flatMap((line, index) => USED.test(line) ? [] : [index + 1])
  if (lines.length === 0) return []
  const more = lines.length - LINES_NAMED
  const named = lines.slice(0, LINES_NAMED).join(", ")
  return [`line ${named}${more > 0 ? `, and ${more} others` : ""}`]
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
