import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { PassThrough, Writable } from "node:stream"
import { jsonLine, show } from "../../../src/service/trace/Show.ts"
import { TraceFrame } from "../../../src/trace/TraceFrame.ts"
import { until } from "../../support/harness.ts"

const frame: TraceFrame = {
  time: 1_313_440_459_120,
  direction: "in",
  connection: 7,
  transport: "tcp",
  remote: "192.0.2.7:49152",
  local: "198.51.100.1:2855",
  part: "frame",
  startLine: "MSRP a786hjs2 SEND",
  headers: ["Message-ID: caf\u00e9"],
  octets: 6,
  flag: "$"
}

const collected = () => {
  const text: Array<string> = []
  const output = new Writable({
    write: (octets: Buffer, _, done) => {
      text.push(octets.toString())
      done()
    }
  })
  return { text, output }
}

describe("showing a trace", () => {
  it.effect("as JSON, a line is a frame again", () =>
    Effect.gen(function*() {
      const { output, text } = collected()
      yield* show(Stream.make(frame, frame), { json: true, output })
      assert.deepStrictEqual(text, [jsonLine(frame), jsonLine(frame)])
      assert.deepStrictEqual(yield* Schema.decodeUnknownEffect(Schema.fromJsonString(TraceFrame))(text[0]!), frame)
    }))

  it.effect("has colours on a terminal only", () =>
    Effect.gen(function*() {
      const [file, terminal] = [collected(), collected()]
      yield* show(Stream.make(frame), { brief: true, output: file.output })
      yield* show(Stream.make(frame), { brief: true, output: Object.assign(terminal.output, { isTTY: true }) })
      assert.notInclude(file.text.join(""), "\u001b")
      assert.include(file.text.join(""), "--> SEND (6 octets)")
      if ((process.env["NO_COLOR"] ?? "") === "") assert.include(terminal.text.join(""), "\u001b")
    }))

  it.effect("waits for who reads it", () =>
    Effect.gen(function*() {
      const output = new PassThrough({ highWaterMark: 10 })
      let taken = 0
      const frames = Stream.tap(Stream.make(frame, frame, frame).pipe(Stream.rechunk(1)), () =>
        Effect.sync(() => taken++))
      const fiber = yield* Effect.forkChild(show(frames, { json: true, output }))
      let turns = 0
      yield* until(() =>
        turns++ > 20
      )
      assert.strictEqual(taken, 1)
      output.resume()
      yield* Fiber.join(fiber)
      assert.strictEqual(taken, 3)
    }))

  it.effect("ends when nobody reads it any more", () =>
    Effect.gen(function*() {
      let written = 0
      const output = new Writable({
        write: (_octets, _encoding, done) => done(++written === 2 ? new Error("EPIPE") : null)
      })
      yield* show(Stream.forever(Stream.tap(Stream.make(frame), () => Effect.yieldNow)), { output })
      assert.strictEqual(written, 2)
      assert.isTrue(output.destroyed)
    }))
})
