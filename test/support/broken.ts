/** Defects of the relay, which no test has seen by itself: they are made. */
import { vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { World } from "./harness.ts"

/** Makes the relay throw where it calls this method of what `applies`, for as long as the scenario lasts. */
export const broken = <A extends object>(
  prototype: A,
  method: keyof A,
  applies: (one: A) => boolean
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    const before = prototype[method] as (...given: Array<unknown>) => unknown
    const throws = function(this: A, ...given: Array<unknown>): unknown {
      if (applies(this)) throw new Error("a defect")
      return before.apply(this, given)
    }
    const spy = vi.spyOn(prototype, method as never).mockImplementation(throws as never)
    return Effect.addFinalizer(() => Effect.sync(() => spy.mockRestore()))
  })

/** What was thrown until now, in words; the world then knows of no defects. */
export const defects = (world: World): ReadonlyArray<string> =>
  (world.network!.defects as Array<unknown>).splice(0).map(String)
