import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { response, send } from "../support/harness.ts"
import { group, pairOf } from "./group.ts"

group("U. Neighbouring specifications", ({ scenario }) => {
  scenario(
    "R8873-6-01: the URI of a WebRTC data channel behind a gateway is text; the gateway's connection is used",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const gateway = yield* world.connect
        const channel = "msrps://2154928a.invalid:9/2s93i9ek2a;dc"
        gateway.write(send({ to: `${alice.usePath} ${alice.uri}`, from: channel, body: "from a browser" }))
        assert.strictEqual((yield* gateway.next).status, 200)
        const frame = yield* alice.peer.next
        assert.strictEqual(frame.from, `${alice.usePath} ${channel}`)
        alice.peer.answer(frame)
        alice.peer.write(send({ to: `${alice.usePath} ${channel}`, from: alice.uri, body: "to a browser" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const back = yield* gateway.next
        assert.strictEqual(back.to, channel)
        gateway.answer(back)
        // Without a connection there is no way there.
        alice.peer.write(send({ to: `${alice.usePath} msrps://other.example:2855/x;dc`, from: alice.uri, body: "x" }))
        assert.strictEqual((yield* alice.peer.next).status, 481)
      })
  )

  scenario("R5547-9.1-01: a 200 with a Byte-Range is a 200", (world) =>
    Effect.gen(function*() {
      const { alice, bob, toBob } = yield* pairOf(world)
      alice.peer.write(toBob({ body: "hi" }))
      yield* alice.peer.next
      const { from, id, to } = yield* bob.next
      bob.write(response(from.split(" ")[0]!, to, id, "200 OK", "Byte-Range: 1-2/2", "X-More: y"))
      yield* bob.quiet
      yield* alice.peer.quiet
      assert.strictEqual(world.relay.gauges().transactions, 0)
    }))
})
