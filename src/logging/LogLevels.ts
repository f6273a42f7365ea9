/** The minimum log level, which may change while the program runs. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"

/** The minimum log level of the whole program. `Effect.isEnabled` and `References.MinimumLogLevel` do not know it. */
export class LiveLevel {
  level: LogLevel.LogLevel

  constructor(level: LogLevel.LogLevel) {
    this.level = level
  }

  /** Whether lines of this severity are logged at present. */
  enables(severity: LogLevel.LogLevel): boolean {
    return LogLevel.isGreaterThanOrEqualTo(severity, this.level)
  }
}

/** The level of the program if it may change; undefined if `References.MinimumLogLevel` applies. */
export const LogLevels = Context.Reference<LiveLevel | undefined>("msrp-relay/logging/LogLevels", {
  defaultValue: () => undefined
})

/**
 * Returns a function that says whether lines of this severity are logged at present, to avoid preparing lines that
 * are not.
 */
export const enabling = Effect.fnUntraced(function*(severity: LogLevel.LogLevel): Effect.fn.Return<() => boolean> {
  const live = yield* LogLevels
  if (live !== undefined) return () => live.enables(severity)
  const always = yield* LogLevel.isEnabled(severity)
  return () => always
})
