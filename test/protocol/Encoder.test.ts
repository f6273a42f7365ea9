import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { commentOf, encodeRequest, encodeResponse, type HeaderLines } from "../../src/protocol/Encoder.ts"
import type { Flag } from "../../src/protocol/Head.ts"
import { example, examples } from "./examples.ts"
import { Recorder } from "./recorder.ts"

const TO = "msrp://r.example.com:1/s;tcp msrps://b.example.com:3/b;tcp"
const FROM = "msrp://a.example.com:2/a;tcp"
const paths = { toPath: TO, fromPath: FROM }
const request = { transactionId: "abcdefgh", method: "SEND", ...paths }
const contentType = ["Content-Type", "a/b"] as const
const withId: HeaderLines = [["Message-ID", "msg1"], contentType]

const latin1 = (octets: Buffer): string => octets.toString("latin1")
const decode = (octets: Buffer) => {
  const { broken_, frames } = new Recorder().push(octets)
  assert.deepStrictEqual(broken_, [])
  return frames
}

describe("requests", () => {
  it("R4975-7.1-03 R4975-7.1-05 R4975-9-20 R4975-9-25: without a body", () => {
    assert.strictEqual(
      latin1(encodeRequest({ ...request, headers: [["Message-ID", "msg1"]] })),
      `MSRP abcdefgh SEND\r\nTo-Path: ${TO}\r\nFrom-Path: ${FROM}\r\nMessage-ID: msg1\r\n-------abcdefgh$\r\n`
    )
  })
  it("R4975-7.1-06 R4975-9-22: without further headers", () => {
    assert.strictEqual(
      latin1(encodeRequest({ ...request, method: "AUTH" })),
      `MSRP abcdefgh AUTH\r\nTo-Path: ${TO}\r\nFrom-Path: ${FROM}\r\n-------abcdefgh$\r\n`
    )
  })
  it("R4975-7.1-04 R4975-7.1-07: with a body, which may end in CRLF", () => {
    assert.strictEqual(
      latin1(encodeRequest({ ...request, headers: withId, body: Buffer.from("hi\r\n"), flag: "+" })),
      `MSRP abcdefgh SEND\r\nTo-Path: ${TO}\r\nFrom-Path: ${FROM}\r\nMessage-ID: msg1\r\nContent-Type: a/b\r\n\r\nhi\r\n\r\n-------abcdefgh+\r\n`
    )
  })
  it("R4975-7.1-08: an empty body is not none", () => {
    const [empty, none] = decode(Buffer.concat([
      encodeRequest({ ...request, headers: withId, body: new Uint8Array() }),
      encodeRequest(request)
    ]))
    assert.deepStrictEqual([empty?.body?.length, empty?.problem], [0, undefined])
    assert.deepStrictEqual([none?.body, none?.problem], [undefined, undefined])
  })
  it("the body given is not changed, and may be a part of a larger buffer", () => {
    const large = Uint8Array.from({ length: 300 }, (_, i) => i)
    const octets = encodeRequest({ ...request, headers: withId, body: large.subarray(10, 290) })
    assert.deepStrictEqual(decode(octets)[0]?.body, Buffer.from(large.subarray(10, 290)))
  })
})

describe("responses", () => {
  it("R4975-7.2-01: have the flag $ and no body", () => {
    assert.strictEqual(
      latin1(
        encodeResponse({
          transactionId: "abcd",
          status: 423,
          comment: "out of bounds",
          ...paths,
          headers: [["Min-Expires", "60"]]
        })
      ),
      `MSRP abcd 423 out of bounds\r\nTo-Path: ${TO}\r\nFrom-Path: ${FROM}\r\nMin-Expires: 60\r\n-------abcd$\r\n`
    )
  })
  it("R4975-9-06: have no blank behind the status without a comment", () => {
    for (const comment of [undefined, ""]) {
      const octets = encodeResponse({
        transactionId: "abcd",
        status: 200,
        ...paths,
        ...(comment === undefined ? {} : { comment })
      })
      assert.isTrue(latin1(octets).startsWith("MSRP abcd 200\r\n"))
    }
  })
})

describe("the examples", () => {
  it("are written as they were read", () => {
    for (const { file } of examples) {
      const octets = example(file)
      const { body, comment, flag, fromPath, method, rest, status, toPath, transactionId } = decode(octets)[0]!
      const headers = rest.split("\r\n").slice(0, -1).map((line) => {
        const colon = line.indexOf(": ")
        return [line.slice(0, colon), line.slice(colon + 2)] as const
      })
      const again = method === ""
        ? encodeResponse({ transactionId, status, comment, toPath, fromPath, headers })
        : encodeRequest({ transactionId, method, toPath, fromPath, headers, flag: flag!, ...(body && { body }) })
      assert.strictEqual(latin1(again), latin1(octets), file)
    }
  })
})

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
const from = (first: string, rest: string, lengths: { minLength: number; maxLength: number }) =>
  fc.tuple(fc.constantFrom(...first.split("")), fc.string({ unit: fc.constantFrom(...rest.split("")), ...lengths }))
    .map((parts) => parts.join(""))
const ident = from(letters, `${letters}.-+%=`, { minLength: 3, maxLength: 31 })
const name = from(letters.slice(0, 52), `${letters}!#$%&'*+-.^_\`|~`, { minLength: 0, maxLength: 20 }).map((text) =>
  `X-${text}`
)
const octet = fc.integer({ min: 0x21, max: 0xff }).filter((code) => code !== 0x7f).map((code) =>
  String.fromCharCode(code)
)
const word = fc.string({ unit: octet, minLength: 1, maxLength: 12 })
/** Text without blanks at its ends. */
const text = fc.array(word, { maxLength: 4 }).map((words) => words.join(" "))
const headers = fc.array(fc.tuple(name, text), { maxLength: 5 })
const path = fc.array(word, { minLength: 1, maxLength: 4 }).map((uris) => uris.join(" "))

describe("properties", () => {
  const lines = (headers: HeaderLines): string => headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")

  it("R4976-6.4-01 R4975-9-09: what is written is read again, octet for octet", () => {
    const message = fc.record({
      transactionId: ident,
      method: fc.constantFrom("SEND", "REPORT", "AUTH", "NICKNAME", "X"),
      toPath: path,
      fromPath: path,
      headers,
      messageId: ident,
      body: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
      flag: fc.constantFrom<Flag>("$", "+", "#")
    })
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 400 }),
        (messages, size) => {
          const all = messages.map(({ body, messageId, ...parts }) => ({
            ...parts,
            headers: [
              ...parts.headers,
              ["Message-ID", messageId] as const,
              ...(body === undefined ? [] : [contentType])
            ],
            ...(body && { body })
          }))
          const { broken_, frames } = new Recorder().push(Buffer.concat(all.map(encodeRequest)), () => size)
          assert.deepStrictEqual(broken_, [])
          assert.deepStrictEqual(
            frames.map((frame) => [
              frame.transactionId,
              frame.method,
              frame.toPath,
              frame.fromPath,
              frame.rest,
              frame.body && latin1(frame.body),
              frame.flag,
              frame.problem
            ]),
            all.map((parts) => [
              parts.transactionId,
              parts.method,
              parts.toPath,
              parts.fromPath,
              lines(parts.headers),
              parts.body && latin1(Buffer.from(parts.body)),
              parts.flag,
              undefined
            ])
          )
        }
      )
    )
  })
  it("R4975-9-06: responses, too", () => {
    const status = fc.integer({ min: 100, max: 999 })
    fc.assert(
      fc.property(
        ident,
        status,
        text,
        path,
        path,
        headers,
        (transactionId, status, comment, toPath, fromPath, headers) => {
          const [frame] = decode(encodeResponse({ transactionId, status, comment, toPath, fromPath, headers }))
          assert.deepStrictEqual(
            [
              frame?.transactionId,
              frame?.status,
              frame?.comment,
              frame?.toPath,
              frame?.fromPath,
              frame?.rest,
              frame?.flag
            ],
            [transactionId, status, comment, toPath, fromPath, lines(headers), "$"]
          )
        }
      )
    )
  })
  it("R4975-14.5-02: no text adds a line, whatever it is, nor ends the frame", () => {
    const hostile = fc.array(
      fc.oneof(
        fc.constantFrom(
          "\r\n",
          "\r",
          "\n",
          "\u0000",
          "\u007f",
          "\u010d\u010a",
          "\u2028",
          "\ud83d",
          "-------abcd$",
          "X-Evil: 1",
          "\r\n\r\n"
        ),
        fc.string({ unit: "binary", maxLength: 5 })
      ),
      { maxLength: 8 }
    ).map((parts) => parts.join(""))
    fc.assert(fc.property(hostile, hostile, hostile, hostile, (comment, path, value, name) => {
      const headers: HeaderLines = [["X-A", value], [`X-${name}`, "b"], ["X-C", "d"]]
      for (
        const octets of [
          encodeResponse({ transactionId: "abcd", status: 200, comment, toPath: path, fromPath: path, headers }),
          encodeRequest({ transactionId: "abcd", method: "AUTH", toPath: path, fromPath: path, headers })
        ]
      ) {
        const frames = decode(octets)
        assert.strictEqual(frames.length, 1)
        assert.strictEqual(frames[0]!.rest.split("\r\n").length, 4)
        const lines = latin1(octets).split("\r\n")
        assert.strictEqual(lines.length, 8)
        assert.isTrue(lines.every((line) => /^[\t -~\x80-\xff]*$/.test(line)))
      }
    }))
  })
})

describe("what is left to the caller", () => {
  it("R4975-9-35: UTF-8 is given as its octets; a character that is no octet becomes a question mark", () => {
    const written = (value: string) => decode(encodeRequest({ ...request, headers: [["X-A", value]] }))[0]?.rest
    const octets = Buffer.from("\u20ac \u00e9").toString("latin1")
    assert.strictEqual(written(octets), `X-A: ${octets}\r\n`)
    assert.strictEqual(written("\u20ac \u00e9"), "X-A: ? \u00e9\r\n")
  })
  it("R4975-7.1-09: a transaction id whose end-line is not in the body", () => {
    const body = Buffer.from("a\r\n-------abcdefgh$\r\nb")
    const cut = new Recorder().push(encodeRequest({ ...request, headers: withId, body }))
    assert.deepStrictEqual([cut.frames[0]?.body?.toString(), cut.broken_], ["a", ["not MSRP"]])
    const [whole] = decode(encodeRequest({ ...request, transactionId: "other", headers: withId, body }))
    assert.strictEqual(whole?.body?.toString(), body.toString())
  })
  it("R4975-7.1-07: Content-Type, with a body", () => {
    const [without] = decode(encodeRequest({ ...request, headers: [["Message-ID", "msg1"]], body: Buffer.from("hi") }))
    assert.strictEqual(without?.problem, "body without Content-Type")
  })
})

describe("a comment", () => {
  /** What becomes longer by being composed, and what may be cut in two. */
  const unit = fc.oneof(
    fc.constantFrom("\u0958", "\ufb2c", "\u{1d160}", "\u0344", "\u{1f600}"),
    fc.string({ unit: "binary" })
  )
  it("is a line that a decoder takes, whatever it is of", () => {
    fc.assert(fc.property(fc.array(unit, { maxLength: 20 }), fc.integer({ min: 1, max: 200 }), (units, times) => {
      const comment = commentOf(units.join("").repeat(times))
      assert.isAtMost(comment.length, 600)
      const [frame] = decode(encodeResponse({ transactionId: "abcd", status: 400, comment, ...paths }))
      assert.strictEqual(frame?.comment, comment)
    }))
  })
})
