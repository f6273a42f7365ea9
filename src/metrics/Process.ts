/** Facts about the process. Those that are slow to obtain are sampled periodically. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { readdir, readFile } from "node:fs/promises"
import { monitorEventLoopDelay } from "node:perf_hooks"

/** Time between two counts of descriptors, and length of the window in which event loop delays are measured. */
const WINDOW = "10 seconds"

/** Interval in milliseconds at which the event loop is sampled; measured delays include it. */
const RESOLUTION = 20

/** Delay of event loop timers in seconds, in the last complete window: median, 99th percentile and maximum. */
export interface EventLoopDelay {
  readonly median: number
  readonly p99: number
  readonly max: number
}

export interface ProcessFacts {
  readonly eventLoopDelay: EventLoopDelay
  /** Open file descriptors, and their limit; `NaN` on systems other than Linux. */
  readonly openDescriptors: number
  readonly allowedDescriptors: number
  /** Seconds since 1970. */
  readonly startedAt: number
}

const descriptors = Effect.promise(async () => {
  try {
    const [open, limits] = await Promise.all([readdir("/proc/self/fd"), readFile("/proc/self/limits", "utf8")])
    // Does not count the descriptor that the listing itself has opened.
    return { open: open.length - 1, allowed: Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity) }
  } catch {
    return { open: Number.NaN, allowed: Number.NaN }
  }
})

/** Samples the process until the scope closes. */
export const followProcess: Effect.Effect<ProcessFacts, never, Scope.Scope> = Effect.gen(function*() {
  const loop = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const histogram = monitorEventLoopDelay({ resolution: RESOLUTION })
      histogram.enable()
      return histogram
    }),
    (histogram) => Effect.sync(() => histogram.disable())
  )
  const late = (nanos: number): number => Math.max(0, nanos / 1e9 - RESOLUTION / 1000)

  const facts = {
    eventLoopDelay: { median: 0, p99: 0, max: 0 },
    openDescriptors: Number.NaN,
    allowedDescriptors: Number.NaN,
    startedAt: performance.timeOrigin / 1000
  }
  const look = Effect.map(descriptors, ({ allowed, open }) => {
    facts.openDescriptors = open
    facts.allowedDescriptors = allowed
    if (loop.count === 0) return
    facts.eventLoopDelay = {
      median: late(loop.percentile(50)),
      p99: late(loop.percentile(99)),
      max: late(loop.max)
    }
    loop.reset()
  })
  yield* look
  yield* look.pipe(Effect.delay(WINDOW), Effect.forever, Effect.forkScoped)
  return facts
})
