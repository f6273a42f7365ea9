/** What is said at start when a database cannot be queried; databases where MSRP_TEST_POSTGRES_URL and MSRP_TEST_MYSQL_URL lead. */
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { createConnection } from "mysql2/promise"
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { DatabaseSync } from "node:sqlite"
import * as Tls from "node:tls"
import { vi } from "vitest"
import { Credentials } from "../../src/Credentials.ts"
import { layerSql, type SqlOptions, type SubscriberTable } from "../../src/credentials/Sql.ts"
import { otherUsersInTable } from "../../src/credentials/SqlOthers.ts"
import { temporaryDirectory } from "../support/directory.ts"
import { selfSigned } from "../support/pki.ts"
import { subscribers } from "./backends.ts"

/** Why the layer fails, or what it warns of. */
const start = (url: string, options: Omit<SqlOptions, "url"> = {}) =>
  Effect.suspend(() => {
    const log: Array<string> = []
    const logger = Logger.make<unknown, void>((entry) => void log.push(Logger.formatLogFmt.log(entry)))
    return Layer.build(layerSql({ url: Redacted.make(url), timeout: 1, ...options })).pipe(
      Effect.as("started"),
      Effect.catch((error) => Effect.succeed(`failed: ${error.message}`)),
      Effect.map((outcome) => ({ outcome, log: log.join("\n") })),
      Effect.provide(Logger.layer([logger])),
      Effect.scoped
    )
  })

const made = Effect.map(temporaryDirectory, (path) => {
  const file = `${path}/users.db`
  const database = new DatabaseSync(file)
  for (const statement of subscribers("subscriber")) database.exec(statement)
  database.close()
  return file
})

describe("SQLite at start", () => {
  it.live("a table or a column that is not there ends it, and is named with the file", () =>
    Effect.gen(function*() {
      const file = yield* made
      const told = (problem: string) => `failed: The SQL credentials cannot be used: ${problem} (${file})`
      const tries = [
        [{}, "started"],
        [{ table: { table: "nosuch" } }, told("there is no such table: nosuch")],
        [{ table: { username: "login" } }, told("there is no such column: login")],
        [{ table: { ha1Sha256: "ha1_sha" } }, told("there is no such column: ha1_sha")],
        [{ calculateHa1: true, table: { password: "secret" } }, told("there is no such column: secret")]
      ] as const
      for (const [options, outcome] of tries) {
        assert.deepStrictEqual(yield* start(`sqlite:${file}`, options), { outcome, log: "" })
      }
      writeFileSync(file, "this is a text and not a database, whatever its name says: ".repeat(100))
      assert.strictEqual((yield* start(`sqlite:${file}`)).outcome, told("the file is not an SQLite database"))
    }).pipe(Effect.scoped))

  it.live("a file that is damaged, a folder or a pipe ends it, and the end does not wait for who opens a pipe", () =>
    Effect.gen(function*() {
      const told = (problem: string, path: string) => ({
        outcome: `failed: The SQL credentials cannot be used: ${problem} (${path})`,
        log: ""
      })
      const folder = yield* temporaryDirectory
      assert.deepStrictEqual(yield* start(`sqlite:${folder}`), told("the file is not an SQLite database", folder))
      const pipe = `${folder}/pipe`
      execFileSync("mkfifo", [pipe])
      assert.deepStrictEqual(yield* start(`sqlite:${pipe}`), told("the file is not an SQLite database", pipe))
      const file = yield* made
      const octets = readFileSync(file)
      octets.fill(0xff, 100, 4096)
      writeFileSync(file, octets)
      assert.deepStrictEqual(yield* start(`sqlite:${file}`), told("the file is damaged", file))
    }).pipe(Effect.scoped))

  it.live("passwords and names in columns of numbers or octets are what they say", () =>
    Effect.gen(function*() {
      const path = `${yield* temporaryDirectory}/users.db`
      const database = new DatabaseSync(path)
      database.exec("CREATE TABLE subscriber (username BLOB, password BLOB)")
      database.exec(
        "INSERT INTO subscriber VALUES ('alice', 12345), ('bob', x'77'), (7, 'x'), ('carol', NULL), ('dave', 9007199254740993)"
      )
      database.close()
      const table = { domain: undefined }
      const users = layerSql({ url: Redacted.make(`sqlite:${path}`), calculateHa1: true, table })
      const passwords = yield* Effect.flatMap(
        Credentials,
        ({ lookup }) =>
          Effect.forEach(["alice", "bob", "7", "carol", "", "dave"], (username) => lookup({ username, realm: "x" }))
      ).pipe(Effect.provide(users))
      const found = passwords.map(
        Option.map((secret) => secret._tag === "Password" ? Redacted.value(secret.password) : "none")
      )
      assert.deepStrictEqual(found.map(Option.getOrUndefined), [
        "12345",
        "w",
        undefined,
        undefined,
        undefined,
        "9007199254740993"
      ])
    }).pipe(Effect.scoped))

  it.live("a file that is not there yet is a warning, and users are found when it is", () =>
    Effect.gen(function*() {
      const path = `${yield* temporaryDirectory}/later.db`
      const { log, outcome } = yield* start(`sqlite:${path}`)
      assert.strictEqual(outcome, "started")
      assert.include(log, `the file cannot be opened: it is not there, or may not be read by this user (${path})`)
      const context = yield* Layer.build(layerSql({ url: Redacted.make(`sqlite:${path}`) }))
      const lookup = Effect.flatMap(Credentials, ({ lookup }) => lookup({ username: "alice", realm: "localhost" }))
        .pipe(Effect.provide(context))
      assert.include((yield* Effect.flip(lookup)).message, path)
      const database = new DatabaseSync(path)
      for (const statement of subscribers("subscriber")) database.exec(statement)
      database.close()
      assert.isTrue(Option.isSome(yield* lookup))
    }).pipe(Effect.scoped))
})

/** What a PostgreSQL is asked for first, which has TLS with a certificate that nobody knows. */
const firstWords = Effect.acquireRelease(
  Effect.promise(async () => {
    const words: Array<string> = []
    const secureContext = Tls.createSecureContext({ cert: selfSigned.cert, key: Redacted.value(selfSigned.key) })
    const server = Net.createServer((socket) => {
      socket.on("error", () => {})
      socket.once("data", (octets) => {
        // SSLRequest of its protocol.
        if (octets.readInt32BE(4) !== 80_877_103) {
          words.push("in the clear")
          socket.destroy()
          return
        }
        words.push("TLS, please")
        const secure = new Tls.TLSSocket(socket, { isServer: true, secureContext })
        secure.on("error", () => {})
        secure.on("data", () => void words.push("by TLS"))
        socket.write("S")
      })
    })
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
    return { words, server, port: (server.address() as Net.AddressInfo).port }
  }),
  ({ server }) => Effect.sync(() => server.close())
)

const withVariable = (name: string, value: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.env[name]
      process.env[name] = value
      return before
    }),
    (before) =>
      Effect.sync(() => {
        if (before === undefined) delete process.env[name]
        else process.env[name] = before
      })
  )

it.live("PostgreSQL is spoken to by TLS where the URL says so, and nothing is said to one whose certificate is not good", () =>
  Effect.gen(function*() {
    const { port, words } = yield* firstWords
    const url = `postgres://msrp:hidden-secret@127.0.0.1:${port}/opensips`
    for (const mode of ["disable", "require"]) {
      yield* Effect.scoped(Effect.andThen(withVariable("PGSSLMODE", mode), start(url)))
      assert.deepStrictEqual([...new Set(words.splice(0))], ["in the clear"], mode)
    }
    const { log, outcome } = yield* start(`${url}?sslmode=require`)
    assert.deepStrictEqual([...new Set(words)], ["TLS, please"])
    assert.strictEqual(outcome, "started")
    assert.match(log, /level=WARN.*cannot be read now/)
    assert.notInclude(log, "hidden-secret")
  }).pipe(Effect.scoped))

it.live("PostgreSQL that does not speak TLS, or an sslmode that there is not, ends it", () =>
  Effect.gen(function*() {
    const server = yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const server = Net.createServer((socket) => {
          socket.on("error", () => {})
          socket.once("data", () => void socket.write("N"))
        })
        await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
        return server
      }),
      (server) => Effect.sync(() => server.close())
    )
    const url = `postgres://msrp:hidden-secret@127.0.0.1:${(server.address() as Net.AddressInfo).port}/opensips`
    const told = "failed: The SQL credentials cannot be used:"
    const { outcome } = yield* start(`${url}?sslmode=require`)
    assert.strictEqual(outcome, `${told} it does not speak TLS, which the URL asks for`)
    const other = yield* start(`${url}?sslmode=required`)
    assert.strictEqual(other.outcome, `${told} the URL has an sslmode that is not known`)
  }).pipe(Effect.scoped))

it.effect("a URL that asks for TLS in the words of another driver ends it: PostgreSQL would be spoken to in the clear", () =>
  Effect.gen(function*() {
    const told = "failed: The SQL credentials cannot be used: the URL has"
    const postgres = yield* start("postgres://msrp:hidden-secret@127.0.0.1:9/opensips?ssl=true")
    assert.strictEqual(postgres.outcome, `${told} ssl, which PostgreSQL does not know: use sslmode=require`)
    for (const ssl of ["true", "required"]) {
      const mysql = yield* start(`mysql://msrp:hidden-secret@127.0.0.1:9/opensips?ssl=${ssl}`)
      assert.strictEqual(mysql.outcome, `${told} an ssl that is not known: use ssl={%22verifyIdentity%22:true}`, ssl)
    }
  }).pipe(Effect.scoped))

it.live("PostgreSQL is asked on four connections at most", () =>
  Effect.gen(function*() {
    const held: Array<Net.Socket> = []
    let strangers = 0
    const server = yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const server = Net.createServer((socket) => {
          socket.on("error", () => {})
          // What is asked at start finds it down.
          if (held.length === 0 && strangers++ === 0) return void socket.destroy()
          held.push(socket)
        })
        await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
        return server
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          for (const one of held) one.destroy()
        })
    )
    const { port } = server.address() as Net.AddressInfo
    const url = Redacted.make(`postgres://msrp:secret@127.0.0.1:${port}/opensips`)
    const context = yield* Layer.build(Layer.provide(layerSql({ url, timeout: 60 }), Logger.layer([])))
    const lookup = Effect.flatMap(Credentials, ({ lookup }) => lookup({ username: "alice", realm: "localhost" }))
    for (let i = 0; i < 8; i++) yield* Effect.forkScoped(Effect.ignore(Effect.provide(lookup, context)))
    const until = (holds: () => boolean) =>
      Effect.promise(() => vi.waitFor(() => assert.isTrue(holds()), { timeout: 10_000, interval: 1 }))
    yield* until(() => held.length >= 4)
    // Connections come in their order: who connects now comes behind all that were asked for at once.
    const last = Net.connect(port, "127.0.0.1").on("error", () => {})
    yield* until(() => last.localPort !== undefined && held.some(({ remotePort }) => remotePort === last.localPort))
    assert.lengthOf(held, 5)
    last.destroy()
  }).pipe(Effect.scoped))

const run = (url: string, statements: ReadonlyArray<string>) =>
  url.startsWith("mysql:")
    ? Effect.promise(async () => {
      const connection = await createConnection(url)
      for (const text of statements) await connection.query(text)
      await connection.end()
    })
    : Effect.flatMap(PgClient.PgClient, (pg) => Effect.forEach(statements, (text) => pg.unsafe(text))).pipe(
      Effect.provide(PgClient.layer({ url: Redacted.make(url) })),
      Effect.orDie
    )

const servers = [
  ["PostgreSQL", process.env["MSRP_TEST_POSTGRES_URL"], "msrp_nobody"],
  ["MySQL", process.env["MSRP_TEST_MYSQL_URL"], "nobody"]
] as const

for (const [name, url, stranger] of servers) {
  describe(url === undefined ? `${name} at start (skipped: there is none)` : `${name} at start`, () => {
    const changed = (change: (url: URL) => void): string => {
      const other = new URL(url!)
      change(other)
      return other.href
    }

    it.live.skipIf(url === undefined)(
      "what is wrong for good ends it, in words without the URL",
      () =>
        Effect.gen(function*() {
          const schema = name === "MySQL" ? "information_schema.tables" : "pg_catalog.pg_user"
          const known = name === "MySQL"
            ? { username: "table_name", domain: undefined, ha1: "table_schema" }
            : { username: "usename", domain: undefined, ha1: "passwd" }
          const table = { table: schema, ...known }
          assert.deepStrictEqual(yield* start(url!, { table }), { outcome: "started", log: "" })
          const tries = [
            [url!, { table: "nosuch" }, /there is no such table: nosuch$/],
            [url!, { ...table, ha1: "digest" }, /there is no such column: digest$/],
            [changed((one) => one.pathname = "/nosuch"), table, /there is no such database/],
            [
              changed((one) => {
                one.username = stranger
                one.password = "hidden-secret"
              }),
              table,
              /user name or password is wrong|may not log in|may not use it/
            ]
          ] as const
          for (const [where, columns, problem] of tries) {
            const { outcome } = yield* start(where, { table: columns })
            assert.match(outcome, problem)
            assert.match(outcome, /^failed: /)
            assert.notInclude(outcome, "hidden-secret")
          }
        })
    )

    it.live.skipIf(url === undefined)(
      "rows for other realms are counted, and one of these is named",
      () =>
        Effect.gen(function*() {
          const table = "msrp_others"
          yield* run(url!, subscribers(table))
          const others = (...realms: ReadonlyArray<string>) =>
            otherUsersInTable({ url: Redacted.make(url!), table: { table } }, realms)
          assert.deepStrictEqual(yield* others("localhost", "one.test"), { users: 1, realm: "elsewhere" })
          assert.isUndefined(yield* others("localhost", "elsewhere"))
        })
    )

    it.live.skipIf(url === undefined)(
      "a name that a column of numbers cannot have is nobody's",
      () =>
        Effect.gen(function*() {
          const [table, username, password] = name === "MySQL"
            ? ["information_schema.processlist", "id", "host"]
            : ["pg_catalog.pg_class", "oid", "relname"]
          const options = { calculateHa1: true, table: { table, username, password, domain: undefined } }
          assert.deepStrictEqual(yield* start(url!, options), { outcome: "started", log: "" })
          const users = layerSql({ url: Redacted.make(url!), ...options })
          for (const username of ["alice", "99999999999999999999"]) {
            const found = Effect.flatMap(Credentials, ({ lookup }) => lookup({ username, realm: "localhost" }))
            assert.isTrue(Option.isNone(yield* Effect.provide(found, users)), username)
          }
        })
    )

    it.live.skipIf(url === undefined)(
      "columns that cannot serve end it, and those that can do",
      () =>
        Effect.gen(function*() {
          const table = "msrp_columns"
          const isMySql = name === "MySQL"
          const wrong = (column: string) =>
            `failed: The SQL credentials cannot be used: a column has another type than text: ${column}`
          const tries = [
            ["VARCHAR(64), domain INT, password TEXT", wrong("domain")],
            ["VARCHAR(64), domain DECIMAL(20), password TEXT", wrong("domain")],
            ["VARCHAR(64), domain CHAR(64), password CHAR(64)", "started"],
            ["BIGINT, domain VARCHAR(64), password INT", "started"],
            ...(isMySql
              ? [["VARBINARY(64), domain BLOB, password BLOB", "started"]] as const
              : [
                ["BYTEA, domain BYTEA, password BYTEA", "started"],
                ["UUID, domain NAME, password TEXT", "started"],
                ["TEXT, domain UUID, password TEXT", wrong("domain")],
                ["BOOLEAN, domain TEXT, password TEXT", wrong("username")],
                ["TEXT, domain TEXT, password JSONB", wrong("password")],
                ["TEXT, domain TEXT, password BOOLEAN", wrong("password")],
                ["TEXT, domain DATE, password TEXT", wrong("domain").replace(": domain", "")]
              ] as const)
          ] as const
          for (const [columns, outcome] of tries) {
            const statements = [`DROP TABLE IF EXISTS ${table}`, `CREATE TABLE ${table} (username ${columns})`]
            yield* run(url!, statements)
            const told = yield* start(url!, { calculateHa1: true, table: { table } })
            assert.deepStrictEqual(told, { outcome, log: "" }, columns)
          }
          yield* run(url!, [`DROP TABLE ${table}`])
        })
    )

    it.live.skipIf(url === undefined)(
      "columns of a fixed width and of large numbers lose nothing and gain nothing",
      () =>
        Effect.gen(function*() {
          const table = "msrp_padded"
          const big = "9007199254740993"
          const numbers = name === "MySQL" ? "BIGINT UNSIGNED" : "BIGINT"
          yield* run(url!, [
            `DROP TABLE IF EXISTS ${table}`,
            `CREATE TABLE ${table} (username CHAR(32), domain CHAR(32), password CHAR(32), login ${numbers}, code ${numbers})`,
            `INSERT INTO ${table} VALUES ('alice', 'localhost', 'wonderland', ${big}, ${big}), ('bob', 'localhost', NULL, 1, 1)`
          ])
          const found = (username: string, columns: Partial<SubscriberTable> = {}) =>
            Effect.flatMap(Credentials, ({ lookup }) => lookup({ username, realm: "localhost" })).pipe(
              Effect.provide(
                layerSql({ url: Redacted.make(url!), calculateHa1: true, table: { table, ...columns } })
              ),
              Effect.map((secret) =>
                Option.isSome(secret) && secret.value._tag === "Password"
                  ? Redacted.value(secret.value.password)
                  : "none"
              )
            )
          assert.strictEqual(yield* found("alice"), "wonderland")
          assert.strictEqual(yield* found("bob"), "none")
          assert.strictEqual(yield* found(big, { username: "login", password: "code" }), big)
          assert.strictEqual(yield* found("9007199254740992", { username: "login", password: "code" }), "none")
          yield* run(url!, [`DROP TABLE ${table}`])
        })
    )

    it.live.skipIf(url === undefined)("one that is down is a warning", () =>
      Effect.gen(function*() {
        const { log, outcome } = yield* start(changed((one) => one.port = "1"))
        assert.strictEqual(outcome, "started")
        assert.match(log, /level=WARN.*cannot be read now.*reason="/)
      }))
  })
}
