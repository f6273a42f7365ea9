/** How long something is good, where Effect goes by the time of day: what a `Cache` has would be good for hours more when that is set back. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "./Monotonic.ts"

export interface Lasting {
  /** For each use of what remembers: its milliseconds are those of the monotonic clock. */
  readonly measured: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** For what is remembered, which may want to know the time of day. */
  readonly found: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** Goes by the clock that is there when it is made. */
export const makeLasting: Effect.Effect<Lasting> = Effect.map(Clock.Clock, (clock) => {
  const millis = (): number => monotonicMillis(clock)
  const steady: Clock.Clock = {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    currentTimeNanos: clock.monotonicTimeNanos,
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => clock.sleep(duration)
  }
  return {
    measured: Effect.provideService(Clock.Clock, steady),
    found: Effect.provideService(Clock.Clock, clock)
  }
})
