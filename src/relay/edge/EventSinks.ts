/** Where the events of a relay go: into its log, into the history of users, and to listeners. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { isOn, makeEventLog } from "./EventLog.ts"
import { History } from "./History.ts"
import { Journal, type Noted } from "./Journal.ts"
import { Listeners } from "./Listeners.ts"
import type { Operator } from "./Operator.ts"

interface EventSinks {
  /** Gets the reports of the relay, and makes the events. */
  readonly journal: Journal
  readonly history: History
  readonly listen: Operator["listen"]
}

/** `run` forks a fiber that ends with the relay. */
export const makeEventSinks = Effect.fnUntraced(function*(
  clock: Clock.Clock,
  run: (effect: Effect.Effect<void>) => void
): Effect.fn.Return<EventSinks, never, Scope.Scope> {
  const history = new History()
  const listeners = new Listeners(run)
  const isWritten = yield* isOn
  const log = yield* makeEventLog(run, isWritten)
  const hear = (event: Noted): void => {
    log(event)
    if (event.level === "Debug") return
    history.note(event)
    listeners.notify(event)
  }
  const journal = new Journal({ clock, hear, isDetailed: () => isWritten("Debug") })
  return { journal, history, listen: listeners.listen }
})
