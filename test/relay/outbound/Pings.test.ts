import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Transport } from "../../../src/Transport.ts"
import { collect, type Frame, makeWorld, send, until } from "../../support/harness.ts"
import { pattern } from "../../support/Recorder.ts"
import { twoSessions } from "../../support/sessions.ts"

describe("Pings", () => {
  it.effect("R7977-6-01: a silent client is pinged, stays if it answers, and is closed if it does not", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ by: "ws" })
      const { alice, carol } = yield* twoSessions(world)
      // Her end takes and gives nothing any more.
      world.network!.stall(world.network!.peer(carol.peer.connection))
      yield* TestClock.adjust("49 seconds")
      assert.strictEqual(world.relay.gauges().connections, 2)
      yield* TestClock.adjust("26 seconds")
      yield* until(() => world.relay.gauges().connections === 1, "her end")
      assert.isTrue(world.log.some((line) => line.includes(`reason="no sign of life"`)))
      yield* TestClock.adjust("10 minutes")
      yield* alice.peer.quiet
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))

  it.effect("R7977-6-01: a client that is not read because its receiver is slow is not closed: its pongs are unread as well", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ by: "ws" })
      const { alice, carol } = yield* twoSessions(world)
      const unanswered: Array<Frame> = []
      carol.peer.onFrame = (frame) => void unanswered.push(frame)
      const to = `${alice.usePath} ${carol.usePath} ${carol.uri}`
      for (let i = 0; i < 100; i++) alice.peer.write(send({ to, from: alice.uri, body: pattern(8000) }))
      for (let i = 0; i < 20; i++) {
        yield* TestClock.adjust("20 seconds")
        carol.peer.answer(unanswered.shift()!)
      }
      assert.isFalse(alice.peer.isClosed)
      assert.isBelow(alice.peer.frames.length, 100)
      collect(carol.peer)
      for (const frame of unanswered) carol.peer.answer(frame)
      yield* world.network!.settled
      assert.deepStrictEqual([...new Set(alice.peer.frames.splice(0).map(({ status }) => status))], [200])
      // He is asked as before.
      world.network!.stall(world.network!.peer(alice.peer.connection))
      yield* TestClock.adjust("80 seconds")
      assert.strictEqual(world.relay.gauges().connections, 1)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest({ window: 65_536 }))))

  it.effect("no peer is pinged if the limit is 0", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ by: "ws", limits: { ping: 0 } })
      const carol = yield* world.login({ username: "carol" })
      world.network!.stall(world.network!.peer(carol.peer.connection))
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(world.relay.gauges().connections, 1)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))
})
