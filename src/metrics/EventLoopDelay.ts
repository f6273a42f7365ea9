/** How late timers of the event loop run, as Node.js measures it. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { monitorEventLoopDelay } from "node:perf_hooks"

/** Milliseconds between two runs of the timer that is measured. */
const RESOLUTION = 20

/** Median, 99th percentile and maximum of the delays in some time. */
export interface EventLoopDelay {
  readonly median: number
  readonly p99: number
  readonly max: number
}

/** Measures until the scope closes. Each call gives the milliseconds since the last one; `undefined` if nothing was measured. */
export const makeEventLoopDelay: Effect.Effect<() => EventLoopDelay | undefined, never, Scope.Scope> = Effect.gen(
  function*() {
    const histogram = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const histogram = monitorEventLoopDelay({ resolution: RESOLUTION })
        histogram.enable()
        return histogram
      }),
      (histogram) => Effect.sync(() => histogram.disable())
    )
    // The histogram has the nanoseconds between two runs of the timer, so the interval of the timer is subtracted.
    const late = (nanos: number): number => Math.max(0, nanos / 1e6 - RESOLUTION)
    return () => {
      if (histogram.count === 0) return undefined
      const { max } = histogram
      const delay = { median: late(histogram.percentile(50)), p99: late(histogram.percentile(99)), max: late(max) }
      histogram.reset()
      return delay
    }
  }
)
