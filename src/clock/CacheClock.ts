/**
 * Expiry of caches by the monotonic clock. Effect's `Cache` goes by the time of day, so its entries would live for hours longer if
 * that were set back.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "./Monotonic.ts"

export interface CacheClock {
  /** Wraps each use of a cache: the time that it sees is the monotonic clock's. */
  readonly withMonotonicTime: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Wraps the look-up behind a cache, which may need the time of day. */
  readonly withTimeOfDay: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** Makes both from the `Clock` that is provided when this runs. */
export const makeCacheClock: Effect.Effect<CacheClock> = Effect.map(Clock.Clock, (clock) => {
  const millis = (): number => monotonicMillis(clock)
  const monotonic: Clock.Clock = {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    currentTimeNanos: clock.monotonicTimeNanos,
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => clock.sleep(duration)
  }
  return {
    withMonotonicTime: Effect.provideService(Clock.Clock, monotonic),
    withTimeOfDay: Effect.provideService(Clock.Clock, clock)
  }
})
