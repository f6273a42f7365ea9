import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { Credentials } from "../../src/Credentials.ts"
import { layerEphemeral } from "../../src/credentials/Ephemeral.ts"

it.effect("a name is valid until the second that it gives, and not in it", () =>
  Effect.gen(function*() {
    const { lookup } = yield* Credentials
    const isThere = Effect.map(lookup({ username: "1000:alice", realm: "example.org" }), Option.isSome)
    yield* TestClock.setTime(999_999)
    assert.isTrue(yield* isThere)
    yield* TestClock.setTime(1_000_000)
    assert.isFalse(yield* isThere)
  }).pipe(Effect.provide(layerEphemeral({ secret: Redacted.make("a secret") }))))
