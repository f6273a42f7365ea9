/** What the process needs of the machine. What takes long to find out is looked at now and then. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { readdir, readFile } from "node:fs/promises"
import { monitorEventLoopDelay } from "node:perf_hooks"

/** How often descriptors are counted; delays of the event loop are those of the last whole time. */
const WINDOW = "10 seconds"

/** Milliseconds between two looks at the event loop, which its numbers contain. */
const RESOLUTION = 20

/** Seconds that timers of the event loop came too late, in the last window: half of them less, 1 % more, and the most. */
export interface EventLoopDelay {
  readonly median: number
  readonly p99: number
  readonly max: number
}

export interface ProcessFacts {
  readonly eventLoopDelay: EventLoopDelay
  /** File descriptors that are open, and that may be; `NaN` where the system does not tell (it does on Linux). */
  readonly openDescriptors: number
  readonly allowedDescriptors: number
  /** Seconds since 1970. */
  readonly startedAt: number
}

const descriptors = Effect.promise(async () => {
  try {
    const [open, limits] = await Promise.all([readdir("/proc/self/fd"), readFile("/proc/self/limits", "utf8")])
    // The one that the listing itself took is closed again.
    return { open: open.length - 1, allowed: Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity) }
  } catch {
    return { open: Number.NaN, allowed: Number.NaN }
  }
})

/** Looks at the process until the scope closes. */
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
