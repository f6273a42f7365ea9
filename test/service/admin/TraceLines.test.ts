/** What the admin API streams of a trace that cannot begin, or breaks. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { TooManyTraces } from "../../../src/Relay.ts"
import { traceLines } from "../../../src/service/admin/TraceLines.ts"

/** What is streamed, and how many lines are logged. */
const outcome = Effect.fnUntraced(function*(frames: Stream.Stream<number, TooManyTraces>) {
  let logged = 0
  const lines = yield* Stream.runCollect(traceLines(frames, () => Effect.sync(() => void logged++)))
  return { lines: [...lines], logged }
})

it.effect("one trace too many is empty, and no defect", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* outcome(Stream.fail(new TooManyTraces({ limit: 16 }))), { lines: [], logged: 0 })
  }))

it.effect("a defect ends it, and is logged", () =>
  Effect.gen(function*() {
    const broken = Stream.concat(Stream.make(1), Stream.die(new Error("a frame")))
    assert.deepStrictEqual(yield* outcome(broken), { lines: [1], logged: 1 })
  }))
