import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { zeroCounters } from "../../../src/relay/Counters.ts"
import { troubleLog } from "../../../src/relay/edge/TroubleLog.ts"

it.effect("each run logs by how much the counters have grown since the run before, and nothing if none has", () => {
  const lines: Array<unknown> = []
  const logger = Logger.make(({ fiber }) => void lines.push({ ...fiber.getRef(References.CurrentLogAnnotations) }))
  const counters = zeroCounters()
  const run = troubleLog(counters)
  return Effect.gen(function*() {
    yield* run
    counters.failedAuths = 3
    counters.connectionsAccepted = 9
    yield* run
    yield* run
    counters.failedAuths = 5
    counters.dialsForbidden = 1
    yield* run
    assert.deepStrictEqual(lines, [{ failedAuths: 3 }, { dialsForbidden: 1, failedAuths: 2 }])
  }).pipe(Effect.provide(Logger.layer([logger])))
})
