import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { readdirSync, readFileSync } from "node:fs"
import { encodeRequest, encodeResponse } from "../../src/protocol/Encoder.ts"
import { defaultLimits } from "../../src/protocol/Limits.ts"
import { Recorder } from "./recorder.ts"

const folder = new URL("../fixtures/", import.meta.url)
const fixtures = readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder))] as const)
const all = Buffer.concat(fixtures.map(([, octets]) => octets))

const TO = "msrp://r.example.com:1/s;tcp"
const FROM = "msrp://a.example.com:2/a;tcp"
const paths = `To-Path: ${TO}\r\nFrom-Path: ${FROM}\r\n`
const read = (text: string): Recorder => new Recorder().push(Buffer.from(text, "latin1"))
const first = (text: string) => read(text).frames[0]
const problem = (headers: string, method = "SEND"): string | undefined =>
  first(`MSRP abcd ${method}\r\n${headers}-------abcd$\r\n`)?.problem

describe("the examples", () => {
  it("are read as they were written", () => {
    const { broken_, frames } = new Recorder().push(all)
    assert.deepStrictEqual(broken_, [])
    assert.strictEqual(frames.length, fixtures.length)
    assert.isTrue(frames.every((frame) => frame.problem === undefined && frame.flag !== undefined))
  })
  it("R4975-7.1-13: one octet at a time, or cut anywhere, they are the same frames", () => {
    const expected = new Recorder().push(all).seen
    assert.deepStrictEqual(new Recorder().push(all, () => 1).seen, expected)
    for (const [name, octets] of fixtures) {
      const whole = new Recorder().push(octets).seen
      const step = octets.length > 1000 ? 37 : 1
      for (let cut = 1; cut < octets.length; cut += step) {
        let given = 0
        const seen = new Recorder().push(octets, (left) => given++ === 0 ? cut : left).seen
        assert.deepStrictEqual(seen, whole, `${name} cut at ${cut}`)
      }
    }
  })
  it("R4975-7.1-11 R4975-7.1-12: what only looks like an end-line is body", () => {
    const body = (name: string) => new Recorder().push(readFileSync(new URL(name, folder))).frames[0]?.body
    assert.strictEqual(body("X20-03.msrp")?.length, 95)
    assert.strictEqual(body("X20-04.bin")?.length, 38)
    assert.strictEqual(body("X20-05.msrp")?.toString(), "ab")
    assert.strictEqual(new Recorder().push(readFileSync(new URL("X20-05.msrp", folder))).frames[0]?.flag, "+")
  })
  it("R4975-7.1-08: an empty body is not the same as none", () => {
    const body = (name: string) => new Recorder().push(readFileSync(new URL(name, folder))).frames[0]?.body
    assert.strictEqual(body("X20-01.msrp"), undefined)
    assert.strictEqual(body("X20-02.msrp")?.length, 0)
  })
})

describe("properties", () => {
  const message = fc.record({
    body: fc.oneof(
      fc.uint8Array({ maxLength: 6000 }),
      fc.array(fc.constantFrom("\r\n", "-------", "abcd", "$", "+", "\r", "-"), { maxLength: 40 }).map((parts) =>
        Uint8Array.from(Buffer.from(parts.join("")))
      )
    ),
    flag: fc.constantFrom("$" as const, "+" as const, "#" as const),
    range: fc.constantFrom("1-*/*", "1-*/9000", "1-2/2")
  })
  it("R4975-9-09: what the encoder writes, the decoder reads, for any body and any split", () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(4000), { minLength: 1 }),
        (messages, sizes) => {
          const ids = messages.map((_, i) => `zz${i}yxwvut`)
          const octets = Buffer.concat(messages.map(({ body, flag, range }, i) =>
            encodeRequest({
              transactionId: ids[i]!,
              method: "SEND",
              toPath: TO,
              fromPath: FROM,
              headers: [["Message-ID", "msg.1"], ["Byte-Range", range], ["Content-Type", "a/b"]],
              body,
              flag
            })
          ))
          let at = 0
          const { broken_, frames } = new Recorder().push(octets, () => sizes[at++ % sizes.length]!)
          assert.deepStrictEqual(broken_, [])
          assert.deepStrictEqual(
            frames.map((frame) => [frame.transactionId, frame.flag, frame.body?.toString("latin1")]),
            messages.map(({ body, flag }, i) => [ids[i], flag, Buffer.from(body).toString("latin1")])
          )
          assert.isTrue(frames.every((frame) => frame.whole || frame.body!.length > 2048 || frame.range[2] === 9000))
        }
      )
    )
  })
  it("R4975-9-70 R4975-9-74: never throws, loses framing at most once, and the split does not matter", () => {
    const runs = Number(process.env["MSRP_TEST_FUZZ"] ?? 20_000)
    const sample = fixtures.map(([, octets]) => octets).filter(({ length }) => length < 1000)
    const edit = fc.tuple(fc.nat(1000), fc.nat(3), fc.nat(255), fc.nat(40))
    fc.assert(
      fc.property(
        fc.nat(sample.length - 1),
        fc.nat(sample.length - 1),
        fc.array(edit, { maxLength: 4 }),
        fc.integer({ min: 1, max: 60 }),
        (a, b, edits, size) => {
          let octets = Buffer.concat([sample[a]!, sample[b]!])
          for (const [place, kind, octet, length] of edits) {
            const at = place % octets.length
            if (kind === 0) octets[at] = octet
            else if (kind === 1) octets = Buffer.concat([octets.subarray(0, at), octets.subarray(at + length)])
            else if (kind === 2) {
              octets = Buffer.concat([octets.subarray(0, at), Buffer.from([octet]), octets.subarray(at)])
            } else {octets = Buffer.concat([
                octets.subarray(0, at),
                sample[b]!.subarray(0, length * 10),
                octets.subarray(at)
              ])}
            if (octets.length === 0) {
              return
            }
          }
          const whole = new Recorder().push(octets)
          assert.isAtMost(whole.broken_.length, 1)
          assert.deepStrictEqual(new Recorder().push(octets, () => size).seen, whole.seen)
        }
      ),
      { numRuns: runs }
    )
  }, 120_000)
  it("R4975-14.5-01 R4976-9.3-07: what is held between reads is bounded, whatever comes", () => {
    const bound = defaultLimits.headerSection + defaultLimits.nonSendBody + 64
    for (const filler of ["x", "\r\n-------abc", "a: b\r\n", "\r"]) {
      for (
        const start of [
          "MSRP ",
          "MSRP abcd SEND\r\n",
          `MSRP abcd SEND\r\n${paths}Message-ID: msg1\r\nContent-Type: a/b\r\n\r\n`,
          `MSRP abcd AUTH\r\n${paths}Content-Type: a/b\r\n\r\n`
        ]
      ) {
        const recorder = new Recorder().push(Buffer.from(start))
        for (let i = 0; i < 400; i++) {
          recorder.push(Buffer.from(filler.repeat(100)))
          assert.isAtMost(recorder.decoder.held, bound)
        }
      }
    }
  })
})

describe("start lines", () => {
  const good = [
    "MSRP abcd SEND",
    `MSRP ${"a".repeat(32)} SEND`,
    "MSRP 9.-+%= X",
    "MSRP abcd 200",
    "MSRP abcd 200 ",
    "MSRP abcd 200 \u00c3\u00a9"
  ]
  for (const line of good) {
    it(`R4975-9-04 R4975-9-06: ${line}`, () => {
      const id = line.split(" ")[1]!
      assert.strictEqual(first(`${line}\r\n${paths}-------${id}$\r\n`)?.transactionId, id)
    })
  }
  const bad = [
    "msrp abcd SEND",
    "MSRP  abcd SEND",
    "MSRP abc SEND",
    `MSRP ${"a".repeat(33)} SEND`,
    "MSRP .bcd SEND",
    "MSRP ab_d SEND",
    "MSRP ab~d SEND",
    "MSRP ab/d SEND",
    "MSRP abcd Send",
    "MSRP abcd SEND1",
    "MSRP abcd SEND ",
    "MSRP abcd 20",
    "MSRP abcd 2000",
    "MSRP abcd",
    "GET / HTTP/1.1",
    "\u0016\u0003\u0001",
    "SSH-2.0-x",
    "MSRP\tabcd SEND",
    "MSRP abcd 200 a\u0007b"
  ]
  for (const line of bad) {
    it(`R4975-9-01..07 R4975-9-70: ${JSON.stringify(line)} loses framing`, () => {
      const recorder = read(`${line}\r\n${paths}-------abcd$\r\n`)
      assert.strictEqual(recorder.broken_.length, 1)
      assert.strictEqual(recorder.frames.length, 0)
      recorder.push(fixtures[0]![1])
      assert.strictEqual(recorder.frames.length + recorder.broken_.length, 1)
    })
  }
  it("R4975-9-10: stray line ends between frames are skipped", () => {
    const one = `MSRP abcd SEND\r\n${paths}-------abcd$\r\n`
    assert.strictEqual(read(`${one}\r\n\r\n${one}`).frames.length, 2)
  })
})

describe("header sections", () => {
  it("R4975-9-22 R4975-9-23 R4975-12-01: two paths are enough, others may follow in any order", () => {
    assert.strictEqual(problem(paths), undefined)
    assert.strictEqual(problem(`${paths}X-Y: z\r\nByte-Range: 1-0/0\r\nMessage-ID: msg1\r\n`), undefined)
  })
  it("R4975-9-26..28: letter case and further blanks do not matter", () => {
    const frame = first(
      `MSRP abcd SEND\r\nto-path:  ${TO} \r\nFROM-PATH: ${FROM}\r\nFAILURE-REPORT: Partial\r\nmessage-id:  msg1\r\n-------abcd$\r\n`
    )!
    assert.deepStrictEqual([frame.problem, frame.toPath, frame.fromPath, frame.failureReport, frame.messageId], [
      undefined,
      TO,
      FROM,
      "partial",
      "msg1"
    ])
  })
  const bad: Record<string, string> = {
    "R4975-9-21 To-Path not first": `From-Path: ${FROM}\r\nTo-Path: ${TO}\r\n`,
    "R4975-9-21 From-Path missing": `To-Path: ${TO}\r\n`,
    "R4975-9-21 To-Path twice": `To-Path: ${TO}\r\n${paths}`,
    "R4975-9-73 empty From-Path": `To-Path: ${TO}\r\nFrom-Path: \r\n`,
    "R4976-3-01 folding": `${paths}X-A: b\r\n c\r\n`,
    "R4975-9-11 bare LF": `${paths}X-A: b\nX-B: c\r\n`,
    "R4975-9-11 bare CR": `${paths}X-A: b\rX-B: c\r\n`,
    "R4975-9-30 Message-ID too short": `${paths}Message-ID: abc\r\n`,
    "R4975-9-30 Message-ID too long": `${paths}Message-ID: ${"a".repeat(33)}\r\n`,
    "R4975-9-32 Byte-Range *-5/5": `${paths}Byte-Range: *-5/5\r\n`,
    "R4975-9-32 Byte-Range 1-5": `${paths}Byte-Range: 1-5\r\n`,
    "R4975-9-32 Byte-Range 1 - 5/5": `${paths}Byte-Range: 1 - 5/5\r\n`,
    "R4975-9-60 Byte-Range 0": `${paths}Byte-Range: 0-5/5\r\n`,
    "R4975-9-60 Byte-Range backwards": `${paths}Byte-Range: 7-5/9\r\n`,
    "R4975-9-60 Byte-Range of 20 digits": `${paths}Byte-Range: 1-*/10000000000000000000\r\n`,
    "R4975-9-33 Status": `${paths}Status: 000 20\r\n`,
    "R4975-9-34 control character": `${paths}X-A: \u0001\r\n`,
    "R4975-9-36 name of a header": `${paths}1X: a\r\n`,
    "R4975-9-36 blank before the colon": `${paths}X : a\r\n`,
    "R4975-9-38 repeated header": `${paths}Message-ID: msg1\r\nMessage-ID: msg1\r\n`,
    "R4975-9-72 unknown Failure-Report": `${paths}Failure-Report: maybe\r\n`,
    "R4975-9-72 unknown Success-Report": `${paths}Success-Report: maybe\r\n`,
    "R4975-7.1-06 Content-Type without a body": `${paths}Content-Type: a/b\r\n`,
    "R4975-7.1-07 body without Content-Type": `${paths}Message-ID: msg1\r\n\r\nhi\r\n`,
    "R4975-7.1.1-05 body without Message-ID": `${paths}Content-Type: a/b\r\n\r\nhi\r\n`
  }
  for (const [title, headers] of Object.entries(bad)) {
    it(`${title} is malformed, and framing goes on`, () => {
      assert.isString(problem(headers))
      const { frames } = read(`MSRP abcd SEND\r\n${headers}-------abcd$\r\nMSRP efgh SEND\r\n${paths}-------efgh$\r\n`)
      assert.deepStrictEqual([frames.length, frames[1]?.problem], [2, undefined])
    })
  }
})

describe("limits", () => {
  const breaches: Record<string, string> = {
    "start line too long": `MSRP abcd 200 ${"a".repeat(defaultLimits.startLine)}`,
    "header line too long": `MSRP abcd SEND\r\n${paths}X: ${"a".repeat(defaultLimits.headerLine)}`,
    "header section too long": `MSRP abcd SEND\r\n${paths}${`X: ${"a".repeat(4000)}\r\n`.repeat(5)}`,
    "too many headers": `MSRP abcd SEND\r\n${paths}${"X: y\r\n".repeat(defaultLimits.headers)}`
  }
  for (const [reason, text] of Object.entries(breaches)) {
    it(`R4976-9.3-06: ${reason}, with and without an end`, () => {
      assert.deepStrictEqual(read(text).broken_, [reason])
      assert.deepStrictEqual(read(`${text}\r\n-------abcd$\r\n`).broken_, [reason])
    })
  }
  it("R4975-7.1-16: a request that is no SEND is whole up to 10240 octets of body, and passes in parts when much longer", () => {
    for (const [length, whole] of [[10_240, true], [12_000, false]] as const) {
      const octets = encodeRequest({
        transactionId: "abcdefgh",
        method: "REPORT",
        toPath: TO,
        fromPath: FROM,
        headers: [["Content-Type", "a/b"]],
        body: Buffer.alloc(length, 120)
      })
      const { frames } = new Recorder().push(octets, () => 100)
      assert.deepStrictEqual([frames[0]?.body?.length, frames[0]?.whole], [length, whole])
    }
  })
})

describe("hold and resume", () => {
  it("everything behind a frame waits, whatever the split", () => {
    const octets = Buffer.concat([
      fixtures[0]![1],
      encodeResponse({ transactionId: "abcd", status: 200, toPath: TO, fromPath: FROM }),
      fixtures[1]![1]
    ])
    for (const size of [1, 7, 100, octets.length]) {
      const recorder = new Recorder()
      recorder.hold = true
      recorder.push(octets, () => size)
      for (let count = 1; count <= 3; count++) {
        assert.strictEqual(recorder.frames.length, count)
        recorder.decoder.resume()
      }
      assert.deepStrictEqual(recorder.seen, new Recorder().push(octets).seen)
    }
  })
})
