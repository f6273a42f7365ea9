/** All warnings about settings: what is allowed but probably a mistake, and limits of the system that are too low for it. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { BACKLOG } from "../transport/Bind.ts"
import { backlogWarning } from "./Backlog.ts"
import { descriptorLimits, descriptorNeed, descriptorWarning } from "./Descriptors.ts"
import { type ProvidedServices, unusedVariables } from "./ProvidedServices.ts"
import type { SettingsShape } from "./Settings.ts"

export const warningsOf = Effect.fnUntraced(function*(
  settings: SettingsShape,
  provided: ProvidedServices
): Effect.fn.Return<ReadonlyArray<string>, never, FileSystem.FileSystem> {
  const limits = Option.getOrUndefined(yield* descriptorLimits)
  const descriptors = limits === undefined ? undefined : descriptorWarning(limits, descriptorNeed(settings))
  const backlog = yield* backlogWarning(BACKLOG, settings.transport.maxConnections ?? Infinity)
  return [
    ...settings.warnings,
    ...unusedVariables(provided, settings),
    ...Option.toArray(backlog),
    ...descriptors === undefined ? [] : [descriptors]
  ]
})
