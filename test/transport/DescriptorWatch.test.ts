/** What is told of descriptors that have run out. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as TestClock from "effect/testing/TestClock"
import { makeDescriptorWatch } from "../../src/transport/DescriptorWatch.ts"
import { zeroTransportCounters } from "../../src/transport/TransportFacts.ts"
import { logInto } from "../support/log.ts"
import { withTimeOfDay } from "../support/timeOfDay.ts"

it.effect("a line when they are gone and one a minute, a count each second, and no look where nobody comes", () => {
  const log: Array<string> = []
  const logger = logInto(log)
  return Effect.gen(function*() {
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    const counters = zeroTransportCounters()
    let reason: string | undefined
    let looks = 0
    const { admits: came, fault } = makeDescriptorWatch({
      counters,
      run,
      look: () => {
        looks++
        return reason ?? 40
      }
    })
    yield* TestClock.adjust("1 hour")
    assert.strictEqual(looks, 0)
    came()
    came()
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual([looks, counters.acceptsFailed, log], [1, 0, []])
    reason = "none left"
    came()
    yield* TestClock.adjust("61 seconds")
    assert.deepStrictEqual([counters.acceptsFailed, log.length], [61, 2])
    assert.match(log[0]!, /level=WARN .*message="accept failed" reason="none left"/)
    assert.strictEqual(fault(), "none left")
    reason = undefined
    yield* TestClock.adjust("1 hour")
    assert.strictEqual(counters.acceptsFailed, 61)
    assert.isUndefined(fault())
    // Again within a minute: counted, and no line.
    reason = "none left"
    came()
    yield* TestClock.adjust("2 seconds")
    assert.deepStrictEqual([counters.acceptsFailed, log.length], [63, 3])
    reason = undefined
    yield* TestClock.adjust("2 seconds")
    reason = "none left"
    came()
    yield* TestClock.adjust("2 seconds")
    assert.deepStrictEqual([counters.acceptsFailed, log.length], [65, 3])
  }).pipe(Effect.scoped, Effect.provide(logger))
})

it.effect("the last ones are for the relay itself: 200, or of few a quarter of those that it does not have at the start", () => {
  const log: Array<string> = []
  const logger = logInto(log)
  return Effect.gen(function*() {
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    const watching = (allowed?: number) =>
      makeDescriptorWatch({ counters: zeroTransportCounters(), run, allowed, look: () => 41 }).admits
    const [many, few, unknown] = [watching(20_000), watching(100), watching()]
    assert.deepStrictEqual([40, 19_799, 19_800].map(many), [true, true, false])
    assert.deepStrictEqual([40, 84, 85, 99, 41].map(few), [true, true, false, false, true])
    assert.deepStrictEqual([40, 1_000_000, undefined].map((one) => unknown(one)), [true, true, true])
    yield* TestClock.adjust("1 minute")
    assert.lengthOf(log, 2)
    assert.match(
      log[0]!,
      /message="accept failed" reason="those file descriptors that are left are for the relay itself"/
    )
  }).pipe(Effect.scoped, Effect.provide(logger))
})

it.effect("says that there are none for clients until one is free for them, also while nobody comes", () =>
  Effect.gen(function*() {
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    const counters = zeroTransportCounters()
    let free = 41
    const { admits, fault } = makeDescriptorWatch({ counters, run, allowed: 100, look: () => free })
    assert.isTrue(admits(40))
    assert.isUndefined(fault())
    free = 86
    assert.isFalse(admits(85))
    assert.strictEqual(fault(), "those file descriptors that are left are for the relay itself")
    yield* TestClock.adjust("1 hour")
    assert.isDefined(fault())
    assert.strictEqual(counters.acceptsFailed, 3600)
    free = 84
    yield* TestClock.adjust("1 second")
    assert.isUndefined(fault())
  }).pipe(Effect.scoped))

it.effect("the reserved ones are not for dials either, of a transport on which connections are accepted", () => {
  const log: Array<string> = []
  const logger = logInto(log)
  return Effect.gen(function*() {
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    let free: number | string = 99
    const { admits, fault, refusal } = makeDescriptorWatch({
      counters: zeroTransportCounters(),
      run,
      allowed: 100,
      look: () => free
    })
    assert.isUndefined(refusal())
    admits(40)
    for (free of [85, 99, "none left"]) assert.isDefined(refusal())
    assert.strictEqual(fault(), "none left")
    yield* TestClock.adjust("2 minutes")
    assert.lengthOf(log, 2)
    free = 84
    assert.isUndefined(refusal())
    yield* TestClock.adjust("1 second")
    assert.isUndefined(fault())
  }).pipe(Effect.scoped, Effect.provide(logger))
})

it.effect("a line a minute where the time of day is set back by hours, too", () => {
  const log: Array<string> = []
  const logger = logInto(log)
  return withTimeOfDay((set) =>
    Effect.gen(function*() {
      const run = yield* FiberSet.makeRuntime<never, void, never>()
      const { admits: came } = makeDescriptorWatch({
        counters: zeroTransportCounters(),
        run,
        look: () => "none left"
      })
      came()
      yield* TestClock.adjust("2 seconds")
      set(-5 * 3_600_000)
      yield* TestClock.adjust("2 minutes")
      assert.lengthOf(log, 3)
    }).pipe(Effect.scoped, Effect.provide(logger))
  )
})
