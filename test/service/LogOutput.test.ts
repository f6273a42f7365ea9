import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { PassThrough } from "node:stream"
import { fileSink, LogOutput, MAX_WAITING, type Sink, streamSink, tellLost } from "../../src/service/LogOutput.ts"

const full = () => {
  throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" })
}

/** Tells of lost lines on this output. */
const telling = (output: LogOutput) =>
  tellLost(output).pipe(
    Effect.provide(Logger.layer([Logger.make((entry) => void output.write(`${Logger.formatLogFmt.log(entry)}\n`))]))
  )

describe("LogOutput", () => {
  it.effect("counts what a full disk does not take, and tells it when there is room again, on a line of its own", () =>
    Effect.gen(function*() {
      let room = 15
      let text = ""
      const counters = { lost: 0 }
      const output = new LogOutput(
        fileSink((octets) => {
          if (room === 0) full()
          const n = Math.min(room, octets.length)
          room -= n
          text += octets.toString("utf8", 0, n)
          return n
        }),
        counters
      )
      for (const line of ["0123456789\n", "abcdefghij\n", "never\n"]) output.write(line)
      assert.strictEqual(output.lost, 2)
      yield* telling(output)
      assert.strictEqual(output.lost, 2)
      room = Infinity
      yield* telling(output)
      yield* telling(output)
      output.write("again\n")
      const [whole, half, told, again, ...more] = text.split("\n")
      assert.deepStrictEqual([whole, half, again, more], ["0123456789", "abcd", "again", [""]])
      assert.match(told!, /lost.* lines=2$/)
      assert.strictEqual(output.lost, 0)
      // Also those that were told of, and not the line that tells.
      assert.strictEqual(counters.lost, 2)
    }))

  it.effect("keeps a bound of octets for a reader who does not read, and drops the rest", () =>
    Effect.gen(function*() {
      const reader = new PassThrough({ highWaterMark: 1 })
      const output = new LogOutput(streamSink(reader))
      const line = `${"x".repeat(999)}\n`
      for (let i = 0; i < 3000; i++) output.write(line)
      assert.isAtMost(output.waiting, MAX_WAITING)
      assert.isAbove(output.waiting, MAX_WAITING - 2 * line.length)
      const { lost } = output
      assert.approximately(lost, 3000 - MAX_WAITING / 1000, 3)
      let read = 0
      reader.on("data", (octets: Buffer) => read += octets.length)
      yield* Effect.promise(() => new Promise(setImmediate))
      yield* telling(output)
      yield* Effect.promise(() => new Promise(setImmediate))
      assert.strictEqual(output.lost, 0)
      assert.isAbove(read, (3000 - lost) * line.length)
    }))

  it("goes on when the reader is gone", () => {
    const gone: Sink = { waiting: 0, write: (_, done) => done(new Error("EPIPE")) }
    const output = new LogOutput(gone)
    output.write("one\n")
    output.write("two\n")
    assert.strictEqual(output.lost, 2)
  })
})
