/** Secrets that stand in files instead of variables, where no list of processes, unit or image has them. */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { join } from "node:path"
import type { Problems } from "./Problems.ts"
import { type Variables, variables } from "./Table.ts"
import { readText } from "./TextFile.ts"

/** Those with a password, a key or a token in them. A path of a file with one is not. */
const SECRETS = [
  "users",
  "sqlUrl",
  "httpUrl",
  "httpToken",
  "ephemeralSecret",
  "hepKey"
] as const satisfies ReadonlyArray<keyof Variables>

const variableOf = (key: typeof SECRETS[number]): string => variables[key].variable

/** Their variables. */
export const secretVariables: ReadonlySet<string> = new Set(SECRETS.map(variableOf))

/** The variable that names the file of another one. */
const fileVariableOf = (variable: string): string => `${variable}_FILE`

/** Variables that name a file with a secret each. */
export const secretFileVariables: ReadonlySet<string> = new Set([...secretVariables].map(fileVariableOf))

/** Where systemd puts what LoadCredential= and SetCredential= name. */
const DIRECTORY = "CREDENTIALS_DIRECTORY"

/** A file with a secret, and what says so. */
export interface SecretFile {
  readonly variable: string
  readonly path: string
}

export interface Secrets {
  readonly files: ReadonlyArray<SecretFile>
  /** The secrets, as if they were variables. */
  readonly provider: ConfigProvider.ConfigProvider
}

const textIn = (provider: ConfigProvider.ConfigProvider, name: string): Effect.Effect<string | undefined> =>
  Config.option(Config.String(name)).parse(provider).pipe(
    Effect.map((found) => Option.getOrUndefined(Option.filter(found, (text) => text.trim() !== ""))?.trim()),
    Effect.orElseSucceed(() => undefined)
  )

/** Those whose files this provider names. One that is there itself as well is a problem: nobody can tell which is meant. */
export const secretsNamedIn = Effect.fnUntraced(function*(
  provider: ConfigProvider.ConfigProvider,
  problems: Problems
): Effect.fn.Return<Secrets, never, FileSystem.FileSystem> {
  const files: Array<SecretFile> = []
  const found: Record<string, string> = {}
  for (const key of SECRETS) {
    const variable = variableOf(key)
    const by = fileVariableOf(variable)
    const path = yield* textIn(provider, by)
    if (path === undefined) continue
    if ((yield* textIn(provider, variable)) !== undefined) {
      problems.add(key, `is set, and ${by} as well: only one of them may be`)
      continue
    }
    const text = yield* secretIn(path)
    if (Result.isFailure(text)) {
      problems.add(key, `${text.failure} (${path}, which ${by} names)`)
      continue
    }
    files.push({ variable: by, path })
    found[variable] = text.success
  }
  return { files, provider: ConfigProvider.fromEnvRecord(found) }
})

/** Those that systemd hands over: files that have the names of variables. */
export const secretsOfSystemd = Effect.fnUntraced(function*(
  environment: ConfigProvider.ConfigProvider,
  problems: Problems
): Effect.fn.Return<Secrets, never, FileSystem.FileSystem> {
  const directory = yield* textIn(environment, DIRECTORY)
  const found: Record<string, string> = {}
  for (const key of directory === undefined ? [] : SECRETS) {
    const variable = variableOf(key)
    const path = join(directory!, variable)
    const text = yield* secretIn(path)
    if (Result.isSuccess(text)) found[variable] = text.success
    else if (text.failure !== NO_FILE) problems.add(key, `${text.failure} (${path}, a credential of systemd)`)
  }
  // Nobody else may read them, by whatever mode.
  return { files: [], provider: ConfigProvider.fromEnvRecord(found) }
})

const NO_FILE = "there is no such file"

const secretIn = (path: string) =>
  Effect.map(
    readText(path),
    Result.flatMap((text) => text.trim() === "" ? Result.fail("the file is empty") : Result.succeed(text.trim()))
  )
