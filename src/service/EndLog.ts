/** The last log line of the service: what ended with it, and how long that took. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Relay } from "../Relay.ts"

/** The sessions and connections that ended from when the relay began to end, and the time until it had ended. */
export interface End {
  readonly sessions: number
  readonly connections: number
  /** Rounded to a tenth. */
  readonly seconds: number
}

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)

/** Ends a relay, and returns what ended with it. Connections that a peer keeps open are closed by the end of the process. */
export const endOf = (
  { counters, end, sessions }: Pick<Relay["Service"], "counters" | "end"> & {
    readonly sessions: Pick<Relay["Service"]["sessions"], "size">
  }
): Effect.Effect<End> =>
  Effect.suspend(() => {
    const ended = () => total(counters.sessionsEnded) + sessions.size()
    // Counts connections still open as ended, because waiting for each to close would delay the end.
    const opened = () => counters.connectionsAccepted + counters.connectionsDialled
    const [before, closed] = [total(counters.sessionsEnded), total(counters.closed)]
    return Effect.map(Effect.timed(end), ([took]) => ({
      sessions: ended() - before,
      connections: opened() - closed,
      seconds: Math.round(Duration.toSeconds(took) * 10) / 10
    }))
  })

/** Logs the end when the scope closes, after everything that is acquired in it later. Logs nothing if there is no `End`. */
export const tellStopped: Effect.Effect<(end: End) => void, never, Scope.Scope> = Effect.gen(function*() {
  let last: End | undefined
  yield* Effect.addFinalizer(() =>
    last === undefined ? Effect.void : Effect.annotateLogs(Effect.logInfo("stopped"), { ...last })
  )
  return (end) => void (last = end)
})
