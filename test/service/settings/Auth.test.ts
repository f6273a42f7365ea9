/** For how long users log in. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Env, parse, problemsOf, users } from "./environment.ts"

describe("Settings", () => {
  describe("expiry", () => {
    it.effect.each<readonly [Env, string]>([
      [{ MSRP_AUTH_MIN_EXPIRES: "3600", MSRP_AUTH_EXPIRES: "1800" }, "MSRP_AUTH_EXPIRES"],
      [{ MSRP_AUTH_MAX_EXPIRES: "10 minutes", MSRP_AUTH_EXPIRES: "1800" }, "MSRP_AUTH_EXPIRES"],
      [{ MSRP_AUTH_MIN_EXPIRES: "61", MSRP_AUTH_EXPIRES: "60" }, "MSRP_AUTH_EXPIRES"],
      [{ MSRP_AUTH_MIN_EXPIRES: "2h", MSRP_AUTH_MAX_EXPIRES: "1h" }, "MSRP_AUTH_MIN_EXPIRES"]
    ])("%o is out of order", ([env, variable]) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(Object.keys(yield* problemsOf(env)), [variable])
      }))

    it.effect.each<readonly [Env, number]>([
      [{}, 1800],
      [{ MSRP_AUTH_MIN_EXPIRES: "60", MSRP_AUTH_MAX_EXPIRES: "1h" }, 1800],
      [{ MSRP_AUTH_MIN_EXPIRES: "1h" }, 3600],
      [{ MSRP_AUTH_MAX_EXPIRES: "10 minutes" }, 600],
      [{ MSRP_AUTH_MIN_EXPIRES: "60", MSRP_AUTH_MAX_EXPIRES: "60" }, 60]
    ])("%o alone is enough: the default follows", ([env, expires]) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* parse(env)).relay.authExpires, expires)
      }))

    it.effect("the bounds themselves are good", () =>
      Effect.gen(function*() {
        const { relay } = yield* parse({
          MSRP_AUTH_MIN_EXPIRES: "60",
          MSRP_AUTH_EXPIRES: "60",
          MSRP_AUTH_MAX_EXPIRES: "60"
        })
        assert.deepStrictEqual([relay.authMinExpires, relay.authExpires, relay.authMaxExpires], [60, 60, 60])
      }))
  })

  it.effect.each([["off", true], ["on", false]] as const)(
    "behind a proxy that does TLS over TCP with MSRP_PROXY_PROTOCOL=%s, nobody can log in: %s",
    ([header, isClosed]) =>
      Effect.gen(function*() {
        const { warnings } = yield* parse({
          ...users,
          MSRP_LISTEN: "msrp:192.0.2.1:2855",
          MSRP_TRUSTED_PROXIES: "192.0.2.9",
          MSRP_PROXY_PROTOCOL: header
        })
        assert.strictEqual(warnings.some((one) => one.startsWith("Nobody can log in")), isClosed)
      })
  )
})
