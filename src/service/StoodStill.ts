/** That the process, or its machine, was stopped: many things end late or anew then, and nothing else tells why. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../clock/Monotonic.ts"

const LOOK = Duration.seconds(1)

/** Milliseconds that a look has to be late: a process that is only busy is not. */
const STILL = 3000

/** Logs it if the next look is late. */
export const look: Effect.Effect<void> = Effect.gen(function*() {
  const clock = yield* Clock.Clock
  const due = monotonicMillis(clock) + Duration.toMillis(LOOK)
  yield* clock.sleep(LOOK)
  const late = monotonicMillis(clock) - due
  if (late < STILL) return
  yield* Effect.annotateLogs(Effect.logWarning("the process stood still"), { seconds: Math.round(late / 100) / 10 })
})
