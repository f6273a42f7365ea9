/** What is wrong with options, without what finds it. */
import * as Data from "effect/Data"

/**
 * One option that cannot be used. Has no value in it, which may be a secret.
 *
 * @category errors
 * @since 0.2.0
 */
export interface OptionProblem {
  /** As `limits.output`. */
  readonly option: string
  /** As it fits behind the name: "must be ...". */
  readonly problem: string
}

/**
 * Options that no layer can be made with: everything that is wrong with them.
 *
 * @category errors
 * @since 0.2.0
 */
export class OptionsError extends Data.TaggedError("OptionsError")<{
  /** Whose they are, as `Relay.layer`. */
  readonly layer: string
  readonly problems: ReadonlyArray<OptionProblem>
}> {
  override get message(): string {
    return `${this.layer} has ${this.problems.length} option${
      this.problems.length === 1 ? "" : "s"
    } that cannot be used: ${this.problems.map(({ option, problem }) => `${option} ${problem}`).join("; ")}`
  }
}
