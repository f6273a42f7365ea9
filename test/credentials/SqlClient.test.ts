/** The table of users by the `SqlClient` of a program, here one over Node's own SQLite. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { DatabaseSync, type SQLInputValue } from "node:sqlite"
import { Credentials } from "../../src/Credentials.ts"
import { layerSqlClient, type SqlClientOptions } from "../../src/credentials/Sql.ts"
import { credentialsContract } from "../../src/testing.ts"
import { subscribers } from "./backends.ts"

/** A client that makes other names of those it finds, as a program may want it. */
const layerClient = (statements: ReadonlyArray<string>, answered: (rows: number) => void = () => {}) =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function*() {
      const database = yield* Effect.acquireRelease(
        Effect.sync(() => new DatabaseSync(":memory:")),
        (open) => Effect.sync(() => open.close())
      )
      for (const statement of statements) database.exec(statement)
      const run = (sql: string, params: ReadonlyArray<unknown>, transform?: (rows: any) => any) =>
        Effect.try({
          try: () => {
            const rows = database.prepare(sql).all(...params as ReadonlyArray<SQLInputValue>)
            answered(rows.length)
            return transform === undefined ? rows : transform(rows)
          },
          catch: (cause) => new SqlError({ reason: new UnknownError({ cause }) })
        })
      const connection = {
        execute: run,
        executeUnprepared: run,
        executeRaw: (sql: string, params: ReadonlyArray<unknown>) => run(sql, params),
        executeValues: () => Effect.die("not needed"),
        executeValuesUnprepared: () => Effect.die("not needed"),
        executeStream: () => Stream.die("not needed")
      }
      return yield* SqlClient.make({
        acquirer: Effect.succeed(connection),
        compiler: Statement.makeCompilerSqlite((name) => name.toUpperCase()),
        driver: "test",
        spanAttributes: [],
        transformRows: Statement.defaultTransforms((name) => `x${name}`).array
      })
    })
  ).pipe(Layer.provide(Reactivity.layer))

const users = (options: SqlClientOptions, table = "subscriber") =>
  layerSqlClient(options).pipe(Layer.provide(layerClient(subscribers(table))))

const alice = { username: "alice", realm: "localhost", password: "wonderland" }

for (
  const [name, options] of [
    ["passwords", { calculateHa1: true }],
    ["H(A1)s of MD5", {}],
    ["H(A1)s of both", { table: { ha1Sha256: "ha1_sha256" } }]
  ] as const
) {
  describe(`a SqlClient with ${name}`, () => {
    for (const { run, title } of credentialsContract(alice)) {
      it.effect(title, () => Effect.provide(run, users(options)))
    }
  })
}

it.effect("has its own table and columns", () =>
  Effect.gen(function*() {
    const { lookup } = yield* Credentials
    assert.isTrue(Option.isSome(yield* lookup({ username: "alice", realm: "localhost" })))
    const error = yield* Effect.flip(lookup({ username: "twice", realm: "localhost" }))
    assert.include(error.message, "more than one such user")
  }).pipe(Effect.provide(users({ calculateHa1: true, table: { table: "people" } }, "people"))))

it.effect("a name that is undefined is the default, but without a column of realms everybody is in each", () =>
  Effect.gen(function*() {
    const table = { table: undefined, username: undefined, ha1: undefined, ha1Sha256: undefined }
    const found = (table: SqlClientOptions["table"]) =>
      Effect.flatMap(Credentials, ({ lookup }) => lookup({ username: "alice", realm: "elsewhere" })).pipe(
        Effect.map(Option.isSome),
        Effect.provide(users({ table }))
      )
    assert.deepStrictEqual([yield* found(table), yield* found({ ...table, domain: undefined })], [false, true])
  }))

it.effect("the answer is as long for a name that is no user's, so that time does not tell", () => {
  const answers: Array<number> = []
  const client = layerClient(subscribers("subscriber"), (rows) => answers.push(rows))
  return Effect.gen(function*() {
    const { lookup } = yield* Credentials
    answers.length = 0
    assert.isTrue(Option.isSome(yield* lookup({ username: "alice", realm: "localhost" })))
    assert.isTrue(Option.isNone(yield* lookup({ username: "nobody", realm: "localhost" })))
    assert.isTrue(Option.isNone(yield* lookup({ username: "alice", realm: "elsewhere" })))
    assert.deepStrictEqual(answers, [1, 1, 1])
  }).pipe(Effect.provide(layerSqlClient({}).pipe(Layer.provide(client))))
})

it.effect("a table that is not there, and a name that is none, are told at start", () =>
  Effect.gen(function*() {
    const bad = yield* Effect.flip(Layer.build(users({ table: { table: "a;b" } })))
    assert.include(bad.message, "is not the name of a column or table")
    const missing = yield* Effect.flip(Layer.build(users({ table: { table: "nothing" } })))
    assert.include(missing.message, "there is no such table")
  }).pipe(Effect.scoped))

it.effect("who asks hears in time that there is no answer, however long the driver takes to take the question back", () =>
  Effect.gen(function*() {
    let [asked, takenBack] = [0, 0]
    const ask = Effect.suspend(() => {
      asked++
      return asked === 1 ? Effect.succeed([]) : Effect.never
    }).pipe(
      Effect.onInterrupt(() => Effect.andThen(Effect.sleep("5 seconds"), Effect.sync(() => void takenBack++)))
    )
    const connection = { execute: () => ask, executeWithoutTransform: () => ask, executeUnprepared: () => ask }
    const client = SqlClient.make({
      acquirer: Effect.succeed(connection as never),
      compiler: Statement.makeCompilerSqlite(),
      driver: "test",
      spanAttributes: []
    })
    const layer = layerSqlClient({ timeout: 3 }).pipe(
      Layer.provide(Layer.effect(SqlClient.SqlClient, client)),
      Layer.provide(Reactivity.layer)
    )
    yield* Effect.gen(function*() {
      const { lookup } = yield* Credentials
      const looking = yield* Effect.forkChild(Effect.flip(lookup(alice)))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(looking.pollUnsafe()?._tag, "Success")
      assert.match((yield* Fiber.join(looking)).message, /no answer in time/)
      assert.strictEqual(takenBack, 0)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(takenBack, 1)
      const givenUp = yield* Effect.forkChild(lookup(alice), { startImmediately: true })
      yield* Fiber.interrupt(givenUp)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(takenBack, 2)
    }).pipe(Effect.provide(layer))
  }))
