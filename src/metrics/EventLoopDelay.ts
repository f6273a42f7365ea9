/** How late timers of the event loop run, as Node.js measures it. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Histogram, monitorEventLoopDelay } from "node:perf_hooks"

/** Milliseconds between two runs of the timer that is measured. */
const RESOLUTION = 20

/** Median, 99th percentile and maximum of the delays in some time. */
export interface EventLoopDelay {
  readonly median: number
  readonly p99: number
  readonly max: number
}

/**
 * Takes the milliseconds that a histogram has measured, and empties it; `undefined` if nothing was measured. The histogram has
 * the nanoseconds between two runs of the timer, so the interval of the timer is subtracted.
 */
export const takeDelay = (histogram: Histogram): EventLoopDelay | undefined => {
  if (histogram.count === 0) return undefined
  const late = (nanos: number): number => Math.max(0, nanos / 1e6 - RESOLUTION)
  const delay = {
    median: late(histogram.percentile(50)),
    p99: late(histogram.percentile(99)),
    max: late(histogram.max)
  }
  histogram.reset()
  return delay
}

/** Measures until the scope closes. Each call gives the milliseconds since the last one; `undefined` if nothing was measured. */
export const makeEventLoopDelay: Effect.Effect<() => EventLoopDelay | undefined, never, Scope.Scope> = Effect
  .acquireRelease(
    Effect.sync(() => {
      const histogram = monitorEventLoopDelay({ resolution: RESOLUTION })
      histogram.enable()
      return histogram
    }),
    (histogram) => Effect.sync(() => histogram.disable())
  ).pipe(Effect.map((histogram) => () => takeDelay(histogram)))
