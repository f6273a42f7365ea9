/**
 * Waits that are over far too late: the process, or its machine, was stopped meanwhile. What came in then, as the answer of a
 * database, has not been read when they end first.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { monotonicMillis } from "./Monotonic.ts"

/** Milliseconds after which it is late enough for that. */
const STOPPED = 1000

/** For what came in, and what waited behind that; no longer than it was to wait at all. Once, where every turn is late. */
const MOMENT = Duration.seconds(1)

/** The same clock, whose waits end a moment later then. */
export const forgiving = (clock: Clock.Clock): Clock.Clock => ({
  currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
  currentTimeMillis: clock.currentTimeMillis,
  currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
  currentTimeNanos: clock.currentTimeNanos,
  monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: clock.monotonicTimeNanos,
  sleep: (duration) =>
    Effect.suspend(() => {
      const late = monotonicMillis(clock) + Duration.toMillis(duration) + STOPPED
      return Effect.flatMap(
        clock.sleep(duration),
        () => monotonicMillis(clock) > late ? clock.sleep(Duration.min(MOMENT, duration)) : Effect.void
      )
    })
})

/** For all that is waited for in what it is provided to. */
export const layerForgiving: Layer.Layer<never> = Layer.effect(Clock.Clock, Effect.map(Clock.Clock, forgiving))
