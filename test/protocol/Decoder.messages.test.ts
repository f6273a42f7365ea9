/** The decoder on a transport that carries messages, each of which is one frame. */
import { assert, describe, it } from "vitest"
import { example, examples } from "./examples.ts"
import { Recorder } from "./recorder.ts"

/** One message in these parts, of which the last one ends it. */
const message = (recorder: Recorder, ...parts: ReadonlyArray<Buffer>): Recorder => {
  for (const [i, part] of parts.entries()) recorder.decoder.push(Buffer.from(part), i === parts.length - 1)
  return recorder
}

const TO = "msrp://r.example.com:1/s;tcp"
const FROM = "msrp://a.example.com:2/a;tcp"
const send = (body: string, id = "abcd"): Buffer =>
  Buffer.from(
    `MSRP ${id} SEND\r\nTo-Path: ${TO}\r\nFrom-Path: ${FROM}\r\nMessage-ID: msg1\r\nByte-Range: 1-*/*\r\n` +
      `Content-Type: a/b\r\n\r\n${body}\r\n-------${id}$\r\n`
  )
const ok = Buffer.from(`MSRP abcd 200 OK\r\nTo-Path: ${TO}\r\nFrom-Path: ${FROM}\r\n-------abcd$\r\n`)
const NOTHING = Buffer.alloc(0)
const MORE = "more than a frame in a message"
const LESS = "not a whole frame in a message"

/** All frames, with how much of each came in what way. */
const seen = ({ frames }: Recorder) =>
  frames.map(({ body, flag, transactionId }) => [transactionId, flag, body?.toString("latin1")])

describe("messages", () => {
  it("R7977-5.1-02 R7977-5.1-04: a message in any two parts, the end known with the last or behind it, is its frame", () => {
    const fixtures = [...examples.map(({ file }) => example(file)), send("x".repeat(5000)), send("-".repeat(3000)), ok]
    for (const octets of fixtures.filter(({ length }) => length < 8000)) {
      const whole = new Recorder().push(octets)
      for (let cut = 0; cut <= octets.length; cut++) {
        const parts = [octets.subarray(0, cut), octets.subarray(cut)]
        for (const all of [parts, [...parts, NOTHING]]) {
          const recorder = message(new Recorder(), ...all)
          assert.deepStrictEqual(seen(recorder), seen(whole), `cut at ${cut}`)
          assert.deepStrictEqual(recorder.broken_, [])
          assert.strictEqual(recorder.decoder.held, 0)
        }
      }
    }
  })

  it("R7977-5.1-03: two frames in a message, or octets behind one, lose the connection, and nothing of it is a frame", () => {
    for (const rest of [ok, Buffer.from("\r\n"), Buffer.from("M")]) {
      for (const octets of [ok, send("hi")]) {
        const both = Buffer.concat([octets, rest])
        for (const cut of [0, 10, octets.length, both.length - 1]) {
          const recorder = message(new Recorder(), both.subarray(0, cut), both.subarray(cut))
          assert.deepStrictEqual(recorder.broken_, [MORE], `cut at ${cut}`)
          assert.deepStrictEqual(recorder.frames, [])
        }
      }
    }
  })

  it("R7977-5.1-03: of a long chunk with octets behind it nobody sees the end", () => {
    const octets = send("x".repeat(5000))
    const recorder = message(new Recorder(), octets.subarray(0, 3000), Buffer.concat([octets.subarray(3000), ok]))
    assert.deepStrictEqual(recorder.broken_, [MORE])
    assert.isTrue(recorder.frames.every(({ flag }) => flag === undefined))
  })

  it("R7977-5.1-03: half a frame in a message loses the connection", () => {
    for (const octets of [ok, send("hi"), send("x".repeat(5000))]) {
      for (const cut of [1, 10, Math.floor(octets.length / 2), octets.length - 1]) {
        const recorder = message(new Recorder(), octets.subarray(0, cut))
        assert.deepStrictEqual(recorder.broken_, [LESS], `cut at ${cut}`)
      }
    }
  })

  it("a message of nothing, or of line ends, is let pass", () => {
    const recorder = new Recorder()
    for (const text of ["", "\r\n", "\r\n\r\n"]) message(recorder, Buffer.from(text))
    message(recorder, ok)
    assert.deepStrictEqual(recorder.broken_, [])
    assert.lengthOf(recorder.frames, 1)
  })

  it("what is held back goes on when the sink wants it, with its end", () => {
    const recorder = new Recorder()
    recorder.decoder.hold()
    message(recorder, send("hi"))
    assert.deepStrictEqual(recorder.frames, [])
    recorder.decoder.resume()
    assert.lengthOf(recorder.frames, 1)
    message(recorder, ok)
    assert.lengthOf(recorder.frames, 2)
  })
})
