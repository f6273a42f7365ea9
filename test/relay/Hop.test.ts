import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Stream } from "../../src/relay/route/Stream.ts"
import { broken, defects } from "../support/broken.ts"
import { header, request, send, until } from "../support/harness.ts"
import { nothingHeld } from "../support/nothingHeld.ts"
import { simulated } from "../support/simulated.ts"

const scenario = simulated({}, { window: 4096 })

describe("R4976-9.3-06: no timer is left of a connection that is gone", () => {
  scenario("whose peer took nothing", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      bob.connection.pause()
      const to = `${alice.usePath} ${bobUri}`
      alice.peer.write(send({ to, from: alice.uri, range: "1-100000/100000", body: "x".repeat(100_000) }))
      yield* world.network!.settled
      assert.isAbove(world.relay.gauges().bufferedOctets, 0)
      for (const { connection } of [bob, alice.peer]) world.network!.cut(connection)
      yield* until(() => world.relay.gauges().connections === 0, "the end of both")
      assert.deepStrictEqual(world.relay.gauges(), nothingHeld)
    }))

  scenario("which the relay has ended", (world) =>
    Effect.gen(function*() {
      const peer = yield* world.connect
      peer.write(request("SEND", { to: "msrp://elsewhere.invalid:1/x;tcp", from: "msrp://s.invalid:9/s;tcp" }))
      yield* until(() => peer.isClosed && world.relay.gauges().connections === 0, "the end")
      assert.strictEqual(world.relay.gauges().timers, 0)
    }))
})

scenario(
  "a defect while the chunk of a connection that is gone ends keeps nobody from hearing of it",
  (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      alice.peer.connection.pause()
      bob.write(
        send({
          to: `${alice.usePath} ${alice.uri}`,
          from: bobUri,
          messageId: "his",
          body: "x".repeat(100_000),
          range: "1-*/100000"
        })
      )
      const hers = send({
        to: `${alice.usePath} ${bobUri}`,
        from: alice.uri,
        messageId: "hers",
        body: "x".repeat(100_000),
        range: "1-*/100000"
      })
      alice.peer.write(hers.subarray(0, 10_000))
      yield* world.network!.settled
      yield* broken(Stream.prototype, "finish", ({ messageId }) => messageId === "hers")
      world.network!.cut(alice.peer.connection)
      yield* world.network!.settled
      assert.deepStrictEqual(defects(world), ["Error: a defect"])
      const told = bob.frames.splice(0).filter(({ method }) => method === "REPORT")
      assert.include(told.map((frame) => header(frame, "Message-ID")), "his")
    })
)
