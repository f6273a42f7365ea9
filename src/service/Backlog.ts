/** Whether the system lets as many clients wait to be accepted as may come at once. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"

/** Linux' bound for a listener, whatever it asks for. */
const SOMAXCONN = "/proc/sys/net/core/somaxconn"

/** What to say when the system's bound is below what a listener asks for, and clients may be as many. */
export const backlogWarning = Effect.fnUntraced(function*(
  backlog: number,
  maxConnections: number
): Effect.fn.Return<Option.Option<string>, never, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.option(files.readFileString(SOMAXCONN))
  const bound = Option.map(text, (line) => Number(line.trim()))
  return Option.flatMap(bound, (most) =>
    most < Math.min(backlog, maxConnections)
      ? Option.some(
        `The system lets ${most} clients wait to be accepted: more that come at once try again after a second or later. ` +
          `Set net.core.somaxconn to ${backlog}`
      )
      : Option.none())
})
