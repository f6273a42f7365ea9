/** Packages that not everybody has: what is said where one is missing. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { loadInstalled } from "../../src/options/Installed.ts"

const messageOf = (cause: Error): Effect.Effect<string> =>
  Effect.map(Effect.flip(loadInstalled("mysql2", () => Promise.reject(cause))), ({ message }) => message)

it.effect("a package that is not installed is named, with the command that installs it", () =>
  Effect.gen(function*() {
    const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" })
    assert.strictEqual(yield* messageOf(missing), "mysql2 is not installed: npm install mysql2")
  }))

it.effect("one that is broken is not called missing", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* messageOf(new Error("bad octet")), "mysql2 cannot be loaded: bad octet")
  }))

it.effect("one that is there is given", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* loadInstalled("one", () => Promise.resolve(1)), 1)
  }))
