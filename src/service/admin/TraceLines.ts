/** A trace as the admin API streams it: it fails with nothing, and a defect ends it with a line in the log. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { kindOf } from "../../logging/ErrorKind.ts"
import type { TooManyTraces } from "../../Relay.ts"

export const traceLines = <A>(
  frames: Stream.Stream<A, TooManyTraces>,
  tell: (line: Effect.Effect<void>) => Effect.Effect<void>
): Stream.Stream<A> =>
  frames.pipe(
    // The API has the same limit and answers 503; only a program that starts traces beside it gets here.
    Stream.catchTag("TooManyTraces", () => Stream.empty),
    Stream.catchCause((cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Stream.failCause(cause)
      // Only the kind of error, because its message may quote a frame.
      const line = Effect.annotateLogs(Effect.logError("A trace is broken"), { error: kindOf(Cause.squash(cause)) })
      return Stream.fromEffectDrain(tell(line))
    })
  )
