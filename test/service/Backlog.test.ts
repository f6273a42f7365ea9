import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import { backlogWarning } from "../../src/service/Backlog.ts"

const withBound = (text: string) => Effect.provide(FileSystem.layerNoop({ readFileString: () => Effect.succeed(text) }))

describe("backlogWarning", () => {
  it.effect("tells what the system lets wait, where that is less than may come at once", () =>
    Effect.gen(function*() {
      const warning = yield* backlogWarning(4096, 10_000).pipe(withBound("128\n"))
      assert.match(Option.getOrThrow(warning), /lets 128 clients wait .* net\.core\.somaxconn to 4096/)
      assert.isTrue(Option.isNone(yield* backlogWarning(4096, 10_000).pipe(withBound("4096\n"))))
      assert.isTrue(Option.isNone(yield* backlogWarning(4096, 100).pipe(withBound("128\n"))))
    }))

  it.effect("says nothing where the bound is not known", () =>
    Effect.gen(function*() {
      const error = PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method: "readFileString" })
      const nothing = FileSystem.layerNoop({ readFileString: () => Effect.fail(error) })
      assert.isTrue(Option.isNone(yield* backlogWarning(4096, 10_000).pipe(Effect.provide(nothing))))
    }))
})
