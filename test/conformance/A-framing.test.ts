import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { header, nextId, request, until } from "../harness.ts"
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
})
