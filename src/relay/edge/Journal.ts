/** What is logged of connections and sessions. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import { LineBudget } from "../../logging/LineBudget.ts"
import { LogCounters } from "../../logging/LogCounters.ts"
import { networkOf } from "../../net/Network.ts"
import { sessionLabel } from "../../protocol/Ident.ts"
import type { Observer } from "../Observer.ts"
import { makeRefusalLog } from "./RefusalLog.ts"

/** How often it is told how many lines were held back. */
const HELD_BACK = "1 minute"

/**
 * `run` forks a fiber that ends with the relay. Who is closed is logged within a `LineBudget`, since any stranger can have
 * that done to him thousands of times a second.
 */
export const makeJournal = Effect.fnUntraced(function*(
  run: (effect: Effect.Effect<void>) => void
): Effect.fn.Return<Observer, never, Scope.Scope> {
  const isDebug = yield* LogLevel.isEnabled("Debug")
  const clock = yield* Clock.Clock
  const budget = new LineBudget(yield* LogCounters)
  const tellHeld = Effect.suspend(() =>
    Effect.forEach(
      budget.takeHeld(),
      ({ kind, lines }) =>
        Effect.annotateLogs(Effect.logInfo("more connections were closed"), { reason: kind, connections: lines }),
      {
        discard: true
      }
    )
  )
  yield* Effect.addFinalizer(() => tellHeld)
  yield* tellHeld.pipe(Effect.delay(HELD_BACK), Effect.forever, Effect.forkScoped)
  return {
    opened: () => {},
    closing: ({ connection }, reason) => {
      const { host, port } = connection?.remote ?? { host: "?", port: 0 }
      if (!budget.admits(reason, networkOf(host), monotonicMillis(clock))) return
      run(
        Effect.logInfo(`closing connection: ${reason}`).pipe(Effect.annotateLogs({ remote: `${host}:${port}` }))
      )
    },
    closed: () => {},
    refused: yield* makeRefusalLog(run),
    granted: (_, { id, realm, username }) => {
      if (!isDebug) return
      run(
        Effect.logDebug("session granted").pipe(
          Effect.annotateLogs({ session: sessionLabel(id), username, realm })
        )
      )
    }
  }
})
