import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { watchPause } from "../../src/service/PauseWatch.ts"
import { lateClock } from "../support/lateClock.ts"
import { logInto } from "../support/log.ts"

it.effect("a process that was stopped for three seconds or more says for how long, one that is only busy does not", () => {
  const lines: Array<string> = []
  const logger = logInto(lines)
  return Effect.gen(function*() {
    for (const late of [0, 2999, 3000, 12_340]) {
      yield* Effect.provideService(watchPause, Clock.Clock, lateClock(late).clock)
    }
    assert.deepStrictEqual(lines.map((line) => /message=.*/.exec(line)?.[0]), [
      "message=\"the process stood still\" seconds=3",
      "message=\"the process stood still\" seconds=12.3"
    ])
  }).pipe(Effect.provide(logger))
})
