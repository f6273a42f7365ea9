/** Limits the share of time that an expensive computation takes, so that relaying goes on beside it. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { monotonicMillis } from "../../clock/Monotonic.ts"

/** A value is reused for this many times as long as it took to compute, counting the turns of others in between. */
const REUSE_FACTOR = 20

/** Reuses the last value of an effect while it is recent, and computes one at a time. */
export const makeThrottled = <A>(
  clock: Clock.Clock,
  compute: Effect.Effect<A>
): Effect.Effect<Effect.Effect<A>> =>
  Effect.map(Semaphore.make(1), (one) => {
    let last: { readonly value: A; readonly until: number } | undefined
    return one.withPermit(Effect.gen(function*() {
      const before = monotonicMillis(clock)
      if (last !== undefined && before < last.until) return last.value
      const value = yield* compute
      const after = monotonicMillis(clock)
      last = { value, until: after + (after - before) * REUSE_FACTOR }
      return value
    }))
  })
