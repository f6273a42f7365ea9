/** A SQLite file that is locked, not there, or that compares names as it likes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { DatabaseSync } from "node:sqlite"
import { Credentials } from "../../src/Credentials.ts"
import { layerSql } from "../../src/credentials/Sql.ts"
import { Transport } from "../../src/Transport.ts"
import { temporaryDirectory } from "../support/directory.ts"
import { makeWorld, PASSWORDS, request, send } from "../support/harness.ts"
import { subscribers } from "./backends.ts"

const opened = (path: string) =>
  Effect.acquireRelease(Effect.sync(() => new DatabaseSync(path)), (database) => Effect.sync(() => database.close()))

const users = (path: string, timeout?: number) =>
  layerSql({ url: Redacted.make(`sqlite:${path}`), calculateHa1: true, timeout }).pipe(Layer.orDie)

describe("a locked file", () => {
  const locked = Effect.fnUntraced(function*(timeout: number) {
    const path = `${yield* temporaryDirectory}/users.db`
    const database = yield* opened(path)
    for (const statement of subscribers("subscriber")) database.exec(statement)
    const world = yield* makeWorld({ credentials: users(path, timeout) })
    const { alice, bob, bobUri } = yield* world.pair()
    database.exec("BEGIN EXCLUSIVE")
    const from = world.party("carol")
    const peer = yield* world.connect
    const authorization = world.authorization(yield* world.challenge(peer, from), { username: "carol" })
    peer.write(request("AUTH", { to: world.uri, from, headers: [authorization] }))
    /** Messages that pass meanwhile. */
    const talk = Effect.gen(function*() {
      bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "hello" }))
      assert.strictEqual((yield* bob.next).status, 200)
      alice.peer.answer(yield* alice.peer.next)
    })
    return { world, database, peer, talk }
  })

  it.live("holds up who wants to log in, and nobody else", () =>
    Effect.gen(function*() {
      const { database, peer, talk, world } = yield* locked(60)
      yield* Effect.replicateEffect(talk, 20)
      assert.lengthOf(peer.frames, 0)
      database.exec("COMMIT")
      assert.strictEqual((yield* peer.next).status, 200)
      yield* world.done
    }).pipe(Effect.scoped, Effect.provide(Transport.layerNode())), 30_000)

  it.live("is given up after a time, and the log says why", () =>
    Effect.gen(function*() {
      const { peer, talk, world } = yield* locked(3)
      yield* talk
      assert.strictEqual((yield* peer.next).status, 408)
      assert.include(world.errors.join("\n"), "the sql credentials cannot be read: it is locked")
      world.errors.length = 0
      yield* world.done
    }).pipe(Effect.scoped, Effect.provide(Transport.layerNode())), 30_000)
})

const lookup = (username: string, realm = "localhost") =>
  Effect.flatMap(Credentials, (credentials) => credentials.lookup({ username, realm })).pipe(
    Effect.map(Option.match({
      onNone: () => "none",
      onSome: (secret) => secret._tag === "Password" ? Redacted.value(secret.password) : "HA1"
    })),
    Effect.catch((error) => Effect.succeed(error.message))
  )

it.live("what is wrong with a file is told, and it is read as soon as it is right", () =>
  Effect.gen(function*() {
    const path = `${yield* temporaryDirectory}/users.db`
    yield* Effect.gen(function*() {
      assert.match(
        yield* lookup("alice"),
        /: the file cannot be opened: it is not there, or may not be read by this user/
      )
      const database = yield* opened(path)
      database.exec("CREATE TABLE other (x)")
      assert.match(yield* lookup("alice"), /: there is no such table: subscriber/)
      database.exec("CREATE TABLE subscriber (username TEXT, domain TEXT)")
      assert.match(yield* lookup("alice"), /: there is no such column: password/)
      for (const statement of subscribers("subscriber")) database.exec(statement)
      assert.strictEqual(yield* lookup("alice"), PASSWORDS["alice"])
    }).pipe(Effect.provide(users(path)))
  }).pipe(Effect.scoped))

it.live("nobody waits for a question that was taken back", () =>
  Effect.gen(function*() {
    const path = `${yield* temporaryDirectory}/users.db`
    const database = yield* opened(path)
    for (const statement of subscribers("subscriber")) database.exec(statement)
    yield* Effect.gen(function*() {
      const many = yield* Effect.forEach(
        Array.from({ length: 50 }),
        () => Effect.forkChild(lookup("alice"), { startImmediately: true })
      )
      yield* Fiber.interruptAll(many)
      assert.strictEqual(yield* lookup("carol"), PASSWORDS["carol"])
    }).pipe(Effect.provide(users(path)))
  }).pipe(Effect.scoped))

describe("a user is who is stored, whatever else the database takes for the same", () => {
  const table = (column: string, names: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const path = `${yield* temporaryDirectory}/users.db`
      const database = yield* opened(path)
      database.exec(`CREATE TABLE subscriber (username ${column}, domain TEXT COLLATE NOCASE, password TEXT)`)
      const insert = database.prepare("INSERT INTO subscriber VALUES (?, 'localhost', ?)")
      for (const name of names) insert.run(name, `of ${name}`)
      return users(path)
    })
  const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<string>, Readonly<Record<string, string>>]> = [
    ["case", "TEXT COLLATE NOCASE", ["alice", "Bob"], {
      alice: "of alice",
      Alice: "none",
      ALICE: "none",
      Bob: "of Bob",
      bob: "none"
    }],
    ["case, with a row for each", "TEXT COLLATE NOCASE", ["ALICE", "Alice", "aLice", "alice"], {
      alice: "of alice",
      ALICE: "of ALICE",
      alicE: "none"
    }],
    ["blanks behind it", "TEXT COLLATE RTRIM", ["alice", "bob  "], {
      "alice": "of alice",
      "alice ": "none",
      "bob": "of bob  ",
      "bob  ": "none"
    }],
    ["how a letter is composed", "TEXT", ["\u00e4", "o\u0308"], { "\u00e4": "of \u00e4", "\u00f6": "none" }],
    ["leading zeros", "INTEGER", ["7"], { "7": "of 7", "07": "none", "7.0": "none" }]
  ]
  for (const [what, column, names, found] of cases) {
    it.live(what, () =>
      Effect.gen(function*() {
        const layer = yield* table(column, names)
        yield* Effect.gen(function*() {
          for (const [username, secret] of Object.entries(found)) {
            assert.strictEqual(yield* lookup(username), secret, JSON.stringify(username))
          }
          assert.strictEqual(
            yield* lookup(names[0]!.toLowerCase(), "LOCALHOST"),
            yield* lookup(names[0]!.toLowerCase())
          )
        }).pipe(Effect.provide(layer))
      }).pipe(Effect.scoped))
  }
})
