import * as Context from "effect/Context"

/**
 * Numbers of log lines that were not written since the program started.
 *
 * @category services
 * @since 0.2.0
 */
export interface LogCounters {
  /** Lines suppressed because the budget of lines was exhausted. */
  held: number
  /** Lines lost because standard output did not take them. */
  lost: number
}

/**
 * The counters of this process, which has one log. A program may provide others.
 *
 * @category services
 * @since 0.2.0
 */
export const LogCounters: Context.Reference<LogCounters> = Context.Reference("msrp-relay/logging/LogCounters", {
  defaultValue: () => ({ held: 0, lost: 0 })
})
