import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** A clock whose waits are over at once, `late` milliseconds after they should have been. */
export const lateClock = (late: number): { readonly clock: Clock.Clock; readonly waits: ReadonlyArray<number> } => {
  const waits: Array<number> = []
  let now = 0
  const nanos = (): bigint => BigInt(now) * 1_000_000n
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => now,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.sync(() => {
        waits.push(Duration.toMillis(duration))
        now += Duration.toMillis(duration) + late
      })
  }
  return { clock, waits }
}
