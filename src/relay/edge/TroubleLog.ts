/** What limits and policy have refused, told now and then instead of each time. */
import * as Effect from "effect/Effect"
import type { RelayCounters } from "../Counters.ts"

/** What an operator should hear of, though not once for each. */
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

/** Logs how often limits and policy have refused something since the last time, if they have. */
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
