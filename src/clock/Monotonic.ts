import type * as Clock from "effect/Clock"

/** Milliseconds of the monotonic clock: a change of the system's time neither ends nor prolongs anything. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** Milliseconds since 1970, by the time of day that is now, of a time of the monotonic clock. */
export const dateOf = (clock: Clock.Clock, millis: number): number =>
  Math.round(clock.currentTimeMillisUnsafe() - monotonicMillis(clock) + millis)
