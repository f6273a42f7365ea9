import * as Effect from "effect/Effect"
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict"
import { Codec, type FrameSink, type Head } from "../Codec.ts"
import { type Contract, limited } from "./Contract.ts"

/** Records the calls of a decoder as text; the pieces of a chunk are joined. */
class RecordingSink implements FrameSink {
  readonly frames: Array<string> = []
  broken_ = 0
  holds = false
  skips = false
  skipped = 0
  #chunk = ""
  #inside = false

  frame(head: Head, bodyStart: number, bodyEnd: number, flag: string): boolean {
    ok(!this.#inside && this.broken_ === 0, "a frame where none can be")
    this.frames.push(`${wordsOf(head)} ${head.buf.toString("latin1", bodyStart, bodyEnd)}${flag}`)
    return !this.holds
  }

  chunkStart(head: Head): void {
    ok(!this.#inside && this.broken_ === 0, "a chunk where none can be")
    this.#inside = true
    this.#chunk = `${wordsOf(head)} `
  }

  chunkBody(buf: Buffer, start: number, end: number): void {
    ok(this.#inside, "a body of no chunk")
    this.#chunk += buf.toString("latin1", start, end)
  }

  chunkEnd(flag: string): void {
    this.#inside = false
    this.frames.push(this.#chunk + flag)
  }

  overLimit(): boolean {
    if (this.skips) this.skipped++
    return this.skips
  }

  broken(): void {
    this.broken_++
  }
}

const wordsOf = ({ fromPath, method, status, toPath, transactionId }: Head): string =>
  `${transactionId} ${method}${status} ${toPath} ${fromPath}`

const to = "msrp://relay.example.com:2855/abcdef;tcp"
const from = "msrp://party.invalid:9/ghijkl;tcp"

const send = (codec: Codec["Service"], n: number, length: number): Buffer =>
  codec.request({
    transactionId: `transaction${n}`,
    method: "SEND",
    toPath: to,
    fromPath: from,
    headers: [
      ["Message-ID", `message${n}`],
      ["Byte-Range", `1-${length}/${length}`],
      ["Content-Type", "text/plain"]
    ],
    body: Buffer.alloc(length, "a-\r\n")
  })

const stream = (codec: Codec["Service"]): Buffer =>
  Buffer.concat([
    send(codec, 1, 10),
    codec.response({ transactionId: "transaction1", status: 200, comment: "OK", toPath: to, fromPath: from }),
    send(codec, 2, 20_000),
    codec.request({
      transactionId: "transaction3",
      method: "REPORT",
      toPath: to,
      fromPath: from,
      headers: [["Message-ID", "message2"], ["Status", "000 413 Too large"]]
    }),
    codec.request({ transactionId: "transaction4", method: "SEND", toPath: to, fromPath: from, flag: "#" })
  ])

const decode = (codec: Codec["Service"], octets: Buffer, size: number): RecordingSink => {
  const told = new RecordingSink()
  const decoder = codec.decoder(told)
  for (let at = 0; at < octets.length; at += size) {
    // A transport reuses its buffer as soon as the call is over.
    const part = Buffer.from(octets.subarray(at, at + size))
    decoder.push(part)
    part.fill("!")
  }
  return told
}

/**
 * Tests the contract of a `Codec`.
 *
 * @category testing
 * @since 0.2.0
 */
export const codecContract: Contract<Codec> = limited([
  {
    title: "reads what it writes, whatever it is split into",
    run: Effect.gen(function*() {
      const codec = yield* Codec
      const octets = stream(codec)
      const whole = decode(codec, octets, octets.length)
      strictEqual(whole.frames.length, 5)
      strictEqual(whole.broken_, 0)
      strictEqual(whole.frames[1], `transaction1 200 ${to} ${from} $`)
      ok(whole.frames[2]!.length > 20_000, "a body is not whole")
      ok(whole.frames[4]!.endsWith("#"), "the flag of a chunk is another one")
      const text = octets.toString("latin1")
      ok(text.includes("MSRP transaction1 200 OK\r\n"), "the comment of a response is missing")
      ok(text.includes("\r\nStatus: 000 413 Too large\r\n"), "a header of a request is missing")
      for (const size of [1, 2, 7, 64, 1000, 4096]) deepStrictEqual(decode(codec, octets, size).frames, whole.frames)
    })
  },
  {
    title: "holds back what is behind a frame, when it is told to, until it goes on",
    run: Effect.gen(function*() {
      const codec = yield* Codec
      const told = new RecordingSink()
      told.holds = true
      const decoder = codec.decoder(told)
      decoder.push(Buffer.concat([send(codec, 1, 10), send(codec, 2, 10)]))
      strictEqual(told.frames.length, 1)
      ok(decoder.held > 0, "nothing is held")
      decoder.resume()
      strictEqual(told.frames.length, 2)
      told.holds = false
      decoder.resume()
      decoder.hold()
      decoder.push(send(codec, 3, 10))
      strictEqual(told.frames.length, 2, "hold does not hold back what comes")
      decoder.resume()
      strictEqual(told.frames.length, 3)
    })
  },
  {
    title: "reads each connection by itself",
    run: Effect.gen(function*() {
      const codec = yield* Codec
      const octets = stream(codec)
      const whole = decode(codec, octets, octets.length)
      const told = [new RecordingSink(), new RecordingSink()]
      const decoders = told.map((sink) => codec.decoder(sink))
      for (let at = 0; at < octets.length; at += 1000) {
        for (const decoder of decoders) decoder.push(Buffer.from(octets.subarray(at, at + 1000)))
      }
      for (const { frames } of told) deepStrictEqual(frames, whole.frames)
    })
  },
  {
    title: "says once that what comes is no MSRP, throws at none of it, and keeps no more than it may",
    run: Effect.gen(function*() {
      const codec = yield* Codec
      const { headerSection, nonSendBody } = codec.limits
      const garbage = [
        Buffer.from("GET / HTTP/1.1\r\n\r\n"),
        Buffer.alloc(1_000_000, 0),
        Buffer.alloc(1_000_000, "MSRP "),
        Buffer.from("MSRP abcdefg SEND\r\nX: y\r\n".repeat(2)),
        Buffer.concat([Buffer.from("MSRP abcdefg SEND\r\n"), Buffer.alloc(1_000_000, "X: y\r\n")])
      ]
      for (const octets of garbage) {
        const told = new RecordingSink()
        const decoder = codec.decoder(told)
        for (let at = 0; at < octets.length; at += 1000) decoder.push(octets.subarray(at, at + 1000))
        strictEqual(told.frames.length, 0)
        ok(told.broken_ <= 1, "told more than once")
        ok(told.broken_ === 1 || octets.length < 100, `not told of ${octets.toString("latin1", 0, 30)}`)
        ok(decoder.held <= headerSection + nonSendBody, "it keeps too much")
      }
    })
  },
  {
    title: "skips a frame whose header section is too long, if it is told to",
    run: Effect.gen(function*() {
      const codec = yield* Codec
      const told = new RecordingSink()
      told.skips = true
      const headers = "X: y\r\n".repeat(codec.limits.headerSection / 6 + 1)
      const paths = `To-Path: ${to}\r\nFrom-Path: ${from}\r\n`
      const long = Buffer.from(`MSRP transaction0 SEND\r\n${paths}${headers}-------transaction0$\r\n`)
      codec.decoder(told).push(Buffer.concat([long, send(codec, 1, 10)]))
      strictEqual(told.skipped, 1, "the sink was not asked")
      strictEqual(told.broken_, 0)
      strictEqual(told.frames.length, 1)
    })
  },
  {
    title: "lets no text end its line",
    run: Effect.gen(function*() {
      const codec = yield* Codec
      const octets = codec.response({
        transactionId: "transaction1",
        status: 403,
        comment: "no\r\nUse-Path: x",
        toPath: to,
        fromPath: from,
        headers: [["X-One", "a\r\nX-Two: b"]]
      })
      const asked = codec.request({
        transactionId: "transaction1",
        method: "SEND",
        toPath: to,
        fromPath: from,
        headers: [["X-One", "a\r\nX-Two: b"], ["Content-Type", "text/plain\r\nX-Two: b"]],
        body: Buffer.from("a")
      })
      for (const frame of [octets, asked]) {
        ok(!/\n(?:Use-Path|X-Two)/.test(frame.toString("latin1")), "a header of somebody else's")
      }
    })
  },
  {
    title: "says nothing after its end",
    run: Effect.gen(function*() {
      const codec = yield* Codec
      const told = new RecordingSink()
      told.holds = true
      const decoder = codec.decoder(told)
      decoder.push(Buffer.concat([send(codec, 1, 10), send(codec, 2, 10)]))
      decoder.stop()
      decoder.resume()
      decoder.push(send(codec, 3, 10))
      strictEqual(told.frames.length, 1)
    })
  }
])
