/** What is logged last: what the end of the service was, once nothing is open any more. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Relay } from "../Relay.ts"

/** The end of a relay, from when it was told to end: how many sessions and connections ended in that time. */
export interface End {
  readonly sessions: number
  readonly connections: number
  /** To a tenth. */
  readonly seconds: number
}

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)

/** Ends a relay, and tells what that was. Whoever keeps his side open is closed by the end of the process. */
export const endOf = (
  { counters, end, sessions }: Pick<Relay["Service"], "counters" | "end"> & {
    readonly sessions: Pick<Relay["Service"]["sessions"], "size">
  }
): Effect.Effect<End> =>
  Effect.suspend(() => {
    const ended = () => total(counters.sessionsEnded) + sessions.size()
    // Those that are open still are closed by the end of the process. They are not counted one by one, or all that ends waits.
    const opened = () => counters.connectionsAccepted + counters.connectionsDialled
    const [before, closed] = [total(counters.sessionsEnded), total(counters.closed)]
    return Effect.map(Effect.timed(end), ([took]) => ({
      sessions: ended() - before,
      connections: opened() - closed,
      seconds: Math.round(Duration.toSeconds(took) * 10) / 10
    }))
  })

/** Logs it when the scope ends, after all that is made in the scope from now on. Who never began has not stopped. */
export const tellStopped: Effect.Effect<(end: End) => void, never, Scope.Scope> = Effect.gen(function*() {
  let last: End | undefined
  yield* Effect.addFinalizer(() =>
    last === undefined ? Effect.void : Effect.annotateLogs(Effect.logInfo("stopped"), { ...last })
  )
  return (end) => void (last = end)
})
