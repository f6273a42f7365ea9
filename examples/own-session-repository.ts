/**
 * A relay that stores its sessions in SQLite, where other programs can see who is online. Run it:
 * `node examples/own-session-repository.ts sessions.db`, log in, then `sqlite3 sessions.db 'SELECT * FROM sessions'`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  Authenticator,
  Codec,
  Credentials,
  passwordUser,
  Relay,
  SessionEntry,
  SessionRepo,
  SessionRepoUnavailable,
  SocketSelector,
  Transport
} from "msrp-relay"
import { DatabaseSync } from "node:sqlite"

const Entry = Schema.fromJsonString(SessionEntry)

/** Runs a query. If it fails, new logins are answered 408, and existing sessions stay. */
const asked = <A>(query: () => A): Effect.Effect<A, SessionRepoUnavailable> =>
  Effect.try({ try: query, catch: (cause) => new SessionRepoUnavailable({ cause }) })

const layerSqlite = (path: string) =>
  Layer.effect(
    SessionRepo,
    Effect.gen(function*() {
      const database = yield* Effect.acquireRelease(
        Effect.sync(() => new DatabaseSync(path)),
        (database) => Effect.sync(() => database.close())
      )
      yield* asked(() =>
        database.exec(`
          CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, expires INTEGER NOT NULL, entry TEXT NOT NULL);
          DELETE FROM sessions; -- those of a relay that was killed`)
      )
      const insert = database.prepare("INSERT INTO sessions VALUES (?, ?, ?)")
      const remove = database.prepare("DELETE FROM sessions WHERE id = ?")
      const all = database.prepare("SELECT entry FROM sessions")
      return yield* SessionRepo.make({
        create: (session) =>
          asked(() => void insert.run(session.id, session.expires, Schema.encodeSync(Entry)(session))),
        end: (id) => asked(() => void remove.run(id)),
        list: Stream.fromIterableEffect(
          asked(() => all.all().map(({ entry }) => Schema.decodeUnknownSync(Entry)(entry)))
        )
      })
    })
  )

const listen = [{ scheme: "msrp", host: "localhost", port: Number(process.env["PORT"] ?? 2855) }] as const

const Main = Relay.layer({ listen }).pipe(
  Layer.provide([
    Transport.layerNode(),
    Codec.layer,
    layerSqlite(process.argv[2] ?? "sessions.db"),
    SocketSelector.layerDefault(listen),
    Authenticator.layerDigest().pipe(
      Layer.provide(Credentials.layerMemory([passwordUser("alice", Redacted.make("wonderland"))]))
    )
  ])
)

NodeRuntime.runMain(Layer.launch(Main))
