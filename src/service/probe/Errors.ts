/** Why a step of a probe fails, and the error that a probe ends with. */
import * as Data from "effect/Data"

/** A step did not succeed. The message is for people: which step, what was seen, and what may help. */
export class ProbeFailed extends Data.TaggedError("ProbeFailed")<{
  readonly step: string
  readonly message: string
}> {}

/** No progress for `timeout` seconds. */
export class Stalled extends Data.TaggedError("Stalled")<{ readonly timeout: number }> {}

/** What arrived is not what was sent. */
export class Mismatch extends Data.TaggedError("Mismatch")<{ readonly message: string }> {}
