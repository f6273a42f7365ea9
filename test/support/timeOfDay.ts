/** A time of day that is set anew, as by whoever has found it wrong. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Runs it by the clock that there is, but for the time of day, which `set` puts forward by so many milliseconds, or back. */
export const withTimeOfDay = <A, E, R>(
  body: (set: (millis: number) => void) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.Clock, (clock) => {
    let ahead = 0
    const millis = (): number => clock.currentTimeMillisUnsafe() + ahead
    const nanos = (): bigint => clock.currentTimeNanosUnsafe() + BigInt(ahead) * 1_000_000n
    const set = {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos)
    }
    // All else is as it was, what a `TestClock` has besides, too.
    const other: Clock.Clock = Object.assign(Object.create(clock), set)
    return Effect.provideService(body((by) => void (ahead += by)), Clock.Clock, other)
  })
