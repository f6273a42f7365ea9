/** The session table by Effect's clock: a fiber ends expired sessions, and a new session waits until room for it is known. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import { SessionsExhausted } from "../../SessionRepo.ts"
import type { NewSession } from "../Session.ts"
import { type SessionRules, SessionTable, type SessionUser } from "../SessionTable.ts"

/** A session table that is swept until the scope closes. */
export const makeSweptTable = Effect.fnUntraced(function*(clock: Clock.Clock, rules: SessionRules) {
  const now = (): number => monotonicMillis(clock)
  const table = new SessionTable(now, rules)
  const sweep = Effect.gen(function*() {
    // Other connections have their turn between two steps.
    for (const _ of table.sweep()) yield* Effect.yieldNow
  })
  let due = now()
  yield* Effect.suspend(() => {
    // Counted from when the last sweep was due and not from its end, so that a pass takes no longer than `cleanupInterval`.
    due = Math.max(due + table.pause, now())
    return Effect.delay(sweep, Duration.millis(due - now()))
  }).pipe(Effect.forever, Effect.forkScoped)
  return table
})

/** Fails when there are as many sessions as allowed, in all or of this user. */
export const roomFor = Effect.fnUntraced(function*(table: SessionTable, user: SessionUser) {
  let room = table.room(user)
  for (; room === "unknown"; room = table.room(user)) yield* Effect.yieldNow
  if (room === "enough") return
  const { maxSessions, maxSessionsPerUser } = table.rules
  return yield* new SessionsExhausted({ of: room, limit: room === "all" ? maxSessions : maxSessionsPerUser })
})

/** Adds a session if there is room for it. */
export const addTo = (table: SessionTable, session: NewSession) =>
  Effect.map(roomFor(table, session), () => table.add(session))
