/** Lines within a budget, for whatever anybody may cause; what is held back is told now and then. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { networkOf } from "../net/Network.ts"
import { HasOwnBudget } from "./HasOwnBudget.ts"
import { LineBudget } from "./LineBudget.ts"
import { LogCounters } from "./LogCounters.ts"

/** How often it is told how many lines were held back. */
const HELD_BACK = "1 minute"

/** Tells what these budgets have held back, once a minute and when the scope closes. */
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

/** Logs a line of this kind that somebody at this address has caused, unless there were too many. */
export type BoundedLog = (line: Effect.Effect<void>, kind: string, address: string) => Effect.Effect<void>

/** With a budget of its own, until the scope closes. */
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
