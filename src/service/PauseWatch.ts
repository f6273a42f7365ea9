/** Detects that the process or its machine was suspended, which explains why many things then end late or start again. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../clock/Monotonic.ts"

const LOOK = Duration.seconds(1)

/** Milliseconds that a check must be late to count as a pause; a busy process is late by less. */
const STILL = 3000

/** Sleeps until the next check, and logs a warning if that is late. */
export const watchPause: Effect.Effect<void> = Effect.gen(function*() {
  const clock = yield* Clock.Clock
  const due = monotonicMillis(clock) + Duration.toMillis(LOOK)
  yield* clock.sleep(LOOK)
  const late = monotonicMillis(clock) - due
  if (late < STILL) return
  yield* Effect.annotateLogs(Effect.logWarning("the process stood still"), { seconds: Math.round(late / 100) / 10 })
})
