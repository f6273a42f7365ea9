/**
 * A line at debug level for each request that goes no further. Strangers can send any number of such requests, and the lines
 * of a second have a bound: of those beyond it the next line has the number.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import type { Kind } from "../../protocol/StartLine.ts"
import type { Observer } from "../Observer.ts"

/** In one second. */
const MAX_LINES = 50

/** A method that the relay does not know may be anything. */
const methods: Readonly<Record<Kind, string>> = { 0: "response", 1: "SEND", 2: "REPORT", 3: "AUTH", 4: "another" }

/** Nothing when nobody would see it: then a refusal costs no more than its answer. */
export const makeRefusalLog = Effect.fnUntraced(function*(
  run: (effect: Effect.Effect<void>) => void
): Effect.fn.Return<Observer["refused"]> {
  if (!(yield* LogLevel.isEnabled("Debug"))) return undefined
  const clock = yield* Clock.Clock
  let second = -1
  let lines = 0
  let omitted = 0
  return ({ connection }, kind, status, problem) => {
    const now = Math.floor(monotonicMillis(clock) / 1000)
    if (now !== second) {
      second = now
      lines = 0
    }
    if (++lines > MAX_LINES) {
      omitted++
      return
    }
    const { host, port } = connection?.remote ?? { host: "?", port: 0 }
    run(
      Effect.logDebug("request refused").pipe(
        Effect.annotateLogs({
          remote: `${host}:${port}`,
          method: methods[kind],
          status,
          ...(problem === undefined ? {} : { problem }),
          ...(omitted === 0 ? {} : { omitted })
        })
      )
    )
    omitted = 0
  }
})
