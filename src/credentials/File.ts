/**
 * Users in a text file, one per line, in the format of `htdigest`:
 *
 * ```
 * # user:realm:secret
 * alice:intra.example.com:80be1c328e6bf1a5c124624b9b990edd
 * ```
 *
 * The secret is H(A1), H(user ":" realm ":" password): 32 hexadecimal digits of MD5, or 64 of SHA-256. A user may have a
 * line for each. With `calculateHa1` the secret is the password, up to the end of the line, and an empty realm means every
 * realm. Empty lines and lines that begin with `#` are ignored. The file is UTF-8.
 *
 * @module
 */

import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { Credentials, type OutdatedUsers } from "../Credentials.ts"
import { wordsOf } from "../net/ErrorCode.ts"
import { checkOptions, duration, type OptionsError, positive, text } from "../options/Options.ts"
import { FileChanges } from "./FileChanges.ts"
import { otherRealms } from "./OtherRealms.ts"
import { type LineProblem, UserLines } from "./UserLines.ts"

export type { LineProblem, RealmLines, UserLines } from "./UserLines.ts"

/**
 * The path of the file of users, and options for reading it.
 *
 * @category options
 * @since 0.1.0
 */
export interface FileOptions {
  readonly path: string
  /** Whether the third field is a password instead of an H(A1). Absent: an H(A1). */
  readonly calculateHa1?: boolean | undefined
  /** Time between two checks for a change of the file. A bare number is milliseconds. Absent: a second. */
  readonly checkInterval?: Duration.Input | undefined
  /** Maximum number of octets that the file may have. Absent: 16 MiB. */
  readonly maxOctets?: number | undefined
  /**
   * The realms that clients are asked for. If a change of the file leaves no users of them, there is a warning in the log. Absent: they
   * are not known.
   */
  readonly realms?: ReadonlyArray<string> | undefined
}

const optionsSchema = Schema.Struct({
  path: text("the path of a file", (path) => path !== ""),
  calculateHa1: Schema.optional(Schema.Boolean),
  checkInterval: Schema.optional(duration),
  maxOctets: Schema.optional(positive),
  realms: Schema.optional(Schema.Array(Schema.String))
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
 * The file of users cannot be used.
 *
 * @category errors
 * @since 0.1.0
 */
export class CredentialsFileError extends Data.TaggedError("CredentialsFileError")<{
  readonly path: string
  readonly reason: "Unreadable" | "TooLarge" | "Malformed"
  /** The first wrong lines of a malformed file. */
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

/** Octets that are parsed in one turn of the event loop: about 500 lines. */
const OCTETS_AT_ONCE = 32_768

/**
 * Parses the octets of a credentials file into users and wrong lines. Yields to the event loop in between.
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

/** Checks in a row in which a file that keeps changing and has fewer users than before is taken for one being written. */
const MAX_UNFINISHED = 10

/**
 * Users from a file, which is read again when it changes. A wrong file fails the layer at the start; later it is logged,
 * with its wrong lines, and the users from before stay: `outdated` says so until the file is right again.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFile = (
  options: FileOptions
): Layer.Layer<Credentials, CredentialsFileError | OptionsError, FileSystem.FileSystem> =>
  Layer.effect(Credentials, Effect.suspend(() => makeFile(options)))

/** Reads one version of the file at a time. */
const makeReader = (
  fs: FileSystem.FileSystem,
  { calculateHa1 = false, maxOctets = 16 * 1024 * 1024, path }: FileOptions
) => {
  const fail = (reason: CredentialsFileError["reason"], problems: ReadonlyArray<LineProblem>, cause?: unknown) =>
    new CredentialsFileError({ path, reason, problems, cause })
  const unreadable = (cause: unknown) => fail("Unreadable", [], cause)
  return {
    stat: Effect.mapError(fs.stat(path), unreadable),
    read: Effect.fnUntraced(function*(info: FileSystem.File.Info) {
      if (info.type !== "File") return yield* unreadable(`a ${info.type}`)
      if (ByteSize.toBigInt(info.size) > maxOctets) return yield* fail("TooLarge", [])
      return yield* Effect.mapError(fs.readFile(path), unreadable)
    }),
    usersIn: Effect.fnUntraced(function*(octets: Uint8Array) {
      const lines = yield* readUsers(octets, calculateHa1)
      return lines.problems.length > 0 ? yield* fail("Malformed", lines.problems) : lines
    })
  }
}

const makeFile = Effect.fnUntraced(function*(options: FileOptions) {
  yield* checkOptions("layerFile", optionsSchema, options)
  const { calculateHa1 = false, checkInterval = "1 second", path } = options
  const realms = (options.realms ?? []).map((realm) => realm.normalize("NFC"))
  const { read, stat, usersIn } = makeReader(yield* FileSystem.FileSystem, options)

  const changes = new FileChanges(stat, read)
  const unservedIn = (lines: UserLines) =>
    realms.length === 0 || lines.mayHaveUsersOf(realms) ? undefined : otherRealms(lines, realms, calculateHa1)
  // The first call always gives the contents.
  let table = yield* usersIn((yield* changes.next)!)
  let unserved = unservedIn(table)
  let reported = ""
  let outdated: OutdatedUsers | undefined
  /** Checks in a row that found fewer users: the file may be incomplete, and users missing from it must not be refused. */
  let unfinished = 0

  const check = Effect.gen(function*() {
    const octets = yield* changes.next
    if (octets === undefined) return
    const lines = yield* usersIn(octets)
    if (!changes.isSettled && lines.users < table.users && unfinished < MAX_UNFINISHED) {
      unfinished++
      changes.repeat()
      return
    }
    unfinished = 0
    table = lines
    unserved = unservedIn(table)
    reported = ""
    outdated = undefined
    // An empty file refuses everybody, and may be what a full disk has left of it.
    const tell = table.users === 0 ? Effect.logWarning : Effect.logInfo
    yield* tell("Credentials file read").pipe(Effect.annotateLogs({ path, users: table.users }))
    if (unserved !== undefined) yield* Effect.logWarning(`The credentials file ${path} has ${unserved}`)
  }).pipe(
    Effect.catch(Effect.fnUntraced(function*(error) {
      const now = yield* Clock.currentTimeMillis
      outdated = { since: outdated?.since ?? now, reason: error.message }
      // The file may become readable without a change of its own, for example by a change of its folder.
      if (error.reason === "Unreadable") changes.forget()
      const report = changes.version + error.message
      if (report === reported) return
      reported = report
      yield* Effect.logWarning("Credentials file not usable, keeping the users from before").pipe(
        Effect.annotateLogs({ path, reason: error.message })
      )
    }))
  )
  yield* check.pipe(Effect.delay(checkInterval), Effect.forever, Effect.forkScoped)

  return Credentials.of({
    get algorithms() {
      return table.algorithms
    },
    lookup: (user) => Effect.succeed(table.lookup(user)),
    outdated: () => outdated,
    size: () => table.users,
    unserved: () => unserved
  })
})
