/** The system's bound on connections that wait to be accepted. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"

/** Linux's upper bound for the backlog of a listener. */
const SOMAXCONN = "/proc/sys/net/core/somaxconn"

/** A warning if the system's bound is below the backlog and below the number of connections. */
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
