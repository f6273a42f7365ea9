/** Whether new clients should come: what a load balancer wants to know. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { monitorEventLoopDelay } from "node:perf_hooks"
import type { PhaseState } from "./Model.ts"
import type { AdminPartsShape } from "./Parts.ts"

/** Milliseconds: half of all turns of the event loop that come later than this are more than the machine can do. */
export const MAX_LOOP_DELAY = 100

/** Milliseconds between two turns that are watched. */
const RESOLUTION = 20

/** For how long the delay is watched before it counts anew: one long turn is soon forgotten. */
const WINDOW = "5 seconds"

/** Milliseconds by which the event loop is late, in the middle of the last whole window. */
export const makeLoopDelay: Effect.Effect<() => number, never, Scope.Scope> = Effect.gen(function*() {
  const histogram = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const made = monitorEventLoopDelay({ resolution: RESOLUTION })
      made.enable()
      return made
    }),
    (made) => Effect.sync(() => made.disable())
  )
  let last = 0
  yield* Effect.sync(() => {
    // What is recorded is the time between two turns.
    last = histogram.count === 0 ? 0 : Math.max(0, Math.round(histogram.percentile(50) / 1e6 - RESOLUTION))
    histogram.reset()
  }).pipe(Effect.delay(WINDOW), Effect.forever, Effect.forkScoped)
  return () => last
})

/** Why no new client should come; none when all is well. */
export const reasonsNotReady = (
  { phase }: PhaseState,
  { gauges, limits }: Pick<AdminPartsShape, "gauges" | "limits">,
  loopDelay: number
): ReadonlyArray<string> => {
  const { connections, sessions } = gauges()
  return [
    ...phase === "serving" ? [] : [`the relay is ${phase}`],
    ...connections < limits.connections ? [] : [`there are ${connections} connections, which is the limit`],
    ...sessions < limits.sessions ? [] : [`there are ${sessions} sessions, which is the limit`],
    ...loopDelay <= MAX_LOOP_DELAY ? [] : [`turns come ${loopDelay} ms late, which is more than ${MAX_LOOP_DELAY} ms`]
  ]
}
