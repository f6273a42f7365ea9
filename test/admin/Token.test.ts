/** The token in its file: what it may be, and what becomes of it while the relay runs. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { execFileSync } from "node:child_process"
import { AdminToken, isOpenToOthers, sameToken, tokenOf } from "../../src/admin/Token.ts"
import { withTimeOfDay } from "../support/timeOfDay.ts"

const [ONE, OTHER] = ["0123456789abcdef", "fedcba9876543210+/="]

it("a token is long enough, of its characters, and alone", () => {
  for (const text of [ONE, `${OTHER}\n`, `  ${ONE}  \r\n`]) assert.isTrue(Result.isSuccess(tokenOf(text)))
  for (const text of ["", " \n", ONE.slice(1), `${ONE}\n${ONE}`, `${ONE} x`, `${ONE}ä`, "x".repeat(5000)]) {
    const token = tokenOf(text)
    assert.isTrue(Result.isFailure(token), text)
    if (Result.isFailure(token) && text.length > 20) assert.notInclude(token.failure, ONE)
  }
  assert.isTrue(sameToken(Redacted.make(ONE), Redacted.make(ONE)))
  assert.isFalse(sameToken(Redacted.make(ONE), Redacted.make(OTHER)))
  assert.isFalse(sameToken(Redacted.make(ONE), Redacted.make("")))
})

it("a file that only its owner and his group may read is not open to others", () => {
  assert.deepStrictEqual([0o600, 0o640, 0o644, 0o604, 0o602].map(isOpenToOthers), [false, false, true, true, true])
})

it.effect("another token in the file is good a second later, and the old one is not", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = `${yield* fs.makeTempDirectoryScoped()}/token`
    const write = (text: string) => fs.writeFileString(path, text)
    yield* write(ONE)
    yield* Effect.gen(function*() {
      const { admits } = yield* AdminToken
      const good = (token: string) => admits(Redacted.make(token))
      assert.deepStrictEqual([yield* good(ONE), yield* good(OTHER), yield* good("")], [true, false, false])
      yield* write(OTHER)
      assert.isTrue(yield* good(ONE))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([yield* good(ONE), yield* good(OTHER)], [false, true])
      // Half written, or gone: nobody else is let in.
      for (const change of [write("short"), fs.remove(path)]) {
        yield* change
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual([yield* good("short"), yield* good(ONE), yield* good(OTHER)], [false, false, true])
      }
    }).pipe(Effect.provide(AdminToken.layerFile(path)))
    yield* Effect.gen(function*() {
      const { admits } = yield* AdminToken
      assert.isFalse(yield* admits(Redacted.make("")))
    }).pipe(Effect.provide(AdminToken.layerFile(path)))
  }).pipe(Effect.provide(NodeFileSystem.layer)))

it.effect("a pipe or a device in place of the file lets nobody in, and nobody waits for it", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    execFileSync("mkfifo", [`${folder}/pipe`])
    yield* fs.writeFileString(`${folder}/much`, "x".repeat(5000))
    for (const path of [`${folder}/pipe`, "/dev/zero", `${folder}/much`]) {
      yield* Effect.gen(function*() {
        const { admits } = yield* AdminToken
        assert.isFalse(yield* admits(Redacted.make(ONE)), path)
      }).pipe(Effect.provide(AdminToken.layerFile(path)))
    }
  }).pipe(Effect.provide(NodeFileSystem.layer)))

it.effect("a token that was replaced is good no longer where the time of day is set back by hours", () =>
  withTimeOfDay((set) =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* fs.makeTempDirectoryScoped()}/token`
      yield* fs.writeFileString(path, ONE)
      yield* Effect.gen(function*() {
        const { admits } = yield* AdminToken
        assert.isTrue(yield* admits(Redacted.make(ONE)))
        set(-5 * 3_600_000)
        yield* fs.writeFileString(path, OTHER)
        yield* TestClock.adjust("1 second")
        assert.isFalse(yield* admits(Redacted.make(ONE)))
        assert.isTrue(yield* admits(Redacted.make(OTHER)))
      }).pipe(Effect.provide(AdminToken.layerFile(path)))
    }).pipe(Effect.provide(NodeFileSystem.layer))
  ))
