/** Readings of the health of the process. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { statSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { getHeapStatistics } from "node:v8"
import { makeEventLoopDelay } from "../metrics/EventLoopDelay.ts"
import { openFilesAllowed } from "../net/OpenFiles.ts"
import type { StatusHealth } from "./status/Shapes.ts"

/**
 * Sources of readings that come from elsewhere; each may be absent.
 *
 * @category models
 * @since 0.2.0
 */
export interface HealthSources {
  /** Certificates in use: the names of each, and its expiry in milliseconds since 1970. */
  readonly certificates?: (() => StatusHealth["certificates"]) | undefined
  /** Lines of the log that were lost since the start, because they could not be written. */
  readonly logLinesLost?: (() => number) | undefined
  /** The backend of users: milliseconds that its answers took since the last call, and failures since the start. */
  readonly backend?: (() => StatusHealth["backend"]) | undefined
}

/**
 * Takes a reading. Percentiles cover the time since the last call, so there may only be one caller.
 *
 * @category models
 * @since 0.2.0
 */
export type Health = () => StatusHealth

const DESCRIPTORS = "/proc/self/fd"

/** Time between two counts of the descriptors, if counting takes a walk through all of them. */
const WALK = "30 seconds"

/**
 * Makes a reader of the health of the process, which watches the event loop until the scope closes.
 *
 * @category constructors
 * @since 0.2.0
 */
export const makeHealth = Effect.fnUntraced(function*(
  sources: HealthSources = {}
): Effect.fn.Return<Health, never, Scope.Scope> {
  const takeDelay = yield* makeEventLoopDelay
  const open = yield* countDescriptors
  const limit = yield* openFilesAllowed

  return () => {
    const { max, median, p99 } = takeDelay() ?? { median: 0, p99: 0, max: 0 }
    const { heap_size_limit, used_heap_size } = getHeapStatistics()
    const descriptors = open()
    const certificates = sources.certificates?.()
    const backend = sources.backend?.()
    const logLinesLost = sources.logLinesLost?.()
    return {
      loop: { p50: round(median), p99: round(p99), max: round(max) },
      heap: { used: used_heap_size, limit: heap_size_limit, resident: process.memoryUsage.rss() },
      ...(descriptors === undefined || limit === undefined ? {} : { descriptors: { open: descriptors, limit } }),
      ...(certificates === undefined ? {} : { certificates }),
      ...(backend === undefined ? {} : { backend }),
      ...(logLinesLost === undefined ? {} : { logLinesLost })
    }
  }
})

const round = (millis: number): number => Math.round(millis * 100) / 100

/** From Linux 6.2 on the size of the directory is the number of descriptors; on earlier kernels a fiber counts them. */
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
