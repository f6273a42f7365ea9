import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { defaultFrameLimits } from "../../../src/protocol/FrameLimits.ts"
import { heardIn, of } from "../../support/events.ts"
import { until } from "../../support/harness.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated()

scenario(
  "R4976-9.3-06: a response over a limit ends its connection, and is no request that was refused",
  (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const { alice, bob, bobUri } = yield* world.pair()
      const { refused } = world.relay.counters
      const long = "x".repeat(defaultFrameLimits.headerLine)
      bob.write(
        Buffer.from(`MSRP a1b2c3d4 200 OK\r\nTo-Path: ${alice.usePath}\r\nFrom-Path: ${bobUri}\r\nX: ${long}\r\n`)
      )
      yield* until(() => bob.isClosed, "the end")
      assert.strictEqual(world.relay.counters.framingLost, 1)
      assert.strictEqual(world.relay.counters.refused, refused)
      assert.deepStrictEqual(of(heard, "request refused"), [])
    })
)
