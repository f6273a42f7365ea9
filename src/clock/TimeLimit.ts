/** Limits for effects of custom services, which may be ones that cannot be interrupted: their end is not awaited. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/** The exit of the effect. If the caller is interrupted, so is the effect, but its end is not awaited. */
export const exitOf = Effect.fnUntraced(function*<A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.fn.Return<Exit.Exit<A, E>, never, R> {
  const fiber = yield* Effect.forkDetach(effect, { startImmediately: true })
  return fiber.pollUnsafe() ?? (yield* awaited(fiber))
})

/**
 * The exit of the effect; `undefined` if it takes longer, in which case it is interrupted but its end is not awaited. There is no
 * timer where it completes at once, as most calls of services do.
 */
export const exitWithin = Effect.fnUntraced(function*<A, E, R>(
  effect: Effect.Effect<A, E, R>,
  limit: Duration.Input
): Effect.fn.Return<Exit.Exit<A, E> | undefined, never, R> {
  const fiber = yield* Effect.forkDetach(effect, { startImmediately: true })
  return fiber.pollUnsafe() ?? Option.getOrUndefined(yield* Effect.timeoutOption(awaited(fiber), limit))
})

const awaited = <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<Exit.Exit<A, E>> =>
  Effect.onInterrupt(Fiber.await(fiber), () => Effect.sync(() => fiber.interruptUnsafe()))
