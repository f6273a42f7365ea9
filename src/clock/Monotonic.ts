import type * as Clock from "effect/Clock"

/** Milliseconds of the monotonic clock, which changes of the system's time do not affect. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** Converts a time of the monotonic clock to milliseconds since 1970, by the current time of day. */
export const dateOf = (clock: Clock.Clock, millis: number): number =>
  Math.round(clock.currentTimeMillisUnsafe() - monotonicMillis(clock) + millis)
