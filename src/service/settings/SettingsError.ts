/** What the program says when its configuration cannot be used. */
import * as Data from "effect/Data"

/**
 * One thing that is wrong with the configuration. Never has the value of a secret in it.
 *
 * @category errors
 * @since 0.1.0
 */
export interface SettingsProblem {
  /** Name of the variable. */
  readonly variable: string
  readonly problem: string
  /** A value that works, if one can be told. */
  readonly example: string | undefined
}

/**
 * The configuration cannot be used: everything that is wrong with it.
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

/** As a shell wants it. */
const quoted = (value: string): string =>
  /^[\w.,:/@%+[\]-]*$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`
