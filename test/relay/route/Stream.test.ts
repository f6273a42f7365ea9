import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { LEAST_UNANSWERED } from "../../../src/relay/outbound/Window.ts"
import { type Frame, send, until } from "../../support/harness.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated()

scenario(
  "R4975-7.1.1-01: a chunk whose last octet fills the window leaves in one piece, and none without octets follows",
  (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const [total, body] = [LEAST_UNANSWERED, "x".repeat(LEAST_UNANSWERED)]
      alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, range: `1-${total}/${total}`, body }))
      assert.strictEqual((yield* alice.peer.next).status, 200)
      const frame = yield* bob.next
      assert.deepStrictEqual([frame.body?.length, frame.flag], [total, "$"])
      bob.answer(frame)
      yield* bob.quiet
    })
)

scenario(
  "R4976-9.3-02: a chunk that comes octet by octet and is interrupted each time does not leave with its headers for each octet",
  (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const [first, rest] = [5000, 2500]
      const body = "x".repeat(first + rest)
      const headers = [`X-Long: ${"h".repeat(2000)}`]
      const whole = send({
        to: `${alice.usePath} ${bobUri}`,
        from: alice.uri,
        range: `1-*/${body.length}`,
        headers,
        body
      })
      const begin = whole.indexOf("\r\n\r\n") + 4 + first
      alice.peer.write(whole.subarray(0, begin))
      yield* until(() => bob.partialBody === first, "the beginning")
      const pieces: Array<Frame> = []
      for (let i = 0; i < rest; i++) {
        alice.peer.write(whole.subarray(begin + i, begin + i + 1))
        if (i % 50 > 0) continue
        bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "between" }))
        yield* alice.peer.next
        for (let frame = yield* bob.next; frame.method === "SEND"; frame = yield* bob.next) pieces.push(frame)
      }
      alice.peer.write(whole.subarray(begin + rest))
      assert.strictEqual((yield* alice.peer.next).status, 200)
      for (const piece of pieces) bob.answer(piece)
      for (let flag = "+"; flag === "+";) {
        const frame = yield* bob.next
        bob.answer(frame)
        pieces.push(frame)
        flag = frame.flag
      }
      assert.strictEqual(pieces.map((piece) => piece.body!.toString()).join(""), body)
      // The first one, one as soon as there is as much as the headers have, and the rest.
      assert.deepStrictEqual(pieces.length, 3)
      yield* alice.peer.quiet
    })
)
