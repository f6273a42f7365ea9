import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { findingsOf } from "../../../src/service/check/Finding.ts"
import { runChecks, type SetupCheck, TIME_LIMIT } from "../../../src/service/check/SetupCheck.ts"

const { ok } = findingsOf("backlog")
const fine: SetupCheck<never> = { name: "backlog", findings: Effect.succeed([ok("", "fine")]) }

describe("runChecks", () => {
  it.effect("gives up a check that takes too long, and what it had open, and tells what the others found", () =>
    Effect.gen(function*() {
      let closed = false
      const hanging = Effect.acquireRelease(Effect.void, () => Effect.sync(() => closed = true))
      const slow = { name: "users", findings: Effect.andThen(hanging, Effect.never) } as const
      const running = yield* Effect.forkChild(runChecks([slow, fine]))
      yield* TestClock.adjust(`${TIME_LIMIT - 1} seconds`)
      assert.isUndefined(running.pollUnsafe())
      yield* TestClock.adjust("1 second")
      const found = yield* Fiber.join(running)
      assert.deepStrictEqual(found.map(({ look, status }) => `${look} ${status}`), ["users problem", "backlog ok"])
      assert.match(found[0]!.message, /no answer within 15 seconds/)
      assert.isTrue(closed)
    }))

  it.effect("tells of a check that has a defect, and not what it says", () =>
    Effect.gen(function*() {
      const broken = { name: "names", findings: Effect.die(new TypeError("secret")) } as const
      const found = yield* runChecks([broken, fine])
      assert.deepStrictEqual(found.map(({ look, status }) => `${look} ${status}`), ["names problem", "backlog ok"])
      assert.notInclude(JSON.stringify(found), "secret")
      assert.include(found[0]!.message, "TypeError")
    }))

  it.effect("runs all of them at the same time", () =>
    Effect.gen(function*() {
      const late: SetupCheck<never> = { ...fine, findings: Effect.delay(fine.findings, "10 seconds") }
      const running = yield* Effect.forkChild(runChecks([late, late, late]))
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(yield* Fiber.join(running), 3)
    }))
})
