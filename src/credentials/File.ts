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
 *
 * @module
 */

import * as ByteSize from "effect/ByteSize"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { Credentials } from "../Credentials.ts"
import { wordsOf } from "../net/ErrorCode.ts"
import { checkOptions, duration, type OptionsError, positive, text } from "../options/Options.ts"
import { type LineProblem, UserLines } from "./UserLines.ts"

/**
 * Where the file of users is, and how it is read.
 *
 * @category options
 * @since 0.1.0
 */
export interface FileOptions {
  readonly path: string
  /** The third field is a password; otherwise an H(A1). Absent: an H(A1). */
  readonly calculateHa1?: boolean | undefined
  /** How often to look whether the file has changed. A bare number is milliseconds. Absent: a second. */
  readonly checkInterval?: Duration.Input | undefined
  /** Octets the file may have. Absent: 16 MiB. */
  readonly maxOctets?: number | undefined
}

const optionsSchema = Schema.Struct({
  path: text("the path of a file", (path) => path !== ""),
  calculateHa1: Schema.optional(Schema.Boolean),
  checkInterval: Schema.optional(duration),
  maxOctets: Schema.optional(positive)
})

const why = (cause: unknown): string =>
  typeof cause === "string"
    ? `: it is ${cause}`
    : cause instanceof PlatformError
    ? `: ${reasons[cause.reason._tag] ?? wordsOf(cause.reason.cause)}`
    : ""

const reasons: Readonly<Record<string, string>> = {
  NotFound: "there is no such file",
  PermissionDenied: "it may not be read by this user"
}

/**
 * The file cannot be used.
 *
 * @category errors
 * @since 0.1.0
 */
export class CredentialsFileError extends Data.TaggedError("CredentialsFileError")<{
  readonly path: string
  readonly reason: "Unreadable" | "TooLarge" | "Malformed"
  /** The first lines that are wrong, in a malformed file. */
  readonly problems: ReadonlyArray<LineProblem>
  readonly cause?: unknown
}> {
  override get message(): string {
    const what = {
      Unreadable: `cannot be read${why(this.cause)}`,
      TooLarge: "is too large",
      Malformed: `is wrong in ${this.problems.map(({ line, problem }) => `line ${line}: ${problem}`).join("; ")}`
    }
    return `The credentials file ${this.path} ${what[this.reason]}`
  }
}

/** Octets that are read in one turn of the event loop: 500 lines or so. */
const OCTETS_AT_ONCE = 32_768

/**
 * The users in the octets of a credentials file, and what is wrong with it. Others have their turn meanwhile.
 *
 * @category decoding
 * @since 0.2.0
 */
export const readUsers = Effect.fnUntraced(function*(octets: Uint8Array, calculateHa1: boolean) {
  const lines = new UserLines(calculateHa1)
  const decoder = new TextDecoder()
  for (let at = 0; at < octets.length; at += OCTETS_AT_ONCE) {
    if (at > 0) yield* Effect.yieldNow
    lines.add(decoder.decode(octets.subarray(at, at + OCTETS_AT_ONCE), { stream: true }))
  }
  lines.add(decoder.decode())
  lines.end()
  return lines
})

/** Checks in a row at which a file that has fewer users, and is another one each time, counts as one that is being written. */
const MAX_UNFINISHED = 10

/** What tells one version of the file from another. */
const versionOf = (info: FileSystem.File.Info): string => {
  const modified = Option.match(info.mtime, { onNone: () => "", onSome: (date) => String(date.getTime()) })
  return `${modified} ${ByteSize.toBigInt(info.size)} ${Option.getOrElse(info.ino, () => 0n)}`
}

/**
 * Users from a file, which is read again when it changes. A file that is wrong at the start fails the layer; one that
 * is broken later is logged, with the lines that are wrong, and the users from before stay.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFile = (
  options: FileOptions
): Layer.Layer<Credentials, CredentialsFileError | OptionsError, FileSystem.FileSystem> =>
  Layer.effect(Credentials, Effect.suspend(() => makeFile(options)))

const makeFile = Effect.fnUntraced(function*(options: FileOptions) {
  yield* checkOptions("layerFile", optionsSchema, options)
  const fs = yield* FileSystem.FileSystem
  const { calculateHa1 = false, checkInterval = "1 second", maxOctets = 16 * 1024 * 1024, path } = options

  const fail = (reason: CredentialsFileError["reason"], problems: ReadonlyArray<LineProblem>, cause?: unknown) =>
    new CredentialsFileError({ path, reason, problems, cause })
  const unreadable = (cause: unknown) => fail("Unreadable", [], cause)
  const stat = Effect.mapError(fs.stat(path), unreadable)
  const read = Effect.fnUntraced(function*(info: FileSystem.File.Info) {
    if (info.type !== "File") return yield* unreadable(`a ${info.type}`)
    if (ByteSize.toBigInt(info.size) > maxOctets) return yield* fail("TooLarge", [])
    return yield* Effect.mapError(fs.readFile(path), unreadable)
  })
  const usersIn = Effect.fnUntraced(function*(octets: Uint8Array) {
    const lines = yield* readUsers(octets, calculateHa1)
    return lines.problems.length > 0 ? yield* fail("Malformed", lines.problems) : lines
  })

  const first = yield* stat
  let version = versionOf(first)
  // a change within one tick of the file's time does not show: each version is compared once more at the next check
  let settled = false
  let octets: Uint8Array | undefined = yield* read(first)
  let table = yield* usersIn(octets)
  let reported = ""
  /** Checks since the users in it are fewer: it may just be written anew, and its other users would be refused meanwhile. */
  let unfinished = 0

  const check = Effect.gen(function*() {
    const info = yield* stat
    const seen = versionOf(info)
    if (seen === version && settled) return
    settled = seen === version
    version = seen
    const before = octets
    octets = undefined
    const found = yield* read(info)
    if (!settled) octets = found
    else if (before !== undefined && Buffer.compare(before, found) === 0) return
    const lines = yield* usersIn(found)
    if (!settled && lines.users < table.users && unfinished < MAX_UNFINISHED) {
      unfinished++
      octets = undefined
      return
    }
    unfinished = 0
    table = lines
    reported = ""
    // What was to be written may be lost, as on a full disk, and all are refused.
    const tell = table.users === 0 ? Effect.logWarning : Effect.logInfo
    yield* tell("Credentials file read").pipe(Effect.annotateLogs({ path, users: table.users }))
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
    lookup: (user) => Effect.succeed(table.lookup(user)),
    size: () => table.users
  })
})
