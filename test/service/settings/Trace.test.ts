/** Where traced frames are sent. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parse } from "./environment.ts"

describe("Settings", () => {
  it.effect("of HEP do nothing without a server, and who sets them is warned", () =>
    Effect.gen(function*() {
      assert.isUndefined((yield* parse({})).hep)
      const { hep, warnings } = yield* parse({ MSRP_HEP_USERS: "*", MSRP_HEP_KEY: "x" })
      assert.isUndefined(hep)
      assert.deepStrictEqual(warnings, [
        "MSRP_HEP_USERS is not used without MSRP_HEP",
        "MSRP_HEP_KEY is not used without MSRP_HEP"
      ])
      assert.deepStrictEqual(
        (yield* parse({ MSRP_HEP: "udp:h:1", MSRP_HEP_USERS: "*", MSRP_HEP_KEY: "x" })).warnings,
        []
      )
    }))
})
