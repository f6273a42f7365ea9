/** Effect's Clock for the timers of the relay: one fiber that sleeps until the earliest. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import { Timers } from "../Timers.ts"

/** Timers that expire by this clock. `run` forks a fiber that ends with the relay. */
export const clockTimers = (
  clock: Clock.Clock,
  run: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
): Timers => {
  let sleeper: Fiber.Fiber<void> | undefined
  const timers = new Timers(() => monotonicMillis(clock), (deadline) => {
    sleeper?.interruptUnsafe()
    // A sleep has whole milliseconds; waking a little late is right, waking early would sleep again.
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
