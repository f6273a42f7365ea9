import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { header, nextId, request, response, summary, until } from "../support/harness.ts"
import { group, pairOf } from "./group.ts"

group("A. Framing", ({ scenario }) => {
  scenario(
    "R4975-7.1-02 R4975-9-08: short ids are as good as long ones, and differ by letter case",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        for (const id of ["abcd", "ABCD", "a.+-%="]) alice.peer.write(toBob({ id, body: id }))
        assert.deepStrictEqual((yield* alice.peer.take(3)).map((frame) => frame.id), ["abcd", "ABCD", "a.+-%="])
        const frames = yield* bob.take(3)
        assert.deepStrictEqual(frames.map(({ body }) => body!.toString()), ["abcd", "ABCD", "a.+-%="])
        assert.strictEqual(new Set(frames.map(({ id }) => id)).size, 3)
        for (const { id } of frames) assert.isAtLeast(id.length, 11, "at 6 bits a character these are 64 bits")
      })
  )

  scenario(
    "R4975-7.1-09 R4975-7.1-10: an end-line with the relay's own id that comes later in the body ends nothing",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        // Three quarters have passed under an id which the sender now knows and uses against the relay.
        const body = Buffer.alloc(40_000, "x")
        const id = nextId()
        const whole = toBob({ id, range: "1-*/40000", body })
        const begin = whole.indexOf("\r\n\r\n") + 4
        alice.peer.write(whole.subarray(0, begin + 30_000))
        yield* until(() => bob.partialBody > 20_000, "most of the chunk")
        whole.write(`\r\n-------${bob.partialId}$\r\n`, begin + 31_000, "latin1")
        alice.peer.write(whole.subarray(begin + 30_000))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const pieces = []
        let octets = 0
        while (octets < body.length) {
          const piece = yield* bob.next
          assert.strictEqual(header(piece, "Byte-Range")!.split("-")[0], String(octets + 1))
          octets += piece.body!.length
          pieces.push(piece)
          bob.answer(piece)
        }
        assert.isAtLeast(pieces.length, 2)
        assert.isTrue(Buffer.concat(pieces.map((piece) => piece.body!)).equals(whole.subarray(begin, begin + 40_000)))
        assert.deepStrictEqual(pieces.map(({ flag }) => flag), [...Array(pieces.length - 1).fill("+"), "$"])
      })
  )

  scenario(
    "R4975-7.1-14 R4975-5.1-02 R4975-7.1.2-04: no request but SEND is cut into pieces",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth } = yield* pairOf(world)
        const body = Buffer.alloc(10_240, "0123456789")
        const parts = { ...forth, body }
        alice.peer.write(
          request("REPORT", {
            ...parts,
            headers: ["Message-ID: m.01", "Status: 000 413 Too much", "Content-Type: a/b"]
          }),
          request("NICKNAME", { ...parts, headers: ["Use-Nickname: \"x\"", "Content-Type: a/b"] })
        )
        for (const method of ["REPORT", "NICKNAME"]) {
          const frame = yield* bob.next
          assert.deepStrictEqual([frame.method, frame.flag, frame.body!.equals(body)], [method, "$", true])
        }
      })
  )

  scenario(
    "R4975-7.1-03..08 R4975-9-20 R4976-6.4-01: what is forwarded is what came in but for the id and the paths",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth, toBob } = yield* pairOf(world)
        const cases = [
          toBob({ body: "hi" }),
          toBob({ body: "hi\r\n" }),
          toBob({ body: "" }),
          toBob({}),
          toBob({ body: Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)), failureReport: "no" }),
          toBob({ body: "ab", range: "1-2/9", flag: "+" }),
          toBob({ body: "ab", range: "8-9/9", flag: "#" }),
          request("NICKNAME", { ...forth, headers: ["Use-Nickname: \"\""] }),
          request("REPORT", { ...forth, headers: ["Message-ID: m.01", "Byte-Range: 1-2/2", "Status: 001 900  x "] })
        ]
        for (const octets of cases) {
          alice.peer.write(octets)
          const frame = yield* bob.next
          const text = octets.toString("latin1")
          const id = text.split(" ", 2)[1]!
          const expected = text.replaceAll(id, frame.id)
            .replace(`To-Path: ${alice.usePath} `, "To-Path: ")
            .replace("From-Path: ", `From-Path: ${alice.usePath} `)
          assert.strictEqual(frame.octets.toString("latin1"), expected)
          if (frame.method !== "REPORT") bob.answer(frame, "200 OK", frame.method === "SEND" ? "hop" : "whole")
        }
      })
  )

  scenario(
    "R4975-7.1-13 R4975-9-10 R4975-9-11: good and bad requests come to the same however they are cut into reads",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth, toBob } = yield* pairOf(world)
        const line = (text: string) => toBob({ id: "cut00001", headers: [text], body: "x" })
        const octets = Buffer.concat([
          toBob({ id: "cut00000", body: "a\r\n-------cut00000\r\nb" }),
          Buffer.from("\r\n\r\n"),
          line("X-A: 1\nX-B: 2"),
          line("X-A: 1\rX-B: 2"),
          line(" folded"),
          request("NICKNAME", { ...forth, id: "cut00002", flag: "+" }),
          toBob({ id: "cut00003", failureReport: "partial", headers: ["no colon"], body: "x".repeat(300) }),
          request("SEND", { to: "nonsense", from: alice.uri, id: "cut00004" }),
          toBob({ id: "cut00005", body: "" })
        ])
        const answers = ["200 | $", "400 | $", "400 | $", "400 | $", "400 | $", "REPORT", "400 | $", "200 | $"]
        const cuts = [
          [],
          Array.from(octets.keys()),
          ...[7, 64, 300].map((n) => [...octets.keys()].filter((i) => i % n === 0))
        ]
        for (const places of cuts) {
          const ends = [...places, octets.length]
          for (const [i, end] of ends.entries()) {
            alice.peer.write(octets.subarray(ends[i - 1] ?? 0, end))
            yield* Effect.yieldNow
          }
          const got = yield* alice.peer.take(answers.length)
          assert.deepStrictEqual(got.map((frame) => frame.method || summary(frame)), answers)
          const frames = yield* bob.take(2)
          assert.deepStrictEqual(frames.map(({ body }) => body!.toString()), ["a\r\n-------cut00000\r\nb", ""])
          for (const frame of frames) bob.answer(frame)
        }
        yield* alice.peer.quiet
        yield* bob.quiet
      })
  )

  scenario(
    "R4975-9-06 R4975-7.2-02 R4976-6.4.3-20: answers with and without a comment, and such as are none",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        for (const status of ["415", "415 ", "415 Gr\xc3\xbc\xc3\x9fe"]) {
          alice.peer.write(toBob({ body: "x" }))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          const frame = yield* bob.next
          bob.answer(frame, status)
          const good = response(alice.usePath, frame.to, frame.id, "400 too late").toString("latin1")
          for (
            const octets of [
              good,
              good.replace("$\r\n", "+\r\n"),
              good.replace("\r\n-------", "\r\nno colon\r\n-------"),
              good.replace("\r\n-------", "\r\nContent-Type: a/b\r\n\r\nbody\r\n-------"),
              good.replace(/From-Path: .*\r\n/, ""),
              good.replaceAll(frame.id, "unknown1")
            ]
          ) bob.write(octets)
          const report = yield* alice.peer.next
          assert.include([status, "415 Media Type Not Understood"], header(report, "Status")!.slice(4))
          yield* alice.peer.quiet
          yield* bob.quiet
        }
      })
  )
})
