/** The error for settings that cannot be used. */
import * as Data from "effect/Data"

/**
 * One problem of the configuration. Never contains the value of a secret.
 *
 * @category errors
 * @since 0.1.0
 */
export interface SettingsProblem {
  /** Name of the variable. */
  readonly variable: string
  readonly problem: string
  /** A value that would work, if there is one to show. */
  readonly example: string | undefined
}

/**
 * The configuration cannot be used. Contains every problem.
 *
 * @category errors
 * @since 0.1.0
 */
export class SettingsError extends Data.TaggedError("SettingsError")<{
  readonly problems: ReadonlyArray<SettingsProblem>
}> {
  override get message(): string {
    const lines = this.problems.map(({ example, problem, variable }) =>
      `  ${variable}: ${problem}${example === undefined ? "" : `\n    for example ${variable}=${quoted(example)}`}`
    )
    return `The configuration has ${this.problems.length} problem${this.problems.length === 1 ? "" : "s"}:\n${
      lines.join("\n")
    }`
  }
}

/** Quotes a value for a shell. */
const quoted = (value: string): string =>
  /^[\w.,:/@%+[\]-]*$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`
