/** Facts about the process. Those that are slow to obtain are sampled periodically. */
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import type * as Scope from "effect/Scope"
import { readdir, readFile } from "node:fs/promises"
import { limitsIn } from "../net/OpenFiles.ts"
import { type EventLoopDelay, makeEventLoopDelay } from "./EventLoopDelay.ts"

/** Time between two counts of descriptors, and length of the window in which event loop delays are measured. */
const WINDOW = "10 seconds"

export interface ProcessFacts {
  /** Seconds, in the last complete window. */
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
    return { open: open.length - 1, allowed: limitsIn(limits)?.soft ?? Infinity }
  } catch {
    return { open: Number.NaN, allowed: Number.NaN }
  }
})

/** Samples the process until the scope closes. */
export const followProcess: Effect.Effect<ProcessFacts, never, Scope.Scope> = Effect.gen(function*() {
  const takeDelay = yield* makeEventLoopDelay
  const facts = {
    eventLoopDelay: { median: 0, p99: 0, max: 0 },
    openDescriptors: Number.NaN,
    allowedDescriptors: Number.NaN,
    startedAt: performance.timeOrigin / 1000
  }
  const look = Effect.map(descriptors, ({ allowed, open }) => {
    facts.openDescriptors = open
    facts.allowedDescriptors = allowed
    const delay = takeDelay()
    if (delay !== undefined) facts.eventLoopDelay = Record.map(delay, (millis) => millis / 1000)
  })
  yield* look
  yield* look.pipe(Effect.delay(WINDOW), Effect.forever, Effect.forkScoped)
  return facts
})
