/** Whether the relay should get new clients, for load balancers. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { makeEventLoopDelay } from "../metrics/EventLoopDelay.ts"
import type { PhaseState } from "./Model.ts"
import type { AdminPartsShape } from "./Parts.ts"

/** Milliseconds of the median delay of the event loop above which the machine is overloaded. */
export const MAX_LOOP_DELAY = 100

/** Time over which the delay is measured; it is short, so that one long turn is soon forgotten. */
const WINDOW = "5 seconds"

/** Median delay of the event loop in the last complete window, in milliseconds. */
export const makeLoopDelay: Effect.Effect<() => number, never, Scope.Scope> = Effect.gen(function*() {
  const takeDelay = yield* makeEventLoopDelay
  let last = 0
  yield* Effect.sync(() => {
    last = Math.round(takeDelay()?.median ?? 0)
  }).pipe(Effect.delay(WINDOW), Effect.forever, Effect.forkScoped)
  return () => last
})

const limitOf = (count: number, what: string): string =>
  `there ${count === 1 ? `is 1 ${what}` : `are ${count} ${what}s`}, which is the limit`

/** Reasons why the relay should get no new clients; empty if it is ready. */
export const reasonsNotReady = (
  { phase }: Pick<PhaseState, "phase">,
  { acceptFault, gauges, limits }: Pick<AdminPartsShape, "acceptFault" | "gauges" | "limits">,
  loopDelay: number
): ReadonlyArray<string> => {
  const { connections, sessions } = gauges()
  const fault = acceptFault?.()
  return [
    ...phase === "serving" ? [] : [`the relay is ${phase}`],
    ...connections < limits.connections ? [] : [limitOf(connections, "connection")],
    ...fault === undefined ? [] : [`no connection can be accepted: ${fault}`],
    ...sessions < limits.sessions ? [] : [limitOf(sessions, "session")],
    ...loopDelay <= MAX_LOOP_DELAY ? [] : [`turns come ${loopDelay} ms late, which is more than ${MAX_LOOP_DELAY} ms`]
  ]
}
