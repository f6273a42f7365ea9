/** Where clients may make the relay connect to. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { problemsOf } from "./environment.ts"

it.effect("a next hop that is written as a URI has it is told what does not belong there, and which entry it is", () =>
  Effect.gen(function*() {
    const words = "is no address, network or host name (without scheme, brackets and port)"
    for (const entry of ["10.0.0.30:2855", "[2001:db8::30]", "msrp://10.0.0.30"]) {
      for (const name of ["MSRP_NEXT_HOP_ALLOW", "MSRP_NEXT_HOP_DENY", "MSRP_NEXT_HOP_ALONE"]) {
        const { [name]: told } = yield* problemsOf({ [name]: `10.0.0.31,${entry}` })
        assert.strictEqual(told, `entry 2 ${words}`, entry)
      }
    }
  }))
