/** Each variable by itself: what it takes, and what it does not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { settingsTable } from "../../../src/service/Settings.ts"
import { bad } from "./bad.ts"
import { type Env, parse, remote, users } from "./environment.ts"
import { cases } from "./good.ts"

const pemBeside: Env = { MSRP_TLS_CERT: "/relay.crt", MSRP_TLS_KEY: "/relay.key" }

describe("Settings", () => {
  describe("every variable", () => {
    it("has a case of each kind here", () => {
      const names = settingsTable.map(({ variable }) => variable).sort()
      assert.deepStrictEqual(Object.keys(cases).sort(), names)
      assert.deepStrictEqual(Object.keys(bad).sort(), names)
    })

    const good = Object.entries(cases).flatMap(([variable, all]) => all.map((one) => ({ variable, ...one })))
    it.effect.each(good)("$variable=$value is read", ({ beside, is, of, value, variable }) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(of(yield* parse({ ...beside, [variable]: value })), is)
        if (variable !== "MSRP_USERS") {
          const without = yield* Effect.result(parse({ ...beside, [variable]: "" }))
          if (Result.isSuccess(without)) assert.notDeepEqual(of(without.success), is, "it is the default anyway")
        }
      }))

    const wrong = Object.entries(bad).flatMap(([variable, values]) => values.map((value) => ({ variable, value })))
    it.effect.each(wrong)("$variable=$value is a problem", ({ value, variable }) =>
      Effect.gen(function*() {
        const beside = variable.startsWith("MSRP_TLS_") ? pemBeside : variable === "MSRP_USERS" ? {} : users
        const kind = variable === "MSRP_CREDENTIALS_FILE" ? { MSRP_CREDENTIALS: "file" } : {}
        const { message, problems } = yield* Effect.flip(parse({ ...beside, ...kind, [variable]: value }))
        assert.deepStrictEqual(problems.map((one) => one.variable), [variable])
        assert.notStrictEqual(problems[0]!.problem, "")
        assert.include(message, variable)
      }))

    it.effect.each([...settingsTable])(
      "$variable has an example that works",
      ({ example, variable }) =>
        Effect.gen(function*() {
          const beside: Env = variable === "MSRP_CREDENTIALS" ? { MSRP_CREDENTIALS_FILE: "/users" } : remote
          const sources = ["MSRP_CREDENTIALS_FILE", "MSRP_SQL_URL", "MSRP_HTTP_URL", "MSRP_EPHEMERAL_SECRET"]
          const others = sources.includes(variable) ? { MSRP_USERS: undefined } : {}
          const proxies = variable === "MSRP_PROXY_PROTOCOL" ? { MSRP_TRUSTED_PROXIES: "10.0.0.1" } : {}
          yield* parse({ ...beside, ...others, ...proxies, [variable]: example })
        })
    )
  })
})
