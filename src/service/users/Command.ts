/** `msrp-relay user`: manages the users of a file or an SQLite database. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { passwordFlags, passwordOf } from "../Password.ts"
import { reasonOf } from "../settings/TextFile.ts"
import { fileStore, linesOf, notInFile } from "./FileStore.ts"
import { sqliteStore } from "./SqliteStore.ts"
import { checked, type UserStore, type UserStoreError, wrong } from "./UserStore.ts"

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
  Flag.withDescription("Realm: the value of MSRP_AUTH_REALM, or otherwise the host by which clients address the relay"),
  Flag.withMetavar("REALM")
)
/** The store named by `--file` or `--sqlite`. */
const storeOf = (
  given: { readonly file: Option.Option<string>; readonly sqlite: Option.Option<string> }
): Effect.Effect<UserStore, UserStoreError, FileSystem.FileSystem> => {
  const { file, sqlite } = given
  if (Option.isSome(file) === Option.isSome(sqlite)) return Effect.fail(wrong("Give either --file or --sqlite"))
  return Option.isSome(file) ? fileStore(file.value) : Effect.succeed(sqliteStore(Option.getOrThrow(sqlite)))
}

/** A store that must exist already, so that a mistyped path is an error rather than a new, empty database. */
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
).pipe(Command.withDescription("Adds a user, or changes the password of a user"))

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
).pipe(Command.withDescription("Prints the lines of a user for a file of users, and the H(A1)s for a database"))

export const userCommand = Command.make("user").pipe(
  Command.withDescription(
    "Manages the users in a file or an SQLite database. A running relay applies changes of a file within seconds, and accepts new users and passwords of a database at once."
  ),
  Command.withShortDescription("Manages the users in a file or an SQLite database"),
  Command.withSubcommands([add, remove, list, hash])
)
