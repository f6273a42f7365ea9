/** Checks limits of the system: open files, and connections waiting to be accepted. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { BACKLOG } from "../../transport/Bind.ts"
import { backlogWarning } from "../Backlog.ts"
import { descriptorLimits, descriptorNeed, descriptorWarning, formatLimits } from "../Descriptors.ts"
import type { SettingsShape } from "../Settings.ts"
import { type Finding, findingsOf } from "./Finding.ts"

export const checkDescriptors = Effect.fnUntraced(function*(
  settings: Pick<SettingsShape, "relay">
): Effect.fn.Return<ReadonlyArray<Finding>, never, FileSystem.FileSystem> {
  const { ok, skipped, warning } = findingsOf("descriptors")
  const limits = Option.getOrUndefined(yield* descriptorLimits)
  if (limits === undefined) return [skipped("", "this system does not say how many files may be open")]
  const need = descriptorNeed(settings)
  const text = descriptorWarning(limits, need)
  return [
    text === undefined
      ? ok(
        "",
        `${
          formatLimits(limits)
        } (soft/hard); at most ${need.total} are needed, ${need.connections} of them for connections`
      )
      : warning("", text)
  ]
})

export const checkBacklog = Effect.fnUntraced(function*(
  { transport }: Pick<SettingsShape, "transport">
): Effect.fn.Return<ReadonlyArray<Finding>, never, FileSystem.FileSystem> {
  const { ok, warning } = findingsOf("backlog")
  const text = yield* backlogWarning(BACKLOG, transport.maxConnections ?? Infinity)
  return [Option.match(text, {
    onNone: () => ok("", "the limit of connections that wait to be accepted is high enough"),
    onSome: (problem) => warning("", problem)
  })]
})
