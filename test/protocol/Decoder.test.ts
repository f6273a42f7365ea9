import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { createHash } from "node:crypto"
import { Decoder } from "../../src/protocol/Decoder.ts"
import { encodeRequest, encodeResponse } from "../../src/protocol/Encoder.ts"
import { defaultFrameLimits, type FrameLimits, INTERRUPTIBLE_ABOVE } from "../../src/protocol/FrameLimits.ts"
import { example, examples } from "./examples.ts"
import { Recorder } from "./recorder.ts"

const fixtures = examples.map(({ file }) => [file, example(file)] as const)
const all = Buffer.concat(fixtures.map(([, octets]) => octets))

const TO = "msrp://r.example.com:1/s;tcp"
const FROM = "msrp://a.example.com:2/a;tcp"
const paths = `To-Path: ${TO}\r\nFrom-Path: ${FROM}\r\n`
const read = (text: string): Recorder => new Recorder().push(Buffer.from(text, "latin1"))
const first = (text: string) => read(text).frames[0]
const problem = (headers: string, method = "SEND"): string | undefined =>
  first(`MSRP abcd ${method}\r\n${headers}-------abcd$\r\n`)?.problem

/** A SEND with a body. */
const send = (body: string, { flag = "$", id = "abcd", range = "1-*/*" } = {}): string =>
  `MSRP ${id} SEND\r\n${paths}Message-ID: msg1\r\nByte-Range: ${range}\r\nContent-Type: a/b\r\n\r\n${body}\r\n-------${id}${flag}\r\n`

/** The same is seen when the octets come in two parts, cut anywhere, and one by one; it is what is seen of the whole. */
const anySplit = (text: string | Buffer, limits?: FrameLimits): Recorder => {
  const octets = typeof text === "string" ? Buffer.from(text, "latin1") : text
  const whole = new Recorder(limits).push(octets)
  const check = (name: string, sizes: () => number): void => {
    const parts = new Recorder(limits).push(octets, sizes)
    assert.deepStrictEqual(parts.seen, whole.seen, name)
    assert.strictEqual(parts.decoder.held, whole.decoder.held, name)
    for (const { body, range, whole: inOne } of parts.frames) {
      const announced = Math.max(range[1] ?? -1, range[1] === -1 ? range[2]! : -1) - (range[0] ?? 1) + 1
      if ((body?.length ?? 0) <= INTERRUPTIBLE_ABOVE && announced <= INTERRUPTIBLE_ABOVE) assert.isTrue(inOne, name)
    }
  }
  check("one by one", () => 1)
  for (let cut = 1; cut < octets.length; cut++) {
    let given = 0
    check(`cut at ${cut}`, () => given++ === 0 ? cut : octets.length)
  }
  return whole
}

describe("the examples", () => {
  it("are the octets that they were", () => {
    for (const { file, octets, sha256 } of examples) {
      const content = example(file)
      assert.strictEqual(content.length, octets, file)
      assert.strictEqual(createHash("sha256").update(content).digest("hex"), sha256, file)
    }
  })
  it("are read as they were written", () => {
    const { broken_, frames } = new Recorder().push(all)
    assert.deepStrictEqual(broken_, [])
    assert.deepStrictEqual(
      frames.map(({ body, comment, flag, method, problem, rest, status, transactionId }, i) => ({
        start: `MSRP ${transactionId} ${method === "" ? `${status} ${comment}` : method}`,
        headers: 2 + rest.split("\r\n").length - 1,
        body: body?.length ?? null,
        flag,
        problem,
        file: examples[i]!.file
      })),
      examples.map(({ body, file, flag, headers, start }) => ({
        start,
        headers,
        body,
        flag: flag as "$",
        problem: undefined,
        file
      }))
    )
  })
  it("R4975-7.1-13: one octet at a time, or cut anywhere, they are the same frames", () => {
    assert.deepStrictEqual(new Recorder().push(all, () => 1).seen, new Recorder().push(all).seen)
    for (const [, octets] of fixtures) if (octets.length < 1000) anySplit(octets)
  })
  it("R4975-7.1-13: long ones, too, cut at random", () => {
    for (const [name, octets] of fixtures) {
      if (octets.length < 1000) continue
      const whole = new Recorder().push(octets).seen
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1 }), (sizes) => {
          let at = 0
          assert.deepStrictEqual(new Recorder().push(octets, () => sizes[at++ % sizes.length]!).seen, whole, name)
        })
      )
    }
  })
  it("R4975-7.1-11 R4975-7.1-12: what only looks like an end-line is body", () => {
    const body = (name: string) => new Recorder().push(example(name)).frames[0]?.body
    assert.strictEqual(body("X20-03.msrp")?.length, 95)
    assert.strictEqual(body("X20-04.bin")?.length, 38)
    assert.strictEqual(body("X20-05.msrp")?.toString(), "ab")
    assert.strictEqual(new Recorder().push(example("X20-05.msrp")).frames[0]?.flag, "+")
  })
  it("R4975-7.1-08: an empty body is not the same as none", () => {
    const body = (name: string) => new Recorder().push(example(name)).frames[0]?.body
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
  it("R4975-7.1-11 R4975-7.1-12: a body ends at the first end-line of its own id, with CRLF on both sides", () => {
    const id = "zz.+wv+"
    const parts = fc.array(
      fc.constantFrom(
        "\r\n",
        "-------",
        id,
        "$",
        "+",
        "#",
        "\r",
        "\n",
        "-",
        "zzz+wv+",
        "x",
        "x".repeat(100),
        "y".repeat(900)
      ),
      { maxLength: 30 }
    )
    fc.assert(
      fc.property(parts, fc.constantFrom("$", "+", "#"), fc.integer({ min: 1, max: 300 }), (parts, flag, size) => {
        const octets = send(parts.join(""), { id, flag })
        const bodyStart = octets.indexOf("\r\n\r\n") + 4
        // Where a body would begin, an end-line may stand at once: then there is none.
        const end = /(?:\r\n|^)-------zz\.\+wv\+([$+#])\r\n/.exec(octets.slice(bodyStart))!
        const body = end[0].startsWith("\r\n") ? octets.slice(bodyStart, bodyStart + end.index) : undefined
        const [frame] = new Recorder().push(Buffer.from(octets, "latin1"), () => size).frames
        assert.strictEqual(frame?.body?.toString("latin1"), body)
        assert.strictEqual(frame?.flag, end[1])
        assert.strictEqual(frame?.problem, undefined)
      }),
      { numRuns: 1000 }
    )
  })
  it("R4975-14.5-01 R4976-9.3-07: what is held between reads is bounded, whatever comes", () => {
    const bound = defaultFrameLimits.headerSection + defaultFrameLimits.nonSendBody + 64
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
    "MSRP abcd 999 x",
    "MSRP abcd 180 Ringing",
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
  it("R4975-9-26: blanks around a value are not part of it, nor is the last octet of a character", () => {
    let values: Array<string> = []
    const recorder = new Recorder()
    recorder.look = (head) => {
      values = [...head.headers("X-A"), head.header("x-b") ?? "none"]
    }
    // In UTF-8 this ends in an octet that is a blank in Latin-1.
    const accented = Buffer.from("voil\u00e0").toString("latin1")
    const octets =
      `MSRP abcd SEND\r\n${paths}X-A: \t ${accented} \t\r\nx-a:\r\nX-AB: no\r\nX-A: a: b\r\n-------abcd$\r\n`
    recorder.push(Buffer.from(octets, "latin1"))
    assert.deepStrictEqual(values, [accented, "", "a: b", "none"])
  })
  it("R4975-9-31 R4975-9-08: ids keep their letter case", () => {
    const { frames } = read(["a", "A"].map((x) => send("", { id: `${x}bcd` }).replace("msg1", `${x}sg1`)).join(""))
    assert.deepStrictEqual(frames.map((frame) => [frame.transactionId, frame.messageId]), [
      ["abcd", "asg1"],
      ["Abcd", "Asg1"]
    ])
  })
  const good: Record<string, string> = {
    "R4975-9-34 HTAB and UTF-8": "X-A: a\tb \u00c3\u00a9\r\n",
    "R4975-9-35 what is no UTF-8": "X-A: \u00ff\u00fe\u00c0\u0080\u00f8\r\n",
    "R4975-9-36 all octets of a token": "X!#$%&'*+-.^_`|~{}09az: b\r\n",
    "R4975-9-30 Message-ID of 4": "Message-ID: a.%=\r\n",
    "R4975-9-30 Message-ID of 32": `Message-ID: ${"a".repeat(32)}\r\n`,
    "R4975-9-33 Status": "Status: 000 200\r\n",
    "R4975-9-33 Status with comment": "Status: 000 408 too late\r\n",
    "R4975-7.1.3-01 Status of another namespace": "Status: 123 999\r\n",
    "R4975-9-38 repeated WWW-Authenticate": "WWW-Authenticate: Digest a\r\nWWW-Authenticate: Digest b\r\n",
    "R4975-12-01 unknown headers, repeated": "X-A: b\r\nX-A: b\r\n",
    "R4976-6.4-01 Message-ID of others": "Message-ID: 8d3e4a5c-6c5f-4a3a-9d0e-5a4c1f5b7e21\r\n",
    "R4976-6.4-01 short Message-ID with any sign": "Message-ID: <\r\n",
    "R4976-6.4-01 Message-ID as long as it may be": `Message-ID: ${"~".repeat(255)}\r\n`,
    "R4976-6.4-01 Content-Type without a body": "Content-Type: a/b\r\n",
    "R4975-12-02 Byte-Range and Message-ID": "Message-ID: msg1\r\nByte-Range: 1-2/3\r\n"
  }
  for (const [title, headers] of Object.entries(good)) {
    it(`${title} is well-formed and unchanged, in requests and responses`, () => {
      for (const start of ["REPORT", "200 OK"]) {
        const { frames: [frame] } = anySplit(`MSRP abcd ${start}\r\n${paths}${headers}-------abcd$\r\n`)
        assert.deepStrictEqual([frame?.problem, frame?.rest, frame?.flag], [undefined, headers, "$"])
      }
    })
  }
  it("R4975-9-39: what Content-Type says is not looked at", () => {
    const text = send("hi").replace("Content-Type: a/b", "Content-Type: text/plain; charset=UTF-8")
    assert.isUndefined(first(text)?.problem)
  })
  it("R4975-9-28: report headers in any letter case", () => {
    const reports = (headers: string) => {
      const frame = first(`MSRP abcd SEND\r\n${paths}${headers}-------abcd$\r\n`)
      return [frame?.failureReport, frame?.successReport, frame?.problem]
    }
    assert.deepStrictEqual(reports(""), ["yes", false, undefined])
    assert.deepStrictEqual(reports("Success-Report: YES\r\nFailure-Report: nO\r\n"), ["no", true, undefined])
    assert.deepStrictEqual(reports("success-report: No\r\nFailure-Report: YES\r\n"), ["yes", false, undefined])
  })
  it("R4975-10.2-01: what can be read of a malformed section is there", () => {
    const frame = first(`MSRP abcd SEND\r\n${paths}Bad\r\nFailure-Report: no\r\n-------abcd$\r\n`)!
    assert.deepStrictEqual([frame.toPath, frame.fromPath, frame.failureReport], [TO, FROM, "no"])
  })
  it("R4975-9-71: what is missing is not taken from the frame before", () => {
    const before = `MSRP abcd 481 gone\r\n${paths}X-A: before\r\n-------abcd$\r\n`
    const frame = read(`${before}MSRP efgh SEND\r\nX-B: c\r\n-------efgh$\r\n`).frames[1]!
    assert.deepStrictEqual(
      [frame.comment, frame.status, frame.toPath, frame.fromPath, frame.rest, frame.messageId],
      ["", 0, "", "", "", undefined]
    )
  })
  it("R4976-6.4.3-20 R4975-7.2-02: a response with a body is malformed, and framing goes on", () => {
    const response = send("hi").replace("SEND", "200 OK").replace("Message-ID: msg1\r\n", "")
    const { broken_, frames } = anySplit(response + send("hi", { id: "efgh" }))
    assert.deepStrictEqual([broken_.length, frames[0]?.problem, frames[1]?.problem], [
      0,
      "body in a response",
      undefined
    ])
  })
  it("R4975-7.2-02 R4975-7.1-15: any flag is handed over, of whatever frame", () => {
    for (const start of ["SEND", "REPORT", "AUTH", "NICKNAME", "FILE_OFFSET", "200 OK"]) {
      for (const flag of ["$", "+", "#"]) {
        assert.strictEqual(first(`MSRP abcd ${start}\r\n${paths}-------abcd${flag}\r\n`)?.flag, flag as "$")
      }
    }
  })
  const bad: Record<string, string> = {
    "R4975-9-21 To-Path not first": `From-Path: ${FROM}\r\nTo-Path: ${TO}\r\n`,
    "R4975-9-21 From-Path missing": `To-Path: ${TO}\r\n`,
    "R4975-9-21 To-Path twice": `To-Path: ${TO}\r\n${paths}`,
    "R4975-9-73 empty From-Path": `To-Path: ${TO}\r\nFrom-Path: \r\n`,
    "R4976-3-01 folding": `${paths}X-A: b\r\n c\r\n`,
    "R4975-9-11 bare LF": `${paths}X-A: b\nX-B: c\r\n`,
    "R4975-9-11 bare CR": `${paths}X-A: b\rX-B: c\r\n`,
    "R4976-9.3-06 Message-ID too long": `${paths}Message-ID: ${"a".repeat(256)}\r\n`,
    "R4975-9-72 empty Message-ID": `${paths}Message-ID: \r\n`,
    "R4975-9-32 Byte-Range *-5/5": `${paths}Byte-Range: *-5/5\r\n`,
    "R4975-9-32 Byte-Range 1-5": `${paths}Byte-Range: 1-5\r\n`,
    "R4975-9-32 Byte-Range 1 - 5/5": `${paths}Byte-Range: 1 - 5/5\r\n`,
    "R4975-9-60 Byte-Range 0": `${paths}Byte-Range: 0-5/5\r\n`,
    "R4975-9-60 Byte-Range backwards": `${paths}Byte-Range: 7-5/9\r\n`,
    "R4975-9-32 Byte-Range 1-/5": `${paths}Byte-Range: 1-/5\r\n`,
    "R4975-9-32 Byte-Range 1-5/": `${paths}Byte-Range: 1-5/\r\n`,
    "R4975-9-32 Byte-Range 1-**/5": `${paths}Byte-Range: 1-**/5\r\n`,
    "R4975-9-32 Byte-Range 1-5/5x": `${paths}Byte-Range: 1-5/5x\r\n`,
    "R4975-9-32 Byte-Range -1-5/5": `${paths}Byte-Range: -1-5/5\r\n`,
    "R4975-9-32 empty Byte-Range": `${paths}Byte-Range:\r\n`,
    "R4975-9-60 Byte-Range that starts with 20 digits": `${paths}Byte-Range: 10000000000000000000-*/*\r\n`,
    "R4975-9-60 Byte-Range of 20 digits": `${paths}Byte-Range: 1-*/10000000000000000000\r\n`,
    "R4975-9-72 Message-ID with a blank": `${paths}Message-ID: ab cd\r\n`,
    "R4975-9-33 Status": `${paths}Status: 000 20\r\n`,
    "R4975-9-33 Status without namespace": `${paths}Status: 200 OK\r\n`,
    "R4975-9-33 Status of four digits": `${paths}Status: 000 2000\r\n`,
    "R4975-9-34 control character": `${paths}X-A: \u0001\r\n`,
    "R4975-9-34 NUL": `${paths}X-A: \u0000\r\n`,
    "R4975-9-34 DEL": `${paths}X-A: \u007f\r\n`,
    "R4975-9-36 name of a header": `${paths}1X: a\r\n`,
    "R4975-9-36 blank before the colon": `${paths}X : a\r\n`,
    "R4975-9-36 no colon": `${paths}X\r\n`,
    "R4975-9-36 no name": `${paths}: a\r\n`,
    "R4975-9-36 hyphens that are no end-line": `${paths}-------abce$\r\n`,
    "R4975-9-21 From-Path not second": `To-Path: ${TO}\r\nX-A: b\r\nFrom-Path: ${FROM}\r\n`,
    "R4975-9-21 From-Path twice": `${paths}From-Path: ${FROM}\r\n`,
    "R4975-9-21 no headers": "",
    "R4975-9-73 empty To-Path": `To-Path: \r\nFrom-Path: ${FROM}\r\n`,
    "R4976-3-01 folding with HTAB": `${paths}X-A: b\r\n\tc\r\n`,
    "R4976-3-01 folding of To-Path": `To-Path: ${TO}\r\n ${TO}\r\nFrom-Path: ${FROM}\r\n`,
    "R4975-9-38 repeated Message-ID": `${paths}Message-ID: msg1\r\nMessage-ID: msg1\r\n`,
    "R4975-9-38 repeated Byte-Range": `${paths}Byte-Range: 1-0/0\r\nByte-Range: 1-0/0\r\n`,
    "R4975-9-38 repeated Success-Report": `${paths}Success-Report: no\r\nsuccess-report: no\r\n`,
    "R4975-9-38 repeated Failure-Report": `${paths}Failure-Report: no\r\nFailure-Report: no\r\n`,
    "R4975-9-38 repeated Status": `${paths}Status: 000 200\r\nStatus: 000 200\r\n`,
    "R4975-9-38 repeated Expires": `${paths}Expires: 1\r\nExpires: 1\r\n`,
    "R4975-9-38 repeated Content-Type":
      `${paths}Message-ID: msg1\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\nhi\r\n`,
    "R4975-9-72 unknown Failure-Report": `${paths}Failure-Report: maybe\r\n`,
    "R4975-9-72 unknown Success-Report": `${paths}Success-Report: maybe\r\n`,
    "R4975-7.1-07 body without Content-Type": `${paths}Message-ID: msg1\r\n\r\nhi\r\n`,
    "R4975-7.1.1-05 body without Message-ID": `${paths}Content-Type: a/b\r\n\r\nhi\r\n`
  }
  for (const [title, headers] of Object.entries(bad)) {
    it(`${title} is malformed, and framing goes on`, () => {
      assert.isString(problem(headers))
      const { frames } = anySplit(
        `MSRP abcd SEND\r\n${headers}-------abcd$\r\nMSRP efgh SEND\r\n${paths}-------efgh$\r\n`
      )
      assert.deepStrictEqual([frames.length, frames[1]?.problem], [2, undefined])
    })
  }
})

describe("limits", () => {
  const breaches: Record<string, string> = {
    "start line too long": `MSRP abcd 200 ${"a".repeat(defaultFrameLimits.startLine)}`,
    "header line too long": `MSRP abcd SEND\r\n${paths}X: ${"a".repeat(defaultFrameLimits.headerLine)}`,
    "header section too long": `MSRP abcd SEND\r\n${paths}${`X: ${"a".repeat(4000)}\r\n`.repeat(5)}`,
    "too many headers": `MSRP abcd SEND\r\n${paths}${"X: y\r\n".repeat(defaultFrameLimits.headers)}`
  }
  for (const [reason, text] of Object.entries(breaches)) {
    it(`R4976-9.3-06: ${reason}, with and without an end`, () => {
      assert.deepStrictEqual(read(text).broken_, [reason])
      assert.deepStrictEqual(read(`${text}\r\n-------abcd$\r\n`).broken_, [reason])
    })
  }
  const small: FrameLimits = {
    ...defaultFrameLimits,
    startLine: 40,
    headerLine: 60,
    headerSection: 200,
    headers: 5,
    nonSendBody: 50
  }
  const filled = (text: string, length: number): string => text + "x".repeat(length - text.length - 2) + "\r\n"
  const startLine = "MSRP abcd SEND\r\n"
  const line = filled("X: ", 60)
  const left = 200 - startLine.length - paths.length - 60
  const exact: Record<string, (more: number) => string> = {
    "start line too long": (more) => filled("MSRP abcd 200 ", 40 + more) + paths,
    "header line too long": (more) => startLine + paths + filled("X: ", 60 + more),
    "header section too long": (more) => startLine + paths + line + filled("X: ", left + more),
    "too many headers": (more) => startLine + paths + "X: y\r\n".repeat(3 + more)
  }
  for (const [reason, section] of Object.entries(exact)) {
    it(`R4976-9.3-06: ${reason}, by one octet or line, whatever the split`, () => {
      const body = "Message-ID: msg1\r\nContent-Type: a/b\r\n\r\nhi\r\n"
      const within = anySplit(`${section(0)}-------abcd$\r\n`.repeat(2), small)
      assert.deepStrictEqual([within.frames.length, within.broken_], [2, []])
      const empty = anySplit(`${section(0)}\r\n\r\n-------abcd$\r\n`, small)
      assert.deepStrictEqual([empty.frames[0]?.body?.length, empty.broken_], [0, []])
      const beyond = anySplit(`${section(1)}-------abcd$\r\n`, small)
      assert.deepStrictEqual([beyond.frames.length, beyond.broken_], [0, [reason]])
      assert.deepStrictEqual(anySplit(section(1) + body, small).broken_, [reason])
    })
  }
  for (const [reason, section] of Object.entries(exact)) {
    it(`R4976-9.3-06: ${reason}: what is behind it goes on where its sink wants that, whatever the split`, () => {
      const one = `MSRP next SEND\r\n${paths}-------next$\r\n`
      const skipped: Array<string> = []
      for (const body of ["", "X: y\r\n", "\r\n-------abce$\r\n-------abcd\r\n\r\n", `\r\n${one}\r\n`]) {
        const text = `${one}${section(1)}${body}-------abcd+\r\n${one}`
        for (let size = 1; size < text.length; size++) {
          const recorder = new Recorder(small)
          recorder.overLimit = (why, { transactionId }) => skipped.push(`${why} ${transactionId}`) > 0
          recorder.push(Buffer.from(text, "latin1"), () => size)
          if (reason === "start line too long") assert.deepStrictEqual(recorder.broken_, [reason])
          else assert.deepStrictEqual([recorder.frames.length, recorder.broken_], [2, []], `${size}`)
        }
      }
      assert.deepStrictEqual([...new Set(skipped)], reason === "start line too long" ? [] : [`${reason} abcd`])
    })
  }
  it("R4976-9.3-06: a long chunk behind a frame that was skipped is passed on", () => {
    const recorder = new Recorder(small)
    recorder.overLimit = () => true
    const body = "x".repeat(INTERRUPTIBLE_ABOVE + 1)
    const long = `MSRP next SEND\r\n${paths}Message-ID: msg1\r\nContent-Type: a/b\r\n\r\n${body}`
    recorder.push(Buffer.from(`${startLine}${filled("X: ", 61)}-------abcd$\r\n${long}`))
    recorder.push(Buffer.from("\r\n-------next$\r\n"))
    assert.deepStrictEqual(recorder.frames.map(({ body, flag, whole }) => [body?.toString(), flag, whole]), [
      [body, "$", false]
    ])
  })
  it("paths are recognised in the next request, but not those of an AUTH, which would be kept for as long as a client is idle", () => {
    const same: Array<boolean> = []
    const recorder = new Recorder()
    recorder.look = ({ samePaths }) => void same.push(samePaths)
    for (const method of ["SEND", "SEND", "AUTH", "AUTH"]) {
      recorder.push(
        Buffer.from(`MSRP abcd ${method}\r\n${paths.replace("/s;", method === "AUTH" ? ";" : "/s;")}-------abcd$\r\n`)
      )
    }
    assert.deepStrictEqual(same, [false, true, false, false])
  })
  it("R4976-9.3-06: a section may pass its limit with the same paths as before, behind a longer start line", () => {
    const limits = { ...small, headerSection: startLine.length + paths.length }
    const one = `${startLine}${paths}-------abcd$\r\n`
    const { broken_, frames } = anySplit(one + one + one.replaceAll("abcd", "abcde"), limits)
    assert.deepStrictEqual([frames.length, broken_], [2, ["header section too long"]])
  })
  it("R4976-9.3-06: which of two limits is passed does not depend on the split", () => {
    for (const more of [0, 1, 20, 100]) {
      anySplit(startLine + paths + line + filled("X: ", left + more) + filled("X: ", 61), small)
      anySplit(`${startLine}${paths}${"X: y\r\n".repeat(3)}${filled("X: ", 61 + more)}`, small)
      anySplit(`MSRP abcd ${"A".repeat(25 + more)}`, small)
      anySplit(`MSRP abcd ${"A".repeat(25 + more)}x\r\n`, small)
      anySplit(`MSRP abcd 200 ${"A".repeat(25 + more)}\u0001\r\n`, small)
    }
  })
  it("R4975-7.1-16: a request that is no SEND is whole up to 10240 octets of body, and passes in parts when much longer", () => {
    for (const [length, whole] of [[10_240, true], [10_241, false], [12_000, false]] as const) {
      const octets = encodeRequest({
        transactionId: "abcdefgh",
        method: "REPORT",
        toPath: TO,
        fromPath: FROM,
        headers: [["Content-Type", "a/b"]],
        body: Buffer.alloc(length, 120)
      })
      const { frames } = new Recorder().push(octets, () => 1)
      assert.deepStrictEqual([frames[0]?.body?.length, frames[0]?.whole], [length, whole])
    }
  })
})

describe("bodies", () => {
  for (const length of [0, 1, 127, 128, 129, 2047, 2048, 2049, 100_000]) {
    it(`R4975-7.1.1-01: of ${length} octets`, () => {
      const octets = Buffer.from(send("x".repeat(length), { flag: "+" }))
      for (const size of [length < 10_000 ? 1 : 100, 1000, octets.length]) {
        const [frame] = new Recorder().push(octets, () => size).frames
        assert.deepStrictEqual([frame?.body?.length, frame?.flag, frame?.problem], [length, "+", undefined])
        if (length <= INTERRUPTIBLE_ABOVE || size <= 100) {
          assert.strictEqual(frame?.whole, length <= INTERRUPTIBLE_ABOVE)
        }
      }
    })
  }
  it("R4975-7.1.1-01: one that is announced as longer than 2048 octets is passed on as it comes", () => {
    for (const range of ["1-2048/2048", "1-*/2048", "3-2050/9000", "1-1/9000", "1-*/*"]) {
      const { frames } = new Recorder().push(Buffer.from(send("hello", { range })), () => 1)
      assert.deepStrictEqual([frames[0]?.whole, frames[0]?.body?.toString()], [true, "hello"], range)
    }
    for (const range of ["1-2049/2049", "1-*/2049", "3-2051/9000"]) {
      const { frames } = new Recorder().push(Buffer.from(send("hello", { range })), () => 1)
      assert.deepStrictEqual([frames[0]?.whole, frames[0]?.body?.toString()], [false, "hello"], range)
    }
  })
  it("R4975-9-09: of all octets, the last ones CRLF", () => {
    const body = Buffer.from([...Array.from({ length: 256 }, (_, i) => i), 13, 10, 13, 13, 10]).toString("latin1")
    for (const range of ["1-*/*", "1-*/9000"]) {
      assert.strictEqual(anySplit(send(body, { range })).frames[0]?.body?.toString("latin1"), body)
    }
  })
  it("R4975-7.1-12: with hyphens in any number", () => {
    for (let hyphens = 1; hyphens < 30; hyphens++) {
      const run = "-".repeat(hyphens)
      const body = `${run}\r\n${run}abcd\r\n${run}x${run}`
      for (const range of ["1-*/*", "1-*/9000"]) {
        assert.strictEqual(anySplit(send(body, { range })).frames[0]?.body?.toString("latin1"), body, `${hyphens}`)
      }
    }
  })
  it("R4975-7.1-12: with the end-line of another frame, and of the frame itself in the middle of a line", () => {
    const body = `-------efgh$\r\n a-------abcd$\r\n-------abcd$x\r\n-------abcd$\r-------abcd$\n\n-------abcd$\r\n`
    for (const range of ["1-*/*", "1-*/9000"]) {
      assert.strictEqual(anySplit(send(body, { range })).frames[0]?.body?.toString("latin1"), body)
    }
  })
  it("an end-line directly behind a blank line: there is no body", () => {
    for (const range of ["1-*/*", "1-9000/9000"]) {
      const sent = send("", { range }).replace("\r\n\r\n\r\n", "\r\n\r\n")
      const report = `MSRP ijkl REPORT\r\n${paths}Message-ID: msg1\r\nStatus: 000 200 OK\r\n\r\n-------ijkl$\r\n`
      const response = `MSRP mnop 200 OK\r\n${paths}\r\n-------mnop$\r\n`
      const { frames } = anySplit(sent + report + response + send("hi", { id: "efgh" }))
      assert.deepStrictEqual(frames.map((frame) => [frame.body?.toString(), frame.problem]), [
        [undefined, undefined],
        [undefined, undefined],
        [undefined, undefined],
        ["hi", undefined]
      ])
    }
  })
  it("R4975-7.1.1-10 R4975-7.3.1-05: without Byte-Range a SEND begins at 1 and has no known end", () => {
    let range: Array<unknown> = []
    const recorder = new Recorder()
    recorder.look = (head) => {
      range = [head.hasRange, head.rangeStart, head.rangeEnd, head.rangeTotal]
    }
    recorder.push(Buffer.from(send("hi", { range: "5-6/7" })))
    assert.deepStrictEqual(range, [true, 5, 6, 7])
    recorder.push(Buffer.from(send("hi").replace("Byte-Range: 1-*/*\r\n", "")))
    assert.deepStrictEqual(range, [false, 1, -1, -1])
  })
  it("R4975-7.3.1-02 R4975-7.3.1-03 R4975-14.5-01: Byte-Range does not say how long a body is", () => {
    for (const range of ["1-4/4", "1-0/0", "1-2000/2000", "1-999999999999/999999999999", "7-8/100", "1-*/1"]) {
      for (const body of ["", "hi", "h".repeat(100)]) {
        const { frames: [frame] } = anySplit(send(body, { range }))
        assert.deepStrictEqual([frame?.body?.toString(), frame?.problem], [body, undefined])
      }
    }
  })
  it("R4975-7.1-08: none, an empty one and a line end are three things", () => {
    const none = `MSRP abcd SEND\r\n${paths}Message-ID: msg1\r\n-------abcd$\r\n`
    const { frames } = anySplit(none + send("") + send("\r\n"))
    assert.deepStrictEqual(frames.map(({ body }) => body?.toString()), [undefined, "", "\r\n"])
  })
  it("R4975-9-75: what the end of the stream cuts off is never whole", () => {
    for (const text of [send("hi"), send("x".repeat(3000)), `MSRP abcd REPORT\r\n${paths}-------abcd$\r\n`]) {
      for (let length = 0; length < text.length; length++) {
        const { broken_, frames } = read(text.slice(0, length))
        assert.deepStrictEqual([frames.filter(({ flag }) => flag !== undefined), broken_], [[], []])
      }
    }
  })
})

describe("paths that are the same again", () => {
  /** For each frame, whether it was said to have the paths of the one before of its sort. */
  const same = (texts: ReadonlyArray<string>, cut = 0): Array<boolean> => {
    const seen: Array<boolean> = []
    const recorder = new Recorder()
    recorder.look = (head) => seen.push(head.samePaths)
    for (const text of texts) {
      recorder.push(Buffer.from(text.slice(0, text.length - cut), "latin1"))
      recorder.push(Buffer.from(text.slice(text.length - cut), "latin1"))
    }
    return seen
  }
  const other = (text: string): string => text.replace(FROM, FROM.replace("/a;", "/b;"))
  const one = send("hi")
  const answer = `MSRP abcd 200 OK\r\n${paths}-------abcd$\r\n`

  it("are recognised, those of requests and of responses by themselves", () => {
    assert.deepStrictEqual(same([one, one, other(one), one, one]), [false, true, false, false, true])
    assert.deepStrictEqual(same([one, other(answer), one, other(answer)]), [false, false, true, true])
    assert.deepStrictEqual(same([one.replace("To-Path", "TO-PATH"), one]), [false, false])
  })
  it("are not taken from a frame that is not whole yet", () => {
    for (let cut = 0; cut < 60; cut++) assert.deepStrictEqual(same([one, other(one), one], cut), [false, false, false])
  })
  it("are not taken from a malformed frame, nor from a piece of a longer line", () => {
    const bad = one.replace("Byte-Range: ", "Byte-Range: x")
    assert.deepStrictEqual(same([bad, one, bad, one]), [false, false, true, true])
    assert.deepStrictEqual(same([other(bad), one, other(bad), one, other(one)]), [false, false, false, false, false])
    assert.deepStrictEqual(same([one, one.replace(`${FROM}\r\n`, `${FROM}x\r\n`)]), [false, false])
  })
  it("are the first ones of a frame that has more", () => {
    const twice = one.replace("Message-ID", `From-Path: ${TO}\r\nTo-Path: ${FROM}\r\nMessage-ID`)
    assert.deepStrictEqual(same([twice, one, twice, one]), [false, false, true, true])
    const { fromPath, toPath } = first(twice)!
    assert.deepStrictEqual([toPath, fromPath], [TO, FROM])
  })
  it("may come at other offsets, behind a start line of another length, and with a malformed section", () => {
    const recorder = new Recorder().push(
      Buffer.from(one + one.replaceAll("abcd", "abcdefgh") + one.replace("msg1", "m s"))
    )
    assert.deepStrictEqual(recorder.frames.map(({ fromPath, problem, toPath }) => [toPath, fromPath, problem]), [
      [TO, FROM, undefined],
      [TO, FROM, undefined],
      [TO, FROM, "malformed Message-ID"]
    ])
  })
})

describe("hold and resume", () => {
  it("keeps all of what is held back, also if it is more than its spare memory has room for", () => {
    const recorder = new Recorder()
    recorder.hold = true
    const body = "x".repeat(400_000)
    recorder.push(Buffer.from(send("first") + send(body, { id: "efgh" })))
    assert.lengthOf(recorder.frames, 1)
    recorder.decoder.resume()
    assert.strictEqual(recorder.frames[1]?.body?.toString(), body)
    assert.strictEqual(recorder.frames[1]?.flag, "$")
  })

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
  it("what is held is not that of the buffer any more", () => {
    const recorder = new Recorder()
    recorder.hold = true
    recorder.push(Buffer.from(send("one") + send("two") + send("three").slice(0, -5)))
    recorder.push(Buffer.from(send("three").slice(-5)))
    for (let i = 0; i < 3; i++) recorder.decoder.resume()
    assert.deepStrictEqual(recorder.frames.map(({ body }) => body?.toString()), ["one", "two", "three"])
  })
  it("many octets that are held stay as they are while another decoder holds as many", () => {
    const [one, another] = ["a", "b"].map((letter) => {
      const recorder = new Recorder()
      recorder.hold = true
      return { recorder, octets: Buffer.from(send(letter.repeat(2000)).repeat(50)) }
    })
    one!.recorder.push(one!.octets)
    one!.recorder.decoder.resume()
    one!.recorder.push(Buffer.from(send("last")))
    another!.recorder.push(another!.octets)
    for (let i = 0; i < 50; i++) one!.recorder.decoder.resume()
    const bodies = one!.recorder.frames.map(({ body }) => body?.toString())
    assert.deepStrictEqual(bodies, [...Array<string>(50).fill("a".repeat(2000)), "last"])
  })
  it("a sink that resumes before it answers is not held", () => {
    const recorder = new Recorder()
    recorder.hold = true
    recorder.look = () => recorder.decoder.resume()
    recorder.push(Buffer.from(send("one") + send("two")))
    recorder.push(Buffer.from(send("three")))
    assert.strictEqual(recorder.frames.length, 3)
  })
  it("nothing is said any more after `stop`, wherever it is called", () => {
    const long = send("x".repeat(5000))
    const texts = [send("one") + send("two"), long + send("two"), send("one") + "not MSRP"]
    const calls = ["frame", "chunkStart", "chunkBody", "chunkEnd", "broken"] as const
    for (const text of texts) {
      for (const size of [text.length, 3000, 100]) {
        for (let stopAt = 1; stopAt < 60; stopAt++) {
          let said = 0
          const say = () => (): boolean => {
            if (++said === stopAt) decoder.stop()
            return true
          }
          const [frame, chunkStart, chunkBody, chunkEnd, broken] = calls.map(say)
          const decoder: Decoder = new Decoder({
            frame: frame!,
            chunkStart: chunkStart!,
            chunkBody: chunkBody!,
            chunkEnd: chunkEnd!,
            broken: broken!
          })
          for (let at = 0; at < text.length; at += size) decoder.push(Buffer.from(text.slice(at, at + size)))
          decoder.resume()
          assert.isAtMost(said, stopAt)
        }
      }
    }
  })
  it("one decoder may go on while another's frame is handled", () => {
    const held = new Recorder()
    held.hold = true
    held.push(Buffer.from(send("first") + other("second")))
    held.hold = false
    const pushed = new Recorder()
    const more = Buffer.from(other("x".repeat(500)).repeat(4))
    pushed.push(more.subarray(0, 50))
    let given = 50
    const outer = new Recorder()
    const bodies: Array<string> = []
    outer.look = (head, start, end) => {
      held.decoder.resume()
      pushed.push(more.subarray(given, given += 700))
      bodies.push(head.transactionId + head.toPath + head.buf.toString("latin1", start, end))
    }
    const text = send("mine", { id: "mine1" }) + send("also mine", { id: "mine2" })
    for (const part of [text.slice(0, 50), text.slice(50)]) outer.push(Buffer.from(part))
    assert.deepStrictEqual(outer.frames.map(({ body }) => body?.toString()), ["mine", "also mine"])
    assert.deepStrictEqual(bodies, [`mine1${TO}mine`, `mine2${TO}also mine`])
    assert.strictEqual(held.frames[1]?.body?.toString(), "second")
    assert.deepStrictEqual(pushed.frames.map(({ body }) => body?.length), [500, 500])
  })
  it("long frames may come in at two decoders in turns", () => {
    const ids = ["aaaa", "bbbb"]
    const recorders = ids.map(() => new Recorder())
    const texts = ids.map((id) => Buffer.from(send(id.repeat(2000), { id })))
    for (let at = 0; at < texts[0]!.length; at += 700) {
      recorders.forEach((recorder, i) => recorder.push(texts[i]!.subarray(at, at + 700)))
    }
    assert.deepStrictEqual(
      recorders.map(({ frames }) => frames.map(({ body, flag }) => [body?.toString(), flag])),
      ids.map((id) => [[id.repeat(2000), "$"]])
    )
  })
})

const other = (body: string): string => send(body, { id: "other" }).replace(TO, `${TO};x`)
