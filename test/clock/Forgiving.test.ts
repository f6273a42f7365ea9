/** Waits during which the process was stopped. */
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layerForgiving } from "../../src/clock/Forgiving.ts"
import { lateClock } from "../support/lateClock.ts"

it.effect("a wait that is over far too late leaves a moment to what came in meanwhile, once", () =>
  Effect.gen(function*() {
    for (
      const [late, ...expected] of [
        [0, 3000],
        [1000, 3000],
        [1001, 3000, 1000],
        [60_000, 3000, 1000],
        [60_000, 200, 200]
      ] as const
    ) {
      const { clock, waits } = lateClock(late)
      yield* Effect.sleep(expected[0]).pipe(
        Effect.provide(Layer.fresh(layerForgiving)),
        Effect.provideService(Clock.Clock, clock)
      )
      assert.deepStrictEqual(waits, expected, `${late}`)
    }
  }))
