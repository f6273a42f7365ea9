/** Secrets in files instead of variables, where process lists, unit files and images do not show them. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { join } from "node:path"
import type { Problems } from "./Problems.ts"
import { type VariableKey, variables } from "./Table.ts"
import { NO_FILE, readText } from "./TextFile.ts"
import { textIn } from "./VariableText.ts"

/** Settings that contain a password, a key or a token; paths of such files are not among them. */
const SECRETS = [
  "users",
  "sqlUrl",
  "httpUrl",
  "httpToken",
  "ephemeralSecret",
  "hepKey"
] as const satisfies ReadonlyArray<VariableKey>

const variableOf = (key: typeof SECRETS[number]): string => variables[key].variable

/** The variables of those settings. */
export const secretVariables: ReadonlySet<string> = new Set(SECRETS.map(variableOf))

/** The variable that names the file of another variable. */
const fileVariableOf = (variable: string): string => `${variable}_FILE`

/** Variables that name a file with a secret. */
export const secretFileVariables: ReadonlySet<string> = new Set([...secretVariables].map(fileVariableOf))

/** The directory of credentials that systemd's LoadCredential= and SetCredential= provide. */
const DIRECTORY = "CREDENTIALS_DIRECTORY"

/** A file with a secret, and the variable that names it. */
export interface SecretFile {
  readonly variable: string
  readonly path: string
}

interface Secrets {
  readonly files: ReadonlyArray<SecretFile>
  /** The secrets, as if they were variables. */
  readonly provider: ConfigProvider.ConfigProvider
}

/**
 * The secrets in files that this provider names. It is a problem if the provider also has the secret itself, because
 * it is unclear which one is meant.
 */
export const secretsNamedIn = Effect.fnUntraced(function*(
  provider: ConfigProvider.ConfigProvider,
  problems: Problems
): Effect.fn.Return<Secrets, never, FileSystem.FileSystem> {
  const files: Array<SecretFile> = []
  const found: Record<string, string> = {}
  for (const key of SECRETS) {
    const variable = variableOf(key)
    const by = fileVariableOf(variable)
    const path = Option.getOrUndefined(yield* textIn(provider, by))
    if (path === undefined) continue
    if (Option.isSome(yield* textIn(provider, variable))) {
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

/** The secrets that systemd provides, in files named after the variables. */
export const secretsOfSystemd = Effect.fnUntraced(function*(
  environment: ConfigProvider.ConfigProvider,
  problems: Problems
): Effect.fn.Return<Secrets, never, FileSystem.FileSystem> {
  const directory = Option.getOrUndefined(yield* textIn(environment, DIRECTORY))
  const found: Record<string, string> = {}
  for (const key of directory === undefined ? [] : SECRETS) {
    const variable = variableOf(key)
    const path = join(directory!, variable)
    const text = yield* secretIn(path)
    if (Result.isSuccess(text)) found[variable] = text.success
    else if (text.failure !== NO_FILE) problems.add(key, `${text.failure} (${path}, a credential of systemd)`)
  }
  // No files are listed for permission checks, because systemd restricts access to them whatever their mode.
  return { files: [], provider: ConfigProvider.fromEnvRecord(found) }
})

const secretIn = (path: string) =>
  Effect.map(
    readText(path),
    Result.flatMap((text) => text.trim() === "" ? Result.fail("the file is empty") : Result.succeed(text.trim()))
  )
