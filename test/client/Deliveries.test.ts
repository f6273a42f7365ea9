/** Messages whose REPORT is awaited: how many, and which goes first. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ClientError } from "../../src/client/ClientError.ts"
import { Deliveries, type Delivery } from "../../src/client/Deliveries.ts"

/** Why it was given up; undefined while it is awaited. */
const givenUp = (delivery: Delivery): Effect.Effect<string | undefined> =>
  Effect.map(Effect.forkChild(Effect.flip(delivery.outcome), { startImmediately: true }), (fiber) => {
    const exit = fiber.pollUnsafe()
    return exit?._tag === "Success" ? exit.value.reason : undefined
  })

describe("Deliveries", () => {
  it.effect("awaits 16,384 at a time; for one more the oldest is given up", () =>
    Effect.gen(function*() {
      const deliveries = new Deliveries()
      const [first, second] = Array.from({ length: 16_384 }, (_, i) => deliveries.expect(`message${i}`, 1))
      assert.isUndefined(yield* givenUp(first!))
      deliveries.expect("one more", 1)
      assert.deepStrictEqual([yield* givenUp(first!), yield* givenUp(second!)], ["NoReport", undefined])
    }))

  it.effect("awaits the last of those with one Message-ID, in the place of the one before", () =>
    Effect.gen(function*() {
      const deliveries = new Deliveries()
      const [first, other] = [deliveries.expect("message1", 1), deliveries.expect("message2", 1)]
      const second = deliveries.expect("message1", 1)
      assert.deepStrictEqual([yield* givenUp(first), yield* givenUp(second)], ["NoReport", undefined])
      assert.isUndefined(yield* givenUp(other))
      deliveries.close(new ClientError({ reason: "Closed", message: "gone" }))
      assert.strictEqual(yield* givenUp(second), "Closed")
    }))
})
