/** The log, for tests that read it. */
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"

/** A logger that only adds lines, in logfmt, to an array. */
export const logInto = (lines: Array<string>): Layer.Layer<never> =>
  Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))])
