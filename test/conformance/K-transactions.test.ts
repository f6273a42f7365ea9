import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { send } from "../support/harness.ts"
import { group, pairOf, reported } from "./group.ts"

group("K. Transactions and timers", ({ timed }) => {
  timed(
    "R4976-3-04 R4976-1-01: a partial one without an answer is forgotten in silence, all of it",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        alice.peer.write(toBob({ failureReport: "partial", body: "hi" }))
        const frame = yield* bob.next
        assert.strictEqual(world.relay.gauges().transactions, 1)
        yield* TestClock.adjust("30 seconds")
        const { bufferedOctets, timers, transactions } = world.relay.gauges()
        assert.deepStrictEqual({ bufferedOctets, timers, transactions }, {
          bufferedOctets: 0,
          timers: 0,
          transactions: 0
        })
        bob.answer(frame, "413 too late")
        yield* alice.peer.quiet
      })
  )

  timed(
    "R4976-3-04 R4976-6.4.1-18: and until then, so that an answer that says no is still told",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        alice.peer.write(toBob({ failureReport: "partial", body: "hi" }))
        const frame = yield* bob.next
        yield* TestClock.adjust("29999 millis")
        bob.answer(frame, "413 just in time")
        assert.strictEqual(reported(yield* alice.peer.next), "000 413 | 1-2/2")
        yield* TestClock.adjust("1 minute")
        yield* alice.peer.quiet
      })
  )

  timed("R4976-6.1-01: a connection has 30 seconds from the moment it is there", (world) =>
    Effect.gen(function*() {
      const early = yield* world.connect
      yield* TestClock.adjust("10 seconds")
      const late = yield* world.connect
      yield* TestClock.adjust("19999 millis")
      assert.isFalse(early.isClosed)
      yield* TestClock.adjust("1 millis")
      yield* early.ends
      assert.isFalse(late.isClosed)
      yield* TestClock.adjust("10 seconds")
      yield* late.ends
    }))

  timed(
    "R4976-5.4-01 R4975-5.4-20: an hour and more without traffic is no reason to close a session",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login({ headers: ["Expires: 86400"] })
        const { bob, bobUri } = yield* world.join(alice)
        yield* TestClock.adjust("3 hours")
        bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "still here" }))
        assert.strictEqual((yield* bob.next).status, 200)
        alice.peer.answer(yield* alice.peer.next)
        yield* bob.quiet
      }),
    { sessions: { hashSize: 0, cleanupInterval: "1 hour" } }
  )
})
