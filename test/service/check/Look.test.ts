import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { findingsOf } from "../../../src/service/check/Finding.ts"
import { type Look, lookAtAll, TIME_LIMIT } from "../../../src/service/check/Look.ts"

const { ok } = findingsOf("backlog")
const fine: Look<never> = { name: "backlog", findings: Effect.succeed([ok("", "fine")]) }

describe("lookAtAll", () => {
  it.effect("gives up a look that takes too long, and what it had open, and tells what the others found", () =>
    Effect.gen(function*() {
      let closed = false
      const hanging = Effect.acquireRelease(Effect.void, () => Effect.sync(() => closed = true))
      const slow = { name: "users", findings: Effect.andThen(hanging, Effect.never) } as const
      const looking = yield* Effect.forkChild(lookAtAll([slow, fine]))
      yield* TestClock.adjust(`${TIME_LIMIT - 1} seconds`)
      assert.isUndefined(looking.pollUnsafe())
      yield* TestClock.adjust("1 second")
      const found = yield* Fiber.join(looking)
      assert.deepStrictEqual(found.map(({ look, status }) => `${look} ${status}`), ["users problem", "backlog ok"])
      assert.match(found[0]!.message, /no answer within 15 seconds/)
      assert.isTrue(closed)
    }))

  it.effect("tells of a look that has a defect, and not what it says", () =>
    Effect.gen(function*() {
      const broken = { name: "names", findings: Effect.die(new TypeError("secret")) } as const
      const found = yield* lookAtAll([broken, fine])
      assert.deepStrictEqual(found.map(({ look, status }) => `${look} ${status}`), ["names problem", "backlog ok"])
      assert.notInclude(JSON.stringify(found), "secret")
      assert.include(found[0]!.message, "TypeError")
    }))

  it.effect("looks at all of them at the same time", () =>
    Effect.gen(function*() {
      const late: Look<never> = { ...fine, findings: Effect.delay(fine.findings, "10 seconds") }
      const looking = yield* Effect.forkChild(lookAtAll([late, late, late]))
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(yield* Fiber.join(looking), 3)
    }))
})
