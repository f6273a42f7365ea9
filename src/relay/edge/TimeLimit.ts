/** A time limit without a timer where the effect completes at once, as most calls of services do. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/** The exit of the effect; `undefined` if it takes longer, in which case it is interrupted but its end is not awaited. */
export const exitWithin = Effect.fnUntraced(function*<A, E, R>(
  effect: Effect.Effect<A, E, R>,
  limit: Duration.Input
): Effect.fn.Return<Exit.Exit<A, E> | undefined, never, R> {
  const fiber = yield* Effect.forkDetach(effect, { startImmediately: true })
  const atOnce = fiber.pollUnsafe()
  if (atOnce !== undefined) return atOnce
  const waited = Fiber.await(fiber).pipe(
    Effect.onInterrupt(() => Effect.sync(() => fiber.interruptUnsafe())),
    Effect.timeoutOption(limit)
  )
  return Option.getOrUndefined(yield* waited)
})
