import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { enabling, LiveLevel, LogLevels } from "../../src/logging/LogLevels.ts"

it.effect("what is asked before a line is made follows the level of the program", () =>
  Effect.gen(function*() {
    const live = new LiveLevel("Info")
    const isDebug = yield* enabling("Debug").pipe(Effect.provideService(LogLevels, live))
    assert.isFalse(isDebug())
    live.level = "Debug"
    assert.isTrue(isDebug())
    live.level = "None"
    assert.isFalse(live.enables("Fatal"))
  }))

it.effect("without one it is that of the fiber", () =>
  Effect.gen(function*() {
    const asked = (level: "Info" | "Debug") =>
      Effect.map(enabling("Debug"), (isDebug) => isDebug()).pipe(
        Effect.provideService(References.MinimumLogLevel, level)
      )
    assert.deepStrictEqual([yield* asked("Info"), yield* asked("Debug")], [false, true])
  }))
