/**
 * Events as lines of the log. Strangers can cause any number of them, so their lines have a budget for each address; each user
 * with a login has a larger one. Lines beyond a budget are counted, and the log says how many there were.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import { tellHeldBack } from "../../logging/BoundedLog.ts"
import { HasOwnBudget } from "../../logging/HasOwnBudget.ts"
import { detailBounds, LineBudget } from "../../logging/LineBudget.ts"
import { LogCounters } from "../../logging/LogCounters.ts"
import { enabling } from "../../logging/LogLevels.ts"
import { networkOf } from "../../net/Network.ts"
import type { Hear, Noted } from "./Journal.ts"
import type { RelayEvent } from "./RelayEvent.ts"

/** The lines of one user: 100 at once, then one a second; of all users 20,000 at once, then 1000 a second. */
export const userBounds = { addressBurst: 100, addressPause: 1000, kindBurst: 20_000, kindPause: 1 }

/** Whether lines of this level are written now. */
type IsOn = (level: RelayEvent["level"]) => boolean

/** Follows the log level, which may change. */
export const isOn: Effect.Effect<IsOn> = Effect.gen(function*() {
  const on = { Debug: yield* enabling("Debug"), Info: yield* enabling("Info"), Warn: yield* enabling("Warn") }
  return (level) => on[level]()
})

const logAt = { Debug: Effect.logDebug, Info: Effect.logInfo, Warn: Effect.logWarning }

/** `run` forks a fiber that ends with the relay. */
export const makeEventLog = Effect.fnUntraced(function*(
  run: (effect: Effect.Effect<void>) => void,
  isWritten: IsOn
): Effect.fn.Return<Hear, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const counters = yield* LogCounters
  const strangers = new LineBudget(undefined, counters)
  const users = new LineBudget(userBounds, counters)
  const details = new LineBudget(detailBounds, counters)
  yield* tellHeldBack([strangers, users, details], Effect.logInfo)

  const admits = ({ address, level, message, fields, user }: Noted): boolean => {
    const now = monotonicMillis(clock)
    if (level === "Debug") return details.admits(message, networkOf(address), now)
    // The name in a failed login is only claimed, so it gets no budget of a user.
    if (user !== undefined && message !== "login failed") return users.admits(message, user, now)
    return strangers.admits(`${message}: ${String(fields["reason"] ?? "")}`, networkOf(address), now)
  }

  return (event) => {
    if (!isWritten(event.level) || !admits(event)) return
    const line = Effect.annotateLogs(logAt[event.level](event.message), event.fields)
    run(Effect.provideService(line, HasOwnBudget, true))
  }
})
