/** A time limit that costs nothing where none is needed: most of what is asked here is answered at once. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/** How it ended; `undefined` when it has not by then. What does not let itself be interrupted is not waited for. */
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
