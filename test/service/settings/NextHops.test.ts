/** Where clients may make the relay connect to. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Env, parse, problemsOf } from "./environment.ts"

it.effect("a next hop that is written as a URI has it is told what does not belong there, and which entry it is", () =>
  Effect.gen(function*() {
    const words = "is not an address, network or host name (without scheme, brackets and port)"
    for (const entry of ["10.0.0.30:2855", "[2001:db8::30]", "msrp://10.0.0.30"]) {
      for (const name of ["MSRP_NEXT_HOP_ALLOW", "MSRP_NEXT_HOP_DENY", "MSRP_NEXT_HOP_ALONE"]) {
        const { [name]: told } = yield* problemsOf({ [name]: `10.0.0.31,${entry}` })
        assert.strictEqual(told, `entry 2 ${words}`, entry)
      }
    }
  }))

it.effect("an endpoint with connections of its own that nobody may be connected to is told of", () =>
  Effect.gen(function*() {
    const warningsOf = (env: Env) => Effect.map(parse(env), ({ warnings }) => warnings.join())
    const inner = { MSRP_LISTEN: "msrp:192.0.2.1:2855", MSRP_USERS: "alice:wonderland", MSRP_ALLOW_PLAINTEXT_AUTH: "1" }
    const alone = { ...inner, MSRP_NEXT_HOP_ALONE: "10.0.0.30,203.0.113.7,10.9.0.0/16,switch.example.com" }
    assert.strictEqual(
      yield* warningsOf(alone),
      "MSRP_NEXT_HOP_ALONE has 10.0.0.30, to which connections are forbidden: MSRP_NEXT_HOP_ALLOW has to contain that too"
    )
    assert.strictEqual(yield* warningsOf({ ...alone, MSRP_NEXT_HOP_ALLOW: "10.0.0.0/8" }), "")
    assert.include(yield* warningsOf({ ...alone, MSRP_NEXT_HOP_DENY: "203.0.113.7" }), "has 10.0.0.30, 203.0.113.7,")
    // A relay on loopback only may connect to all but itself.
    assert.strictEqual(yield* warningsOf({ ...alone, MSRP_LISTEN: "msrp:127.0.0.1:2855" }), "")
  }))
