/** The error for options that cannot be used, without the code that checks them. */
import * as Data from "effect/Data"

/**
 * One invalid option. Does not contain its value, which may be a secret.
 *
 * @category errors
 * @since 0.2.0
 */
export interface OptionProblem {
  /** The option, such as `limits.output`. */
  readonly option: string
  /** What is wrong, phrased to follow the name: "must be ...". */
  readonly problem: string
}

/**
 * Options that a layer cannot be made with. Contains every problem.
 *
 * @category errors
 * @since 0.2.0
 */
export class OptionsError extends Data.TaggedError("OptionsError")<{
  /** The layer, such as `Relay.layer`. */
  readonly layer: string
  readonly problems: ReadonlyArray<OptionProblem>
}> {
  override get message(): string {
    return `${this.layer} has ${this.problems.length} option${
      this.problems.length === 1 ? "" : "s"
    } that cannot be used: ${this.problems.map(({ option, problem }) => `${option} ${problem}`).join("; ")}`
  }
}
