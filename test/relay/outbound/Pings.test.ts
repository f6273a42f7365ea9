import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Transport } from "../../../src/Transport.ts"
import { makeWorld, until } from "../../support/harness.ts"

describe("Pings", () => {
  it.effect("R7977-6-01: who has nothing to say is asked, stays if he answers, and goes if he does not", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ by: "ws" })
      const [alice, carol] = [yield* world.login(), yield* world.login({ username: "carol" })]
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

  it.effect("nobody is asked where the limit is 0", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ by: "ws", limits: { ping: 0 } })
      const carol = yield* world.login({ username: "carol" })
      world.network!.stall(world.network!.peer(carol.peer.connection))
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(world.relay.gauges().connections, 1)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))
})
