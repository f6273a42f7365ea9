import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { zeroCounters } from "../../src/relay/Counters.ts"
import { endOf, tellStopped } from "../../src/service/EndLog.ts"
import { logInto } from "../support/log.ts"

describe("the end of the service", () => {
  it.effect("tells how many sessions and connections it took along, those too that are open still, and how long it was", () =>
    Effect.gen(function*() {
      const counters = zeroCounters()
      // What was before is no part of it.
      counters.sessionsEnded.expired = 7
      counters.connectionsAccepted = 10
      counters.connectionsDialled = 3
      counters.closed.failed = 9
      let size = 3
      const end = Effect.sync(() => {
        counters.sessionsEnded.expired += 1
        counters.closed.failed += 2
        size = 2
      }).pipe(Effect.delay("2340 millis"))
      const fiber = yield* Effect.forkChild(endOf({ counters, end, sessions: { size: () => size } }))
      yield* TestClock.adjust("2340 millis")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { sessions: 3, connections: 4, seconds: 2.3 })
    }))

  it.effect("is told after all that ends with it, and not where nothing has begun", () => {
    const lines: Array<string> = []
    const logger = logInto(lines)
    const run = (
      facts: { readonly sessions: number; readonly connections: number; readonly seconds: number } | undefined
    ) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const tell = yield* Scope.provide(tellStopped, scope)
        yield* Scope.addFinalizer(scope, Effect.logInfo("something else ends"))
        if (facts !== undefined) tell(facts)
        yield* Scope.close(scope, Exit.void)
      })
    return Effect.gen(function*() {
      yield* run(undefined)
      assert.lengthOf(lines, 1)
      yield* run({ sessions: 1, connections: 2, seconds: 0.3 })
      assert.lengthOf(lines, 3)
      assert.match(lines[2]!, /message=stopped sessions=1 connections=2 seconds=0.3$/)
    }).pipe(Effect.provide(logger))
  })
})
