/** Manages who may log in, from the command line: `msrp-relay user`. Users are kept in a file or an SQLite database. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import { closeSync, openSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { wordsOf } from "../net/ErrorCode.ts"
import { type DigestAlgorithm, digestAlgorithms, ha1 } from "../protocol/digest/Digest.ts"
import { isBusy, onceFree, withFileLock } from "./FileLock.ts"
import { passwordFlags, passwordOf } from "./Password.ts"
import { reasonOf } from "./settings/TextFile.ts"

/** A user that cannot be added, removed or listed. The message is for people. */
export class UserStoreError extends Data.TaggedError("UserStoreError")<{ readonly message: string }> {}

export interface NewUser {
  readonly username: string
  readonly realm: string
  readonly password: Redacted.Redacted
}

export interface UserName {
  readonly username: string
  readonly realm: string
}

/** Where users are kept. None of the passwords, only H(A1) with each algorithm. */
export interface UserStore {
  /** Adds a user, or gives him another password. */
  readonly add: (user: NewUser) => Effect.Effect<void, UserStoreError>
  /** Whether there was such a user. */
  readonly remove: (user: UserName) => Effect.Effect<boolean, UserStoreError>
  readonly list: Effect.Effect<ReadonlyArray<UserName>, UserStoreError>
}

/** As they are looked up: how it was composed when it was typed makes no other user. */
const composed = ({ realm, username }: UserName): UserName => ({
  username: username.normalize("NFC"),
  realm: realm.normalize("NFC")
})

/** H(A1) with each algorithm, in hexadecimal (RFC 7616 §3.4.2). */
export const hashes = ({ password, realm, username }: NewUser): Readonly<Record<DigestAlgorithm, string>> => {
  const of = (algorithm: DigestAlgorithm): string => ha1(algorithm, username, realm, Redacted.value(password))
  return { "SHA-256": of("SHA-256"), "MD5": of("MD5") }
}

/** Lines of a credentials file. */
const linesOf = (user: NewUser): ReadonlyArray<string> => {
  const made = hashes(user)
  const { realm, username } = composed(user)
  return digestAlgorithms.map((algorithm) => `${username}:${realm}:${made[algorithm]}`)
}

const wrong = (message: string) => new UserStoreError({ message })

const checked = ({ realm, username }: UserName): Effect.Effect<void, UserStoreError> => {
  if (username === "" || /[:\p{Cc}]/u.test(username)) {
    return Effect.fail(wrong("A user name is not empty and has no colon"))
  }
  return realm === "" || /["\\\p{Cc}]/u.test(realm)
    ? Effect.fail(wrong("A realm is not empty and has no quote or backslash"))
    : Effect.void
}

const isComment = (line: string): boolean => line.trimStart().startsWith("#")

/**
 * Why a user can stand in a database only, if he can: his line would be a comment, or be cut at another place. A realm by itself
 * is the host that clients address, which may be an IPv6 address.
 */
const notInFile = ({ realm, username }: UserName): string | undefined =>
  isComment(username)
    ? "In a file no user name begins with #, which begins a comment; in a database one may"
    : realm.includes(":")
    ? "In a file no realm has a colon, as an IPv6 address has: set MSRP_AUTH_REALM to another one, or use a database"
    : undefined

/** Fails with what is none: of users whose names were replaced, none could log in any more. */
const utf8 = new TextDecoder("utf-8", { fatal: true })

/**
 * A file as `htdigest` writes it. It is replaced as a whole, so the relay never reads half of it, and by one at a time, so
 * that nobody's change is lost.
 */
export const fileStore = (path: string): Effect.Effect<UserStore, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => {
    // A device would be replaced by a file, and who reads a pipe waits for who writes.
    const isFile = Effect.option(fs.stat(path)).pipe(
      Effect.flatMap((info) =>
        Option.isNone(info) || info.value.type === "File" || info.value.type === "Directory"
          ? Effect.void
          : Effect.fail(wrong(`${path} cannot be read: it is not a file`))
      )
    )
    const read = fs.exists(path).pipe(
      Effect.flatMap((exists) => exists ? fs.readFile(path) : Effect.succeed(new Uint8Array())),
      Effect.mapError((error) => wrong(`${path} cannot be read: ${reasonOf(error)}`)),
      Effect.flatMap((octets) =>
        Effect.try({ try: () => utf8.decode(octets), catch: () => wrong(`${path} cannot be read: it is not in UTF-8`) })
      ),
      Effect.map((text) => text.split("\n").filter((line) => line !== "")),
      (read) => Effect.andThen(isFile, read)
    )
    const cannotWrite = (error: PlatformError) => wrong(`${path} cannot be written: ${reasonOf(error)}`)
    /** A file that a link leads to is replaced, not the link. Where the link leads to none, it is made, as any program would. */
    const targetOf = fs.realPath(path).pipe(
      Effect.catch(() =>
        fs.readLink(path).pipe(
          Effect.matchEffect({
            onFailure: () => Effect.succeed(path),
            onSuccess: () => Effect.andThen(Effect.scoped(fs.open(path, { flag: "a", mode: 0o600 })), fs.realPath(path))
          })
        )
      ),
      Effect.mapError(cannotWrite)
    )
    const alone = <A>(change: Effect.Effect<A, UserStoreError>): Effect.Effect<A, UserStoreError> =>
      Effect.flatMap(targetOf, (target) => withFileLock(target, change)).pipe(
        Effect.mapError((error) => error._tag === "NotLocked" ? wrong(error.message) : error)
      )
    /** On the disk before it takes the place of the one before: without power there is one or the other. */
    const writeThrough = (next: string, text: string) =>
      Effect.scoped(Effect.gen(function*() {
        // Of a process that was killed while it had the lock.
        yield* fs.remove(next, { force: true })
        const file = yield* fs.open(next, { flag: "wx", mode: 0o600 })
        yield* file.writeAll(Buffer.from(text))
        yield* file.sync
      }))
    const write = Effect.fnUntraced(
      function*(lines: ReadonlyArray<string>) {
        const text = lines.map((line) => `${line}\n`).join("")
        const before = yield* Effect.option(fs.stat(path))
        const target = yield* fs.realPath(path).pipe(Effect.orElseSucceed(() => path))
        const next = `${target}.msrp-relay.new`
        // Whoever may read it goes on to: root manages users, and the relay runs as somebody else.
        yield* writeThrough(next, text).pipe(
          Effect.andThen(keepOwner(next, before)),
          Effect.andThen(fs.rename(next, target)),
          Effect.onError(() => Effect.ignore(fs.remove(next)))
        )
      },
      Effect.mapError(cannotWrite)
    )
    const keepOwner = Effect.fnUntraced(function*(next: string, before: Option.Option<FileSystem.File.Info>) {
      if (Option.isNone(before)) return
      const { gid, mode, uid } = before.value
      const now = yield* fs.stat(next)
      if (!Equal.equals([uid, gid], [now.uid, now.gid])) {
        yield* fs.chown(next, Option.getOrElse(uid, () => -1), Option.getOrElse(gid, () => -1))
      }
      yield* fs.chmod(next, mode & 0o777)
    })
    const isOf = (user: UserName) => {
      const { realm, username } = composed(user)
      const start = `${username}:${realm}:`
      return (line: string): boolean => !isComment(line) && line.normalize("NFC").startsWith(start)
    }
    return {
      add: Effect.fnUntraced(function*(user) {
        yield* checked(user)
        const reason = notInFile(user)
        if (reason !== undefined) return yield* wrong(reason)
        const is = isOf(user)
        yield* alone(
          Effect.flatMap(read, (lines) => write([...lines.filter((line) => !is(line)), ...linesOf(user)]))
        )
      }),
      remove: (user) => {
        const is = isOf(user)
        const others = Effect.map(read, (lines) => {
          const left = lines.filter((line) => !is(line))
          return left.length === lines.length ? undefined : left
        })
        const change = Effect.flatMap(
          others,
          (left) => left === undefined ? Effect.succeed(false) : Effect.as(write(left), true)
        )
        // Where he is not, there may not even be a folder to lock.
        return Effect.flatMap(others, (left) => left === undefined ? Effect.succeed(false) : alone(change))
      },
      list: Effect.map(read, (lines) => {
        const names = new Map<string, UserName>()
        for (const line of lines) {
          const [username, realm] = line.normalize("NFC").split(":")
          if (!isComment(line) && username !== undefined && realm !== undefined) {
            names.set(`${username}:${realm}`, { username, realm })
          }
        }
        return [...names.values()]
      })
    }
  })

const CREATE = "CREATE TABLE IF NOT EXISTS subscriber (id INTEGER PRIMARY KEY, username TEXT NOT NULL, " +
  "domain TEXT NOT NULL DEFAULT '', password TEXT NOT NULL DEFAULT '', ha1 TEXT NOT NULL DEFAULT '', " +
  "ha1_sha256 TEXT NOT NULL DEFAULT '', UNIQUE (username, domain))"

/** The table `subscriber` of an SQLite database, which is made if it is not there. */
export const sqliteStore = (path: string): UserStore => {
  const use = <A>(run: (database: DatabaseSync) => A): Effect.Effect<A, UserStoreError> =>
    Effect.gen(function*() {
      const { DatabaseSync } = yield* Effect.promise(() => import("node:sqlite"))
      const attempt = Effect.try({
        try: () => {
          // Made here, so that nobody else can read it.
          closeSync(openSync(path, "a", 0o600))
          // SQLite itself would let nothing else happen while it waits.
          const database = new DatabaseSync(path, { timeout: 0 })
          try {
            database.exec(CREATE)
            return Option.some(run(database))
          } catch (error) {
            if (isBusy(error)) return Option.none<A>()
            throw error
          } finally {
            database.close()
          }
        },
        catch: (error) =>
          wrong(`${path} cannot be used as an SQLite database with a table "subscriber": ${wordsOf(error)}`)
      })
      return yield* onceFree(path, attempt)
    }).pipe(Effect.mapError((error) => error._tag === "NotLocked" ? wrong(error.message) : error))
  return {
    add: (user) =>
      Effect.andThen(
        checked(user),
        use((database) => {
          const made = hashes(user)
          const { realm, username } = composed(user)
          database.prepare(
            "INSERT INTO subscriber (username, domain, ha1, ha1_sha256) VALUES (?, ?, ?, ?) ON CONFLICT (username, domain) " +
              "DO UPDATE SET password = '', ha1 = excluded.ha1, ha1_sha256 = excluded.ha1_sha256"
          ).run(username, realm, made.MD5, made["SHA-256"])
        })
      ),
    remove: (user) => {
      const { realm, username } = composed(user)
      return use((database) =>
        Number(
          database.prepare("DELETE FROM subscriber WHERE username = ? AND domain = ?").run(username, realm).changes
        ) > 0
      )
    },
    list: use((database) =>
      database.prepare("SELECT username, domain FROM subscriber ORDER BY username, domain").all()
        .map(({ domain, username }) => ({ username: String(username), realm: String(domain) }))
    )
  }
}

const file = Flag.String("file").pipe(
  Flag.withDescription("File of users, for MSRP_CREDENTIALS_FILE"),
  Flag.withMetavar("PATH"),
  Flag.optional
)
const sqlite = Flag.String("sqlite").pipe(
  Flag.withDescription("SQLite database, for MSRP_SQL_URL=sqlite:PATH with MSRP_SQL_HA1_SHA256_COLUMN=ha1_sha256"),
  Flag.withMetavar("PATH"),
  Flag.optional
)
const user = Flag.String("user").pipe(Flag.withDescription("User name"), Flag.withMetavar("NAME"))
const realm = Flag.String("realm").pipe(
  Flag.withDescription("Realm: MSRP_AUTH_REALM, or else the relay's host as clients address it"),
  Flag.withMetavar("REALM")
)
const storeOf = (
  given: { readonly file: Option.Option<string>; readonly sqlite: Option.Option<string> }
): Effect.Effect<UserStore, UserStoreError, FileSystem.FileSystem> => {
  const { file, sqlite } = given
  if (Option.isSome(file) === Option.isSome(sqlite)) return Effect.fail(wrong("Give either --file or --sqlite"))
  return Option.isSome(file) ? fileStore(file.value) : Effect.succeed(sqliteStore(Option.getOrThrow(sqlite)))
}

/** The same where there is one: of a path that is mistyped no database is made, and nobody is told that it has no users. */
const storeAt = Effect.fnUntraced(function*(given: Parameters<typeof storeOf>[0]) {
  const store = yield* storeOf(given)
  const path = Option.getOrThrow(Option.firstSomeOf([given.file, given.sqlite]))
  const fs = yield* FileSystem.FileSystem
  yield* Effect.mapError(fs.stat(path), (error) => wrong(`${path} cannot be read: ${reasonOf(error)}`))
  return store
})

const add = Command.make(
  "add",
  { file, sqlite, user, realm, ...passwordFlags },
  Effect.fnUntraced(function*(given) {
    const store = yield* storeOf(given)
    yield* store.add({ username: given.user, realm: given.realm, password: yield* passwordOf(given) })
    yield* Console.log(`${given.user} may log in to ${given.realm}`)
  })
).pipe(Command.withDescription("Adds a user, or gives him another password"))

const remove = Command.make(
  "remove",
  { file, sqlite, user, realm },
  Effect.fnUntraced(function*(given) {
    const store = yield* storeAt(given)
    if (!(yield* store.remove({ username: given.user, realm: given.realm }))) {
      return yield* wrong(`There is no user ${given.user} of ${given.realm}`)
    }
    yield* Console.log(`${given.user} may not log in to ${given.realm} any more`)
  })
).pipe(Command.withDescription("Removes a user"))

const list = Command.make(
  "list",
  { file, sqlite },
  Effect.fnUntraced(function*(given) {
    const store = yield* storeAt(given)
    for (const { realm, username } of yield* store.list) yield* Console.log(`${username}\t${realm}`)
  })
).pipe(Command.withDescription("Lists users and their realms"))

const hash = Command.make(
  "hash",
  { user, realm, ...passwordFlags },
  Effect.fnUntraced(function*(given) {
    const name = { username: given.user, realm: given.realm }
    yield* checked(name)
    const lines = linesOf({ ...name, password: yield* passwordOf(given) })
    for (const line of lines) yield* Console.log(line)
    const reason = notInFile(name)
    if (reason !== undefined) yield* Console.error(reason)
  })
).pipe(Command.withDescription("Prints the lines of a user for a file, and the H(A1)s for a table"))

export const userCommand = Command.make("user").pipe(
  Command.withDescription(
    "Manages the users of a file or an SQLite database; a running relay sees a file's change within seconds, in a database a new user or password at once"
  ),
  Command.withShortDescription("Manages who may log in: users of a file or an SQLite database"),
  Command.withSubcommands([add, remove, list, hash])
)
