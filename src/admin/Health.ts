/** How the process is: what the relay itself cannot know. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { statSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { getHeapStatistics } from "node:v8"
import { openFilesAllowed } from "../net/OpenFiles.ts"
import type { StatusHealth } from "./status/Shapes.ts"

/**
 * What others know; absent where nobody does.
 *
 * @category models
 * @since 0.2.0
 */
export interface HealthSources {
  /** Certificates in use: the names that each is good for, and its end in milliseconds since 1970. */
  readonly certificates?: (() => StatusHealth["certificates"]) | undefined
  /** The backend of users: milliseconds since it was last asked here, and failures since the start. */
  readonly backend?: (() => StatusHealth["backend"]) | undefined
}

/**
 * Percentiles are those since the last call, so it has one caller.
 *
 * @category models
 * @since 0.2.0
 */
export type Health = () => StatusHealth

/** Milliseconds: how often the event loop's delay is measured. */
const RESOLUTION = 20

const DESCRIPTORS = "/proc/self/fd"

/** How often descriptors are counted where that takes a walk through all of them. */
const WALK = "30 seconds"

/**
 * Watches the event loop while the scope lives, for readings of how the process is.
 *
 * @category constructors
 * @since 0.2.0
 */
export const makeHealth = Effect.fnUntraced(function*(
  sources: HealthSources = {}
): Effect.fn.Return<Health, never, Scope.Scope> {
  const monitor = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const monitor = monitorEventLoopDelay({ resolution: RESOLUTION })
      monitor.enable()
      return monitor
    }),
    (monitor) => Effect.sync(() => monitor.disable())
  )
  const open = yield* countDescriptors
  const limit = yield* openFilesAllowed

  return () => {
    // What it measures is the time between two turns of its own timer.
    const late = (nanos: number): number => monitor.count === 0 ? 0 : Math.max(0, round(nanos / 1e6 - RESOLUTION))
    const loop = { p50: late(monitor.percentile(50)), p99: late(monitor.percentile(99)), max: late(monitor.max) }
    monitor.reset()
    const { heap_size_limit, used_heap_size } = getHeapStatistics()
    const descriptors = open()
    const certificates = sources.certificates?.()
    const backend = sources.backend?.()
    return {
      loop,
      heap: { used: used_heap_size, limit: heap_size_limit, resident: process.memoryUsage.rss() },
      ...(descriptors === undefined || limit === undefined ? {} : { descriptors: { open: descriptors, limit } }),
      ...(certificates === undefined ? {} : { certificates }),
      ...(backend === undefined ? {} : { backend })
    }
  }
})

const round = (millis: number): number => Math.round(millis * 100) / 100

/** Linux from 6.2 on says how many there are as the folder's size; before that they are counted, on a fiber. */
const countDescriptors: Effect.Effect<() => number | undefined, never, Scope.Scope> = Effect.gen(function*() {
  const size = (): number | undefined => statSync(DESCRIPTORS, { throwIfNoEntry: false })?.size
  const first = yield* Effect.sync(size)
  if (first === undefined) return () => undefined
  if (first > 0) return size
  let counted: number | undefined
  yield* Effect.tryPromise(() => readdir(DESCRIPTORS)).pipe(
    Effect.map(({ length }) => {
      counted = length
    }),
    Effect.ignore,
    Effect.andThen(Effect.sleep(WALK)),
    Effect.forever,
    Effect.forkScoped
  )
  return () => counted
})
