import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { takeLock, withFileLock } from "../../src/service/FileLock.ts"
import { temporaryDirectory } from "../support/directory.ts"

it.live("one after the other has the lock, and nothing of it is left", () =>
  Effect.gen(function*() {
    const path = yield* temporaryDirectory
    let [inside, most, done] = [0, 0, 0]
    const work = Effect.sync(() => most = Math.max(most, ++inside)).pipe(
      Effect.andThen(Effect.yieldNow),
      Effect.andThen(Effect.sync(() => {
        inside--
        done++
      }))
    )
    yield* Effect.forEach(Array.from({ length: 20 }), () => withFileLock(join(path, "users"), work), {
      concurrency: "unbounded",
      discard: true
    })
    assert.deepStrictEqual([most, done], [1, 20])
    assert.deepStrictEqual(readdirSync(path), [])
  }))

it.effect("it is given up when somebody keeps it, and free again after what failed", () =>
  Effect.gen(function*() {
    const path = join(yield* temporaryDirectory, "users")
    const keeper = yield* Effect.forkChild(withFileLock(path, Effect.never), { startImmediately: true })
    const waiting = yield* Effect.forkChild(Effect.flip(withFileLock(path, Effect.void)), { startImmediately: true })
    // What loads SQLite takes real time.
    yield* Effect.promise(() => import("node:sqlite"))
    yield* Effect.promise(() => new Promise((resume) => setImmediate(resume)))
    yield* TestClock.adjust("31 seconds")
    const { message } = yield* Fiber.join(waiting)
    assert.match(message, /users\.lock is locked by another process/)
    yield* Fiber.interrupt(keeper)
    assert.strictEqual(yield* Effect.flip(withFileLock(path, Effect.fail("broken"))), "broken")
    assert.strictEqual(yield* withFileLock(path, Effect.succeed("free")), "free")
  }))

it.effect("whoever waits for it may be interrupted at any moment, and has nothing of it then", () =>
  Effect.gen(function*() {
    const path = join(yield* temporaryDirectory, "users")
    yield* Effect.promise(() => import("node:sqlite"))
    const turn = Effect.promise(() => new Promise((resume) => setImmediate(resume)))
    const isHeld = (): boolean => readdirSync(dirname(path)).length > 0
    let worked = 0
    for (const turns of [0, 1, 2, 5]) {
      const keeper = yield* Effect.forkChild(withFileLock(path, Effect.never), { startImmediately: true })
      while (!isHeld()) yield* turn
      const waiting = yield* Effect.forkChild(withFileLock(path, Effect.sync(() => worked++)), {
        startImmediately: true
      })
      for (let i = 0; i < turns; i++) yield* turn
      yield* Fiber.interrupt(waiting)
      assert.isTrue(isHeld())
      // Free in the very moment in which another one is told to go.
      const other = yield* Effect.forkChild(withFileLock(path, Effect.never), { startImmediately: true })
      yield* turn
      yield* Fiber.interrupt(keeper)
      yield* TestClock.adjust("20 millis")
      yield* Fiber.interrupt(other)
      assert.isFalse(isHeld())
    }
    assert.strictEqual(worked, 0)
  }))

it.effect("a file that its holder deletes while it is opened is not the lock", () =>
  Effect.gen(function*() {
    const path = join(yield* temporaryDirectory, "users.lock")
    const opened = (): DatabaseSync => new DatabaseSync(path, { timeout: 0 })
    const lock = takeLock(path, () => {
      const database = opened()
      rmSync(path)
      writeFileSync(path, "")
      return database
    })
    assert.isUndefined(lock)
    takeLock(path, opened)!()
  }))

it.effect("a folder where nothing may be written is named", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(withFileLock("/nowhere/users", Effect.void))
    assert.match(error.message, /^\/nowhere\/users\.lock cannot be locked: /)
  }))

it.effect("what somebody else has made in its place is named and left alone", () =>
  Effect.gen(function*() {
    const path = join(yield* temporaryDirectory, "users")
    const lock = `${path}.lock`
    const wrong = [
      () => writeFileSync(lock, "theirs\n"),
      () => writeFileSync(lock, "theirs\n".repeat(1000)),
      () => mkdirSync(lock),
      () => execFileSync("mkfifo", [lock]),
      () => symlinkSync("elsewhere", lock),
      () => symlinkSync(lock, lock)
    ]
    for (const make of wrong) {
      make()
      const { message } = yield* Effect.flip(withFileLock(path, Effect.void))
      assert.strictEqual(
        message,
        `${lock} cannot be locked: somebody else has made something of this name; move it away`
      )
      assert.deepStrictEqual(readdirSync(dirname(path)), ["users.lock"])
      rmSync(lock, { recursive: true })
    }
    assert.strictEqual(yield* withFileLock(path, Effect.succeed("free")), "free")
  }))

it("processes that take it from each other all get it", { timeout: 60_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "msrp-lock-"))
  try {
    const program = `
      import * as Effect from "effect/Effect"
      import { takeLock, withFileLock } from "./src/service/FileLock.ts"
      for (let i = 0; i < 100; i++) await Effect.runPromise(withFileLock(process.argv[1], Effect.void))
    `
    const codes = await Promise.all(Array.from({ length: 6 }, async () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", program, join(directory, "users")], {
        cwd: fileURLToPath(new URL("../..", import.meta.url)),
        stdio: "ignore"
      })
      const [code] = await once(child, "close")
      return code
    }))
    assert.deepStrictEqual(codes, [0, 0, 0, 0, 0, 0])
    assert.deepStrictEqual(readdirSync(directory), [])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
