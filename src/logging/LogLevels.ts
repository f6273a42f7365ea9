/** The least severe lines that are logged, which may change while the program runs. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"

/** One level for all of the program; `Effect.isEnabled` and `References.MinimumLogLevel` know nothing of it. */
export class LiveLevel {
  #level: LogLevel.LogLevel

  constructor(level: LogLevel.LogLevel) {
    this.#level = level
  }

  get level(): LogLevel.LogLevel {
    return this.#level
  }

  set level(level: LogLevel.LogLevel) {
    this.#level = level
  }

  /** Whether a line of this severity is logged now. */
  enables(severity: LogLevel.LogLevel): boolean {
    return LogLevel.isGreaterThanOrEqualTo(severity, this.#level)
  }
}

/** The level of the program, where it may change; absent where it is that of `References.MinimumLogLevel` for good. */
export const LogLevels = Context.Reference<LiveLevel | undefined>("msrp-relay/logging/LogLevels", {
  defaultValue: () => undefined
})

/**
 * A question that is asked before a line is made which costs something: whether lines of this severity are logged at that
 * moment.
 */
export const enabling = Effect.fnUntraced(function*(severity: LogLevel.LogLevel): Effect.fn.Return<() => boolean> {
  const live = yield* LogLevels
  if (live !== undefined) return () => live.enables(severity)
  const always = yield* LogLevel.isEnabled(severity)
  return () => always
})
