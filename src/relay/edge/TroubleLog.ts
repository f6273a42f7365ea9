/** Refusals by limits and policy as one log line now and then, instead of a line for each. */
import * as Effect from "effect/Effect"
import type { RelayCounters } from "../Counters.ts"

/** Counters that an operator should hear of. */
const TROUBLE = [
  "connectionsTurnedAway",
  "probationsFailed",
  "receiversStalled",
  "receiversGivenUp",
  "sessionsTooFast",
  "dialsForbidden",
  "dialsOverLimit",
  "sessionsRefused",
  "unansweredOverLimit",
  "failedAuths",
  "undecidedAuths"
] as const

/** Each run logs by how much the counters have grown since the run before, if any have. */
export const troubleLog = (counters: Readonly<RelayCounters>): Effect.Effect<void> => {
  const before = new Map<string, number>()
  return Effect.suspend(() => {
    const more = TROUBLE.flatMap((name) => {
      const count = counters[name] - (before.get(name) ?? 0)
      before.set(name, counters[name])
      return count === 0 ? [] : [[name, count] as const]
    })
    if (more.length === 0) return Effect.void
    return Effect.annotateLogs(Effect.logWarning("refused in the last minute"), Object.fromEntries(more))
  })
}
