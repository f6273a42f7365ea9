/**
 * Log lines within a budget, for events that any peer can cause. The number of suppressed lines is logged
 * periodically.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { networkOf } from "../net/Network.ts"
import { HasOwnBudget } from "./HasOwnBudget.ts"
import { LineBudget } from "./LineBudget.ts"
import { LogCounters } from "./LogCounters.ts"

/** Time between two reports of suppressed lines. */
const HELD_BACK = "1 minute"

/** Logs the number of lines that these budgets have suppressed, once a minute and when the scope closes. */
export const tellHeldBack = Effect.fnUntraced(function*(
  budgets: ReadonlyArray<LineBudget>,
  log: typeof Effect.logInfo = Effect.logWarning
): Effect.fn.Return<void, never, Scope.Scope> {
  const tell = Effect.suspend(() =>
    Effect.forEach(
      budgets.flatMap((budget) => budget.takeHeld()),
      ({ kind, lines }) => Effect.annotateLogs(log("more of the same was not logged"), { what: kind, lines }),
      { discard: true }
    )
  ).pipe(Effect.provideService(HasOwnBudget, true))
  yield* Effect.addFinalizer(() => tell)
  yield* tell.pipe(Effect.delay(HELD_BACK), Effect.forever, Effect.forkScoped)
})

/** Logs a line of a kind that a peer at this address has caused, within the budget. */
export type BoundedLog = (line: Effect.Effect<void>, kind: string, address: string) => Effect.Effect<void>

/** A `BoundedLog` with a budget of its own, until the scope closes. */
export const makeBoundedLog: Effect.Effect<BoundedLog, never, Scope.Scope> = Effect.gen(function*() {
  const clock = yield* Clock.Clock
  const budget = new LineBudget(undefined, yield* LogCounters)
  yield* tellHeldBack([budget])
  return (line, kind, address) =>
    Effect.suspend(() =>
      budget.admits(kind, networkOf(address), monotonicMillis(clock))
        ? Effect.provideService(line, HasOwnBudget, true)
        : Effect.void
    )
})
