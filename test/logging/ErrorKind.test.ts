import { assert, it } from "@effect/vitest"
import * as Data from "effect/Data"
import { kindOf } from "../../src/logging/ErrorKind.ts"

class DbError extends Data.TaggedError("DbError")<{ readonly why: string }> {}

it("an error is told by its tag or name and its code, and by no words of anybody", () => {
  assert.strictEqual(kindOf(new DbError({ why: "secret" })), "DbError")
  assert.strictEqual(kindOf({ _tag: "Gone", why: "secret" }), "Gone")
  assert.strictEqual(kindOf(new TypeError("secret")), "TypeError")
  assert.strictEqual(kindOf(Object.assign(new Error("secret"), { code: "ENOSPC" })), "Error ENOSPC")
  assert.strictEqual(kindOf(Object.assign(new Error("x"), { name: "the secret", code: "it is secret" })), "Error")
  assert.strictEqual(kindOf(Object.assign(new Error("x"), { name: "N".repeat(100), code: 7 })), "Error")
  assert.strictEqual(kindOf("secret"), "string")
  assert.strictEqual(kindOf(undefined), "undefined")
  assert.strictEqual(kindOf(null), "object")
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  assert.strictEqual(kindOf(proxy), "object")
})
