import * as Context from "effect/Context"

/**
 * Lines of the log that were not written, since the program started.
 *
 * @category services
 * @since 0.2.0
 */
export interface LogCounters {
  /** More of the same than the budget of lines has. */
  held: number
  /** Standard output did not take them. */
  lost: number
}

/**
 * Those of this process, which has one log; a program may provide others.
 *
 * @category services
 * @since 0.2.0
 */
export const LogCounters: Context.Reference<LogCounters> = Context.Reference("msrp-relay/logging/LogCounters", {
  defaultValue: () => ({ held: 0, lost: 0 })
})
