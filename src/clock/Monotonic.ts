import type * as Clock from "effect/Clock"

/** Milliseconds of the monotonic clock: a change of the system's time neither ends nor prolongs anything. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
