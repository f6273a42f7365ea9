/** How the SQL credentials fail for good: their settings have to be changed. */
import * as Data from "effect/Data"

/**
 * The settings cannot be used, or the driver is not installed. The message leaves out the URL, which contains a password.
 *
 * @category errors
 * @since 0.1.0
 */
export class SqlSettingsError extends Data.TaggedError("SqlSettingsError")<{ readonly problem: string }> {
  override get message(): string {
    return `The SQL credentials cannot be used: ${this.problem}`
  }
}
