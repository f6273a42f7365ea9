/** Users in an SQLite database. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { closeSync, openSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { wordsOf } from "../../net/ErrorCode.ts"
import { isBusy, onceFree } from "../FileLock.ts"
import { checked, composed, hashes, type UserStore, type UserStoreError, wrong } from "./UserStore.ts"

const CREATE = "CREATE TABLE IF NOT EXISTS subscriber (id INTEGER PRIMARY KEY, username TEXT NOT NULL, " +
  "domain TEXT NOT NULL DEFAULT '', password TEXT NOT NULL DEFAULT '', ha1 TEXT NOT NULL DEFAULT '', " +
  "ha1_sha256 TEXT NOT NULL DEFAULT '', UNIQUE (username, domain))"

/** Users in the table `subscriber` of an SQLite database, which is created if it does not exist. */
export const sqliteStore = (path: string): UserStore => {
  const use = <A>(run: (database: DatabaseSync) => A): Effect.Effect<A, UserStoreError> =>
    Effect.gen(function*() {
      const { DatabaseSync } = yield* Effect.promise(() => import("node:sqlite"))
      const attempt = Effect.try({
        try: () => {
          // Created here with mode 0600, so that no other user can read it.
          closeSync(openSync(path, "a", 0o600))
          // No timeout, because SQLite would block the event loop while it waits for a lock.
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
