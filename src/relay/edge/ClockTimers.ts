/** The relay's timers by Effect's Clock: one fiber sleeps until the earliest deadline. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import { Timers } from "../Timers.ts"

/** `run` forks a fiber that ends with the relay. */
export const clockTimers = (
  clock: Clock.Clock,
  run: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
): Timers => {
  let sleeper: Fiber.Fiber<void> | undefined
  const timers = new Timers(() => monotonicMillis(clock), (deadline) => {
    sleeper?.interruptUnsafe()
    // Rounded up, because a sleep takes whole milliseconds and one that ends early would be repeated.
    const rest = Math.max(0, Math.ceil(deadline - timers.now()))
    sleeper = run(Effect.andThen(
      Effect.sleep(Duration.millis(rest)),
      Effect.sync(() => {
        sleeper = undefined
        timers.expire()
      })
    ))
  })
  return timers
}
