/** Users of the service: those that take time to ask for are remembered, unless that is not wanted. */
import { assert, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { DatabaseSync } from "node:sqlite"
import { type LiveUsers, makeUsers } from "../../src/service/Backend.ts"
import type { BackendSettings, CredentialsSettings } from "../../src/service/Settings.ts"
import { temporaryDirectory } from "../support/directory.ts"
import { disk, parse } from "./settings/environment.ts"

/** A service that knows nobody, and counts who asks. */
const service = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly asked: () => number; readonly close: () => void }>((resume) => {
    let asked = 0
    const server = createServer((request, response) => {
      asked++
      request.resume()
      response.writeHead(404).end()
    })
    server.listen(0, "127.0.0.1", () => {
      const close = () => {
        server.closeAllConnections()
        server.close()
      }
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      resume(Effect.succeed({ url, asked: () => asked, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

/** Why its only backend does not answer. */
const unavailable = (users: LiveUsers) => users.backends()[0]!.unavailable

it.effect.each(
  [
    [undefined, 1],
    ["0", 3]
  ] as const
)("with MSRP_CREDENTIALS_CACHE=%s a service that is asked for one user three times hears of it %d times", ([
  cache,
  times
]) =>
  Effect.gen(function*() {
    const { asked, url } = yield* service
    const { credentials } = yield* parse({ MSRP_HTTP_URL: url, MSRP_CREDENTIALS_CACHE: cache })
    const users = yield* makeUsers(credentials)
    assert.strictEqual(asked(), 1, "at the start")
    const user = { username: "alice", realm: "example.org", source: "192.0.2.1" }
    for (let i = 0; i < 3; i++) yield* users.credentials.lookup(user)
    assert.strictEqual(asked(), 1 + times)
  }).pipe(Effect.scoped, Effect.provide(disk)))

it.effect("tells since when a backend cannot be queried, and why, also where others are remembered, until it can", () =>
  Effect.gen(function*() {
    const { asked, close, url } = yield* service
    const { credentials } = yield* parse({ MSRP_HTTP_URL: url })
    const users = yield* makeUsers(credentials)
    const lookup = (username: string) =>
      Effect.forkChild(Effect.exit(users.credentials.lookup({ username, realm: "example.org" }))).pipe(
        Effect.flatMap((fiber) =>
          Effect.repeat(TestClock.adjust("100 millis"), { until: () => fiber.pollUnsafe() !== undefined })
        )
      )
    yield* lookup("alice")
    assert.isUndefined(unavailable(users))
    close()
    yield* lookup("bob")
    const { last, reason, since } = unavailable(users)!
    assert.strictEqual(since, last)
    assert.strictEqual(
      reason,
      "the http credentials cannot be read: no connection: nobody listens there (ECONNREFUSED)"
    )
    // What is remembered says nothing of the backend.
    yield* lookup("alice")
    yield* lookup("carol")
    const later = unavailable(users)!
    assert.strictEqual(later.since, since)
    assert.isAbove(later.last, last)
    assert.strictEqual(asked(), 2)
  }).pipe(Effect.scoped, Effect.provide(disk)))

/** A database with `alice`, and `twice`, who is there two times; its table can be taken away. */
const database = Effect.gen(function*() {
  const file = `${yield* temporaryDirectory}/users.db`
  const run = (...statements: ReadonlyArray<string>) => {
    const open = new DatabaseSync(file)
    for (const statement of statements) open.exec(statement)
    open.close()
  }
  run(
    "CREATE TABLE subscriber (username TEXT, domain TEXT, password TEXT)",
    "INSERT INTO subscriber VALUES ('alice', 'example.org', 'x'), ('twice', 'example.org', 'x'), ('twice', 'example.org', 'y')"
  )
  const settings = { MSRP_SQL_URL: `sqlite:${file}`, MSRP_CALCULATE_HA1: "1", MSRP_CREDENTIALS_CACHE: "0" }
  const { credentials } = yield* parse(settings)
  const users = yield* makeUsers(credentials)
  const { lookup } = users.credentials
  return {
    run,
    users,
    unavailable: () => unavailable(users),
    look: (username: string) => Effect.exit(lookup({ username, realm: "example.org" }))
  }
})

it.live("a backend that answers, but for one user, is not down", () =>
  Effect.gen(function*() {
    const { look, run, unavailable } = yield* database
    assert.isTrue(Exit.isFailure(yield* look("twice")))
    assert.isUndefined(unavailable())
    run("ALTER TABLE subscriber RENAME TO away")
    yield* look("alice")
    assert.include(unavailable()?.reason, "there is no such table: subscriber")
    run("ALTER TABLE away RENAME TO subscriber")
    yield* look("twice")
    assert.isUndefined(unavailable())
  }).pipe(Effect.scoped, Effect.provide(disk)))

it.live("the log says that a backend answers again, and why it did not", () => {
  const lines: Array<string> = []
  const logger = Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))])
  return Effect.gen(function*() {
    const { look, run } = yield* database
    yield* look("alice")
    assert.lengthOf(lines, 0)
    run("ALTER TABLE subscriber RENAME TO away")
    yield* look("alice")
    yield* look("alice")
    assert.lengthOf(lines, 0)
    run("ALTER TABLE away RENAME TO subscriber")
    yield* look("alice")
    yield* look("alice")
    assert.lengthOf(lines, 1)
    assert.match(
      lines[0]!,
      /level=INFO .*message="The credentials can be looked up again" seconds=0 reason=".*no such table: subscriber/
    )
  }).pipe(Effect.scoped, Effect.provide([disk, logger]))
})

/** How often a file of users is looked at in 28 seconds and in a further minute, once others have replaced it. */
const looksOf = (before: (file: BackendSettings) => CredentialsSettings) =>
  Effect.gen(function*() {
    const text = Buffer.from("alice:example.org:0123456789abcdef0123456789abcdef\n")
    const size = ByteSize.bytes(text.length)
    let looks = 0
    const files = FileSystem.makeNoop({
      readFile: () => Effect.succeed(text),
      stat: (path) =>
        Effect.sync(() => {
          if (path === "before") looks++
          return { type: "File", size, mtime: Option.none(), ino: Option.none() } as FileSystem.File.Info
        })
    })
    const users = yield* Effect.provideService(
      makeUsers(before({ _tag: "File", path: "before" })),
      FileSystem.FileSystem,
      files
    )
    yield* TestClock.adjust("5 seconds")
    assert.isAtLeast(looks, 5)
    yield* Effect.flatten(users.open({ _tag: "File", path: "after" }))
    looks = 0
    yield* TestClock.adjust("28 seconds")
    const soon = looks
    yield* TestClock.adjust("1 minute")
    return [soon, looks - soon] as const
  }).pipe(Effect.scoped)

it.live("a database that was replaced still answers queries from before", () =>
  Effect.gen(function*() {
    const { users } = yield* database
    const replace = yield* users.open({ _tag: "Memory", users: [] })
    const asked = yield* Effect.forkChild(users.credentials.lookup({ username: "alice", realm: "example.org" }), {
      startImmediately: true
    })
    yield* replace
    assert.isTrue(Option.isSome(yield* Fiber.join(asked)))
  }).pipe(Effect.scoped, Effect.provide(disk)))

it.effect("a file that was replaced is not looked at any more: each change would be logged twice", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* looksOf((file) => file), [0, 0])
    const memory = { _tag: "Memory", users: [] } as const
    assert.deepStrictEqual(
      yield* looksOf((file) => ({ _tag: "ByRealm", realms: { "example.org": file }, others: memory })),
      [0, 0]
    )
    const http = { _tag: "Http", url: "http://127.0.0.1:9/", cacheSeconds: 0 } as const
    assert.deepStrictEqual(
      yield* looksOf((file) => ({ _tag: "ByRealm", realms: { "example.org": file }, others: http })),
      [0, 0]
    )
  }))

it.live("a backend that is down at the start is told of before anybody logs in, and so is its return", () => {
  const lines: Array<string> = []
  const logger = Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))])
  return Effect.gen(function*() {
    const { close, url } = yield* service
    close()
    const path = `${yield* temporaryDirectory}/later.db`
    const settings = [
      [
        { MSRP_HTTP_URL: url },
        "the http credentials cannot be read: no connection: nobody listens there (ECONNREFUSED)"
      ],
      [{ MSRP_SQL_URL: `sqlite:${path}` }, "the sql credentials cannot be read: the file cannot be opened"]
    ] as const
    for (const [one, reason] of settings) {
      const { credentials } = yield* parse(one)
      const users = yield* makeUsers(credentials)
      assert.include(unavailable(users)?.reason, reason)
      if (!("MSRP_SQL_URL" in one)) continue
      const file = new DatabaseSync(path)
      file.exec("CREATE TABLE subscriber (username TEXT, domain TEXT, ha1 TEXT)")
      file.close()
      yield* users.credentials.lookup({ username: "alice", realm: "example.org" })
      assert.isUndefined(unavailable(users))
    }
    assert.lengthOf(lines.filter((line) => line.includes("can be looked up again")), 1)
  }).pipe(Effect.scoped, Effect.provide([disk, logger]))
})

it.effect("a file that cannot be used is shown, with its backend, until it is right again", () =>
  Effect.gen(function*() {
    const right = `alice:example.org:${"0".repeat(32)}\n`
    const file = { text: right, modified: 0, type: "File" as FileSystem.File.Type }
    const files = FileSystem.makeNoop({
      readFile: () => Effect.sync(() => Buffer.from(file.text)),
      stat: () =>
        Effect.sync(() => {
          const { modified, text, type } = file
          const size = ByteSize.bytes(text.length)
          return { type, size, mtime: Option.some(new Date(modified)), ino: Option.none() } as FileSystem.File.Info
        })
    })
    const users = yield* Effect.provideService(
      makeUsers({
        _tag: "ByRealm",
        realms: { "example.org": { _tag: "File", path: "users" } },
        others: { _tag: "Memory", users: [] }
      }),
      FileSystem.FileSystem,
      files
    )
    const fine = ([["file", 1], ["memory", 0]] as const).map(([backend, users]) => ({
      backend,
      users,
      unavailable: undefined,
      outdated: undefined,
      unserved: undefined
    }))
    assert.deepStrictEqual(users.backends(), fine)
    yield* TestClock.setTime(5000)
    const reason = "The credentials file users is wrong in line 2: not user:realm:secret"
    Object.assign(file, { text: `${right}wrong\n`, modified: 1 })
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(users.backends()[0]!.outdated, { since: 6000, reason })
    // Another fault has no other beginning.
    Object.assign(file, { type: "Directory", modified: 2 })
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(users.backends()[0]!.outdated, {
      since: 6000,
      reason: "The credentials file users cannot be read: it is a Directory"
    })
    Object.assign(file, { text: right, type: "File", modified: 3 })
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(users.backends(), fine)
  }).pipe(Effect.scoped))
