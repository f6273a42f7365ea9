/** Where the admin API listens, and who is let in. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parse, problemsOf, users } from "./environment.ts"

describe("MSRP_ADMIN", () => {
  it.effect("not on loopback needs a token, and is told to have TLS before it", () =>
    Effect.gen(function*() {
      for (const address of ["0.0.0.0:2857", "[::]:2857", "relay.example.com:2857", "192.0.2.1:2857"]) {
        const problems = yield* problemsOf({ ...users, MSRP_ADMIN: address })
        assert.deepStrictEqual(problems, { MSRP_ADMIN_TOKEN_FILE: "is required because MSRP_ADMIN is not on loopback" })
        const { warnings } = yield* parse({ ...users, MSRP_ADMIN: address, MSRP_ADMIN_TOKEN_FILE: "/token" })
        assert.include(warnings.join(), "plain HTTP")
      }
    }))

  it.effect("on loopback without a token is for everybody on the machine, which is told", () =>
    Effect.gen(function*() {
      const warningsOf = (env: Record<string, string>) =>
        Effect.map(parse({ ...users, ...env }), ({ warnings }) => warnings.join())
      assert.include(yield* warningsOf({ MSRP_ADMIN: "localhost:2857" }), "Everybody on this machine")
      assert.strictEqual(yield* warningsOf({ MSRP_ADMIN: "[::1]:2857", MSRP_ADMIN_TOKEN_FILE: "/token" }), "")
      assert.strictEqual(yield* warningsOf({ MSRP_ADMIN: "/run/relay.sock" }), "")
      assert.strictEqual(yield* warningsOf({ MSRP_ADMIN_TOKEN_FILE: "/missing" }), "")
    }))
})

describe("MSRP_ADMIN_TOKEN_FILE", () => {
  const beside = { ...users, MSRP_ADMIN: "127.0.0.1:2857" }
  it.effect("has one token, which is long enough, and is never told", () =>
    Effect.gen(function*() {
      const problems = {
        "/missing": "/missing: there is no such file",
        "/forbidden": "/forbidden: this user has no permission for the file",
        "/short": "/short needs a token of at least 16 characters",
        "/two": "/two needs one token of letters, digits and -._~+/ in one line"
      }
      for (const [path, problem] of Object.entries(problems)) {
        assert.deepStrictEqual(yield* problemsOf({ ...beside, MSRP_ADMIN_TOKEN_FILE: path }), {
          MSRP_ADMIN_TOKEN_FILE: problem
        })
      }
    }))

  it.effect("that others may read is told", () =>
    Effect.gen(function*() {
      const { warnings } = yield* parse({ ...beside, MSRP_ADMIN_TOKEN_FILE: "/open" })
      assert.include(warnings.join(), "/open may be read by others")
    }))
})
