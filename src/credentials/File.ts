/**
 * Users in a text file, one a line, as `htdigest` writes it:
 *
 * ```
 * # user:realm:secret
 * alice:intra.example.com:80be1c328e6bf1a5c124624b9b990edd
 * ```
 *
 * The secret is H(A1), H(user ":" realm ":" password): 32 hexadecimal digits of MD5, or 64 of SHA-256; a user may have a
 * line for each. With `calculateHa1` it is the password, to the end of the line, and an empty realm is every realm.
 * Empty lines and those which begin with `#` are passed over. The file is UTF-8.
 */
import * as ByteSize from "effect/ByteSize"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Credentials, storedSecret, type User, userTable } from "../Credentials.ts"

export interface FileOptions {
  readonly path: string
  /** The third field is a password; otherwise an H(A1). Absent: an H(A1). */
  readonly calculateHa1?: boolean | undefined
  /** How often to look whether the file has changed. A bare number is milliseconds. Absent: a second. */
  readonly checkInterval?: Duration.Input | undefined
  /** Octets the file may have. Absent: 16 MiB. */
  readonly maxOctets?: number | undefined
}

/** A line that cannot be used. Nothing of what it says is told, since it may be a password. */
export interface LineProblem {
  /** From 1. */
  readonly line: number
  readonly problem: string
}

/** Lines that an error names; there may be more. */
const MAX_PROBLEMS = 10

/** The file cannot be used. */
export class CredentialsFileError extends Data.TaggedError("CredentialsFileError")<{
  readonly path: string
  readonly reason: "Unreadable" | "TooLarge" | "Malformed"
  /** The first lines that are wrong, in a malformed file. */
  readonly problems: ReadonlyArray<LineProblem>
  readonly cause?: unknown
}> {
  override get message(): string {
    const what = {
      Unreadable: "cannot be read",
      TooLarge: "is too large",
      Malformed: `is wrong in ${this.problems.map(({ line, problem }) => `line ${line}: ${problem}`).join("; ")}`
    }
    return `The credentials file ${this.path} ${what[this.reason]}`
  }
}

/** The users in the text of a credentials file, or what is wrong with it. */
export const parseCredentials = (
  text: string,
  calculateHa1: boolean
): { readonly users: ReadonlyArray<User>; readonly problems: ReadonlyArray<LineProblem> } => {
  const users: Array<User> = []
  const problems: Array<LineProblem> = []
  const seen = new Set<string>()
  const lines = text.replace(/^\uFEFF/, "").split("\n")
  for (let i = 0; i < lines.length && problems.length < MAX_PROBLEMS; i++) {
    const line = lines[i]!.replace(/\r$/, "")
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue
    const wrong = (problem: string) => problems.push({ line: i + 1, problem })
    const afterName = line.indexOf(":")
    const afterRealm = line.indexOf(":", afterName + 1)
    if (afterName === -1 || afterRealm === -1) {
      wrong("not user:realm:secret")
      continue
    }
    const username = line.slice(0, afterName).normalize("NFC")
    const realm = line.slice(afterName + 1, afterRealm)
    const value = line.slice(afterRealm + 1)
    const secret = storedSecret(calculateHa1 ? value : value.trim(), calculateHa1)
    const kind = secret?._tag === "Ha1" ? Object.keys(secret.ha1).join() : ""
    const entry = `${username}\n${realm}\n${kind}`
    if (username === "") wrong("user name missing")
    else if (realm === "" && !calculateHa1) wrong("realm missing")
    else if (secret === undefined) {
      wrong(calculateHa1 ? "password missing" : "the secret is not 32 (MD5) or 64 (SHA-256) hexadecimal digits")
    } else if (seen.has(entry)) wrong("the same user and realm stand in an earlier line")
    else {
      seen.add(entry)
      users.push({ username, realm: realm === "" ? undefined : realm, secret })
    }
  }
  return { users, problems }
}

/** What tells one version of the file from another. */
const versionOf = (info: FileSystem.File.Info): string => {
  const modified = Option.match(info.mtime, { onNone: () => "", onSome: (date) => String(date.getTime()) })
  return `${modified} ${ByteSize.toBigInt(info.size)} ${Option.getOrElse(info.ino, () => 0n)}`
}

/**
 * Users from a file, which is read again when it changes. A file that is wrong at the start fails the layer; one that
 * is broken later is logged, with the lines that are wrong, and the users from before stay.
 */
export const layerFile = (
  options: FileOptions
): Layer.Layer<Credentials, CredentialsFileError, FileSystem.FileSystem> =>
  Layer.effect(Credentials, Effect.suspend(() => makeFile(options)))

const makeFile = Effect.fnUntraced(function*(options: FileOptions) {
  const fs = yield* FileSystem.FileSystem
  const { calculateHa1 = false, checkInterval = "1 second", maxOctets = 16 * 1024 * 1024, path } = options

  const fail = (reason: CredentialsFileError["reason"], problems: ReadonlyArray<LineProblem>, cause?: unknown) =>
    new CredentialsFileError({ path, reason, problems, cause })
  const unreadable = (cause: unknown) => fail("Unreadable", [], cause)
  const stat = Effect.mapError(fs.stat(path), unreadable)
  const read = Effect.fnUntraced(function*(info: FileSystem.File.Info) {
    if (info.type !== "File") return yield* unreadable(`a ${info.type}`)
    if (ByteSize.toBigInt(info.size) > maxOctets) return yield* fail("TooLarge", [])
    const text = yield* Effect.mapError(fs.readFileString(path), unreadable)
    const { problems, users } = parseCredentials(text, calculateHa1)
    return problems.length > 0 ? yield* fail("Malformed", problems) : userTable(users)
  })

  const first = yield* stat
  let table = yield* read(first)
  let version = versionOf(first)
  // a change within one tick of the file's time does not show: each version is read once more at the next check
  let settled = false
  let reported = ""

  const check = Effect.gen(function*() {
    const info = yield* stat
    const seen = versionOf(info)
    if (seen === version && settled) return
    settled = seen === version
    version = seen
    table = yield* read(info)
    reported = ""
    if (!settled) yield* Effect.logInfo("Credentials file read").pipe(Effect.annotateLogs({ path, users: table.users }))
  }).pipe(
    Effect.catch((error) => {
      // may become readable without any change of the file itself
      if (error.reason === "Unreadable") version = ""
      const report = version + error.message
      if (report === reported) return Effect.void
      reported = report
      return Effect.logWarning("Credentials file not usable, keeping the users from before").pipe(
        Effect.annotateLogs({ path, reason: error.message })
      )
    })
  )
  yield* check.pipe(Effect.delay(checkInterval), Effect.forever, Effect.forkScoped)

  return Credentials.of({
    get algorithms() {
      return table.algorithms
    },
    lookup: (user) => Effect.succeed(table.lookup(user))
  })
})
