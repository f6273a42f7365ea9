/**
 * A clock for time limits that survive a pause of the process or its machine. When such a pause ends, all timers fire before
 * the input that arrived meanwhile is read, so an answer (of a database, for example) that is there already would count as late.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { monotonicMillis } from "./Monotonic.ts"

/** Milliseconds by which a timer must be late for the process to count as paused. */
const PAUSED = 1000

/** The extra time for reading input after a pause; never more than the wait itself, and granted once per wait. */
const GRACE = Duration.seconds(1)

/** Makes a clock of another one: a `sleep` that ends after a pause goes on for `GRACE`. */
export const forgiving = (clock: Clock.Clock): Clock.Clock => ({
  currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
  currentTimeMillis: clock.currentTimeMillis,
  currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
  currentTimeNanos: clock.currentTimeNanos,
  monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: clock.monotonicTimeNanos,
  sleep: (duration) =>
    Effect.suspend(() => {
      const late = monotonicMillis(clock) + Duration.toMillis(duration) + PAUSED
      return Effect.flatMap(
        clock.sleep(duration),
        () => monotonicMillis(clock) > late ? clock.sleep(Duration.min(GRACE, duration)) : Effect.void
      )
    })
})

/** Replaces the `Clock` by a forgiving one, for all waits of the effects that it is provided to. */
export const layerForgiving: Layer.Layer<never> = Layer.effect(Clock.Clock, Effect.map(Clock.Clock, forgiving))
