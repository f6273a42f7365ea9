/** The same AUTHs with users from everywhere; databases where MSRP_TEST_POSTGRES_URL and MSRP_TEST_MYSQL_URL lead. */
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { createConnection } from "mysql2/promise"
import { DatabaseSync } from "node:sqlite"
import { Readable } from "node:stream"
import type { Credentials } from "../../src/Credentials.ts"
import { ephemeralPassword, layerEphemeral } from "../../src/credentials/Ephemeral.ts"
import { layerHttp } from "../../src/credentials/Http.ts"
import { layerSql, type SqlOptions } from "../../src/credentials/Sql.ts"
import { Transport } from "../../src/Transport.ts"
import { temporaryDirectory } from "../support/directory.ts"
import { headers, makeWorld, PASSWORDS, send, type World } from "../support/harness.ts"
import { ha1, proxy, service, subscribers, type Switch } from "./backends.ts"

interface Backend {
  readonly credentials: Layer.Layer<Credentials>
  readonly algorithms: ReadonlyArray<string>
  /** To stop and start it, where it is a process of its own. */
  readonly power?: Switch
}

type Make = Effect.Effect<Backend, never, Scope.Scope>

const sql = (options: SqlOptions): Layer.Layer<Credentials> => Layer.orDie(layerSql(options))

/** The ways to keep secrets in a table. */
const tables = (make: (options: Omit<SqlOptions, "url">) => Make): ReadonlyArray<readonly [string, Make]> => [
  ["passwords", make({ calculateHa1: true })],
  ["HA1", make({})],
  ["HA1 of both algorithms", make({ table: { ha1Sha256: "ha1_sha256" } })]
]

const algorithmsOf = ({ calculateHa1, table }: Omit<SqlOptions, "url">) =>
  calculateHa1 === true || table?.ha1Sha256 !== undefined ? ["SHA-256", "MD5"] : ["MD5"]

const sqlite = (options: Omit<SqlOptions, "url">): Make =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const database = new DatabaseSync(`${directory}/users.db`)
    for (const statement of subscribers("subscriber")) database.exec(statement)
    database.close()
    return {
      credentials: sql({ ...options, url: Redacted.make(`sqlite:${directory}/users.db`) }),
      algorithms: algorithmsOf(options)
    }
  })

/** Over a proxy, so that it can be stopped. */
const throughProxy = (url: string, options: Omit<SqlOptions, "url">) =>
  Effect.map(proxy(new URL(url)), (power): Backend => {
    const near = new URL(url)
    near.port = String(power.port)
    return {
      credentials: sql({ ...options, url: Redacted.make(near.href), timeout: 1 }),
      algorithms: algorithmsOf(options),
      power
    }
  })

const POSTGRES = process.env["MSRP_TEST_POSTGRES_URL"]
const MYSQL = process.env["MSRP_TEST_MYSQL_URL"]

const postgres = (options: Omit<SqlOptions, "url">): Make =>
  Effect.gen(function*() {
    const table = `subscriber_${Math.random().toString(36).slice(2)}`
    yield* Effect.flatMap(PgClient.PgClient, (pg) => Effect.forEach(subscribers(table), (text) => pg.unsafe(text)))
      .pipe(
        Effect.provide(PgClient.layer({ url: Redacted.make(POSTGRES!) })),
        Effect.orDie
      )
    return yield* throughProxy(POSTGRES!, { ...options, table: { ...options.table, table } })
  })

const mysql = (options: Omit<SqlOptions, "url">): Make =>
  Effect.gen(function*() {
    const table = `subscriber_${Math.random().toString(36).slice(2)}`
    yield* Effect.promise(async () => {
      const connection = await createConnection(MYSQL!)
      for (const text of subscribers(table)) await connection.query(text)
      await connection.end()
    })
    return yield* throughProxy(MYSQL!, { ...options, table: { ...options.table, table } })
  })

const http = (secretOf: (username: string) => unknown, algorithms: ReadonlyArray<string> = ["SHA-256", "MD5"]): Make =>
  Effect.map(
    service(({ method, realm, source, username }, authorization) => {
      assert.strictEqual(source, "127.0.0.1")
      if (authorization !== "Bearer t0ken") return [401, {}]
      if (method !== "AUTH" || realm !== "localhost" || PASSWORDS[username!] === undefined) return [404, {}]
      return [200, secretOf(username!)]
    }),
    (power): Backend => ({
      credentials: layerHttp({
        url: `http://127.0.0.1:${power.port}/users`,
        token: Redacted.make("t0ken"),
        timeout: "1 second",
        ...(algorithms.length === 1 ? { algorithms: ["MD5"] } : {})
      }).pipe(Layer.provide(FetchHttpClient.layer), Layer.orDie),
      algorithms,
      power
    })
  )

const all: ReadonlyArray<readonly [string, ReadonlyArray<readonly [string, Make]>, skipped?: string | undefined]> = [
  ["SQLite", tables(sqlite)],
  ["PostgreSQL", tables(postgres), POSTGRES === undefined ? "MSRP_TEST_POSTGRES_URL is not set" : undefined],
  ["MySQL", tables(mysql), MYSQL === undefined ? "MSRP_TEST_MYSQL_URL is not set" : undefined],
  ["HTTP", [
    ["passwords", http((username) => ({ password: PASSWORDS[username] }))],
    ["HA1", http((username) => ({ ha1: { MD5: ha1("md5", username) } }), ["MD5"])],
    [
      "HA1 of both algorithms",
      http((username) => ({
        ha1: { "MD5": ha1("md5", username), "SHA-256": ha1("sha256", username) }
      }))
    ]
  ]]
]

const inWorld = (make: Make, body: (world: World, backend: Backend) => Effect.Effect<void, unknown, Scope.Scope>) =>
  Effect.scoped(Effect.gen(function*() {
    const backend = yield* make
    const world = yield* makeWorld({
      credentials: backend.credentials,
      limits: { failedAuths: 1000, unsuccessful: 1000 },
      digest: { freePerUser: 1000, freePerAddress: 1000 }
    })
    yield* body(world, backend)
    yield* world.done
  })).pipe(Effect.provide(Transport.layerNode()))

/** The status of an AUTH on a connection of its own. */
const attempt = (world: World, username: string, password: string) =>
  Effect.gen(function*() {
    const peer = yield* world.connect
    const from = world.party()
    const challenge = yield* world.challenge(peer, from)
    const { status } = yield* world.auth(peer, from, world.authorization(challenge, { username, password }))
    if (status !== 200) yield* peer.close
    return status
  })

for (const [name, kinds, skipped] of all) {
  describe(skipped === undefined ? name : `${name} (skipped: ${skipped})`, () => {
    for (const [kind, make] of kinds) {
      it.live.skipIf(skipped !== undefined)(
        `R7616-3.6-01: ${kind}: who may log in does, nobody else`,
        () =>
          inWorld(make, (world, { algorithms }) =>
            Effect.gen(function*() {
              const peer = yield* world.connect
              const challenged = yield* world.auth(peer, world.party())
              assert.deepStrictEqual(
                headers(challenged, "WWW-Authenticate").map((value) => /algorithm="?([\w-]+)/.exec(value)![1]),
                [...algorithms]
              )
              for (const username of ["alice", "carol", "alice"]) yield* world.login({ username })
              assert.strictEqual(yield* attempt(world, "alice", "christmas"), 401)
              assert.strictEqual(yield* attempt(world, "alice", ""), 401)
              for (
                const nobody of [
                  "dave",
                  "nothing",
                  "bob",
                  "Alice",
                  "alice ",
                  "\u00e1lice",
                  "' OR '1'='1",
                  "alice' --",
                  "al%",
                  "\\",
                  "a\u0301\u{1f600}"
                ]
              ) {
                assert.strictEqual(yield* attempt(world, nobody, "x"), 401, nobody)
                assert.strictEqual(yield* attempt(world, nobody, ""), 401, nobody)
              }
              // Whatever the database takes for the same name.
              for (const alias of ["Alice", "ALICE", "alice ", "\u00e1lice"]) {
                assert.strictEqual(yield* attempt(world, alias, PASSWORDS["alice"]!), 401, alias)
              }
              if (name !== "HTTP") assert.strictEqual(yield* attempt(world, "twice", "x"), 408)
              world.errors.length = 0
            }))
      )
    }

    const [, stoppable] = kinds[0]!
    it.live.skipIf(skipped !== undefined || name === "SQLite")(
      "stopped and started again under load: nobody is admitted or refused meanwhile, sessions go on, logins resume",
      () =>
        inWorld(stoppable, (world, { power }) =>
          Effect.gen(function*() {
            const { alice, bob, bobUri } = yield* world.pair()
            const talk = Effect.gen(function*() {
              bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "hello" }))
              assert.strictEqual((yield* bob.next).status, 200)
              alice.peer.answer(yield* alice.peer.next)
            })
            const load = (password: string) =>
              Effect.forEach(Array.from({ length: 10 }), () => attempt(world, "carol", password), { concurrency: 10 })
            yield* power!.stop
            const [right, wrong] = yield* Effect.all([load("christmas"), load("guess"), talk], { concurrency: 3 })
            assert.deepStrictEqual([...new Set([...right, ...wrong])], [408])
            assert.strictEqual(world.relay.counters.undecidedAuths, right.length + wrong.length)
            yield* power!.start
            yield* talk
            yield* attempt(world, "carol", "christmas").pipe(
              Effect.filterOrFail((status) => status === 200, (status) => `${status}`),
              Effect.retry({ schedule: Schedule.spaced("100 millis"), times: 50 })
            )
            assert.deepStrictEqual([...new Set(yield* load("christmas"))], [200])
            assert.deepStrictEqual([...new Set(yield* load("guess"))], [401])
            world.errors.length = 0
          })),
      30_000
    )

    it.live.skipIf(skipped !== undefined || name === "SQLite" || name === "HTTP")(
      "connections to the database that never answer again are given up, and logins resume",
      () =>
        inWorld(stoppable, (world, { power }) =>
          Effect.gen(function*() {
            const load = Effect.forEach(
              Array.from({ length: 8 }),
              () => attempt(world, "carol", "christmas"),
              { concurrency: 8 }
            )
            assert.deepStrictEqual([...new Set(yield* load)], [200])
            yield* power!.hang!
            assert.include(yield* load, 408)
            // A driver may take some seconds more to give a connection up; whoever comes meanwhile hears 408 as well.
            const resumed = Effect.repeat(load, {
              until: (statuses) => statuses.every((status) => status === 200),
              schedule: Schedule.spaced("1 second"),
              times: 10
            })
            yield* resumed
            assert.deepStrictEqual([...new Set(yield* load)], [200])
            world.errors.length = 0
          })),
      30_000
    )
  })
}

describe("HTTP", () => {
  const wrong: ReadonlyArray<readonly [string, [number, unknown]]> = [
    ["500", [500, {}]],
    ["no JSON", [200, "<html>"]],
    ["neither password nor HA1", [200, {}]],
    ["an empty password", [200, { password: "" }]],
    ["an HA1 that is none", [200, { ha1: { MD5: "wonderland" } }]],
    ["an HA1 of another algorithm", [200, { ha1: { "SHA-256": ha1("md5", "alice") } }]],
    ["a redirection", [302, {}]],
    ["too much", [200, { password: "x".repeat(70_000) }]]
  ]
  for (const [what, answer] of wrong) {
    it.live(`${what}: cannot tell, so nobody is admitted, and nobody refused`, () =>
      inWorld(
        Effect.map(service(() => answer), ({ port }): Backend => ({
          credentials: layerHttp({ url: `http://127.0.0.1:${port}/` }).pipe(
            Layer.provide(FetchHttpClient.layer),
            Layer.orDie
          ),
          algorithms: []
        })),
        (world) =>
          Effect.gen(function*() {
            assert.strictEqual(yield* attempt(world, "alice", PASSWORDS["alice"]!), 408)
            assert.notInclude(world.log.join("\n"), ha1("md5", "alice"))
            assert.include(world.log.join("\n"), "http")
            world.errors.length = 0
          })
      ))
  }
})

describe("HTTP", () => {
  const asking = (port: number): Backend => ({
    credentials: layerHttp({ url: `http://127.0.0.1:${port}/`, timeout: "1 second" }).pipe(
      Layer.provide(FetchHttpClient.layer),
      Layer.orDie
    ),
    algorithms: []
  })
  const cannotTell = (make: Make) =>
    inWorld(make, (world) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* attempt(world, "alice", PASSWORDS["alice"]!), 408)
        world.errors.length = 0
      }))

  it.live("a user is who the service says, and another spelling of his name is nobody", () =>
    inWorld(
      Effect.map(
        service(({ username }) => [200, {
          password: PASSWORDS["alice"],
          ...(username === "Carol" ? {} : { username: "alice" })
        }]),
        ({ port }) => asking(port)
      ),
      (world) =>
        Effect.gen(function*() {
          const password = PASSWORDS["alice"]!
          assert.strictEqual(yield* attempt(world, "alice", password), 200)
          assert.strictEqual(yield* attempt(world, "Alice", password), 401)
          assert.strictEqual(yield* attempt(world, "alice ", password), 401)
          // One that says nothing takes names as they are.
          assert.strictEqual(yield* attempt(world, "Carol", password), 200)
        })
    ))

  it.live(
    "who users are is neither told to another service nor asked there",
    () =>
      Effect.scoped(Effect.gen(function*() {
        let asked = 0
        const { port } = yield* service(() => {
          asked++
          return [200, { password: PASSWORDS["alice"] }]
        })
        for (const status of [301, 302, 303, 307, 308]) {
          const location = `http://127.0.0.1:${port}/`
          yield* cannotTell(Effect.map(service(() => [status, {}, { location }]), (moved) => asking(moved.port)))
        }
        assert.strictEqual(asked, 0)
      })),
    20_000
  )

  it.live(
    "R4976-9.3-06: of an answer that never ends no more is read than an answer may have",
    () =>
      Effect.gen(function*() {
        let octets = 0
        const endless = () =>
          Readable.from((function*() {
            while (octets < 1e9) {
              octets += 16_384
              yield Buffer.alloc(16_384, "x")
            }
          })())
        yield* cannotTell(Effect.map(service(() => [200, endless()]), ({ port }) => asking(port)))
        // What the operating system takes counts too, in each of three tries.
        assert.isBelow(octets, 100_000_000)
      }),
    20_000
  )
})

describe("ephemeral", () => {
  const secret = Redacted.make("shared")
  it.live("a user name with a time in it is good until then, with the password made of it", () =>
    inWorld(
      Effect.succeed({ credentials: Layer.orDie(layerEphemeral({ secret })), algorithms: [] }),
      (world) =>
        Effect.gen(function*() {
          const now = Math.floor(Date.now() / 1000)
          for (const username of [`${now + 60}:alice`, `${now + 60}`, `${now + 60}:with:colons and \u{1f600}`]) {
            const password = Redacted.value(ephemeralPassword(secret, username))
            assert.strictEqual(yield* attempt(world, username, password), 200, username)
            assert.strictEqual(yield* attempt(world, username, "other"), 401)
          }
          for (const username of [`${now - 1}:alice`, "alice", ":alice", `x${now + 60}`, `${now + 60}alice`, ""]) {
            const password = Redacted.value(ephemeralPassword(secret, username))
            assert.strictEqual(yield* attempt(world, username, password), 401, username)
          }
        })
    ))

  it("the password is what other programs make", () => {
    // printf %s 1800000000:alice | openssl dgst -sha1 -hmac shared -binary | base64
    assert.strictEqual(
      Redacted.value(ephemeralPassword(secret, "1800000000:alice")),
      "s/BIqd1ziFZRPl7ZIk0zCltr9FA="
    )
  })
})
