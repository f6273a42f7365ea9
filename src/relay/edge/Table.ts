/** The table of sessions by Effect's clock: its clean-up, and a session made where there is room. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import { SessionsExhausted } from "../../SessionRepo.ts"
import type { NewSession } from "../Session.ts"
import { type SessionRules, SessionTable, type SessionUser } from "../SessionTable.ts"

/** Is cleaned up until the scope closes. */
export const makeTable = Effect.fnUntraced(function*(clock: Clock.Clock, rules: SessionRules) {
  const now = (): number => monotonicMillis(clock)
  const table = new SessionTable(now, rules)
  const clean = Effect.gen(function*() {
    // Lets the event loop turn, with what has come in meanwhile.
    for (const _ of table.sweep()) yield* Effect.yieldNow
  })
  let due = now()
  yield* Effect.suspend(() => {
    // Not so much later as the clean-up takes, or a pass would be longer than it may be.
    due = Math.max(due + table.pause, now())
    return Effect.delay(clean, Duration.millis(due - now()))
  }).pipe(Effect.forever, Effect.forkScoped)
  return table
})

/** Fails where there is no room for one more session of this user. */
export const roomFor = Effect.fnUntraced(function*(table: SessionTable, user: SessionUser) {
  let room = table.room(user)
  for (; room === "unknown"; room = table.room(user)) yield* Effect.yieldNow
  if (room === "enough") return
  const { maxSessions, maxSessionsPerUser } = table.rules
  return yield* new SessionsExhausted({ of: room, limit: room === "all" ? maxSessions : maxSessionsPerUser })
})

/** A new session. */
export const addTo = (table: SessionTable, session: NewSession) =>
  Effect.map(roomFor(table, session), () => table.add(session))
