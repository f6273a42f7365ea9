import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { makeThrottled } from "../../../src/admin/status/Throttled.ts"

it.effect("a value is used again for twenty times as long as it took to compute, and one is computed at a time", () =>
  Effect.gen(function*() {
    let computed = 0
    const value = yield* makeThrottled(yield* Clock.Clock, Effect.delay(Effect.sync(() => ++computed), "1 second"))
    const got: Array<number> = []
    const ask = Effect.forkChild(Effect.map(value, (one) => void got.push(one)), { startImmediately: true })
    yield* ask
    yield* ask
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(got, [1, 1])
    yield* TestClock.adjust("19999 millis")
    yield* ask
    assert.deepStrictEqual(got, [1, 1, 1])
    yield* TestClock.adjust("1 milli")
    yield* ask
    assert.lengthOf(got, 3)
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(got, [1, 1, 1, 2])
  }))
