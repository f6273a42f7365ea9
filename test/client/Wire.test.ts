/** What is on its way when an operation is given up: the connection stays whole, and nobody waits for ever. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { TestNetwork } from "../../src/Transport.ts"
import { pair, peer, relay, settled, simulated } from "./pair.ts"

const BODY = "x".repeat(3_000_000)

describe("an operation that is given up", () => {
  for (const what of ["request", "post", "sendOctets"] as const) {
    it.effect(`leaves the frame whole that it has begun: ${what}`, () =>
      Effect.gen(function*() {
        const { client, other } = yield* pair()
        const network = yield* TestNetwork
        network.stall(client.connection)
        const headers = [["Message-ID", "mine1"], ["Content-Type", "text/plain"]] as const
        const send = { method: "SEND", toPath: peer, transactionId: "mine", body: BODY, headers }
        const octets = `MSRP mine SEND\r\nTo-Path: ${peer}\r\nFrom-Path: ${client.uri}\r\n` +
          `Message-ID: mine1\r\nContent-Type: text/plain\r\n\r\n${BODY}\r\n-------mine$\r\n`
        const given = what === "sendOctets" ? client.sendOctets(octets) : client[what](send)
        const fiber = yield* Effect.forkChild(Effect.asVoid(given))
        yield* settled
        assert.isUndefined(fiber.pollUnsafe())
        yield* Fiber.interrupt(fiber)
        network.release(client.connection)
        yield* client.post({ method: "OTHER", toPath: peer, transactionId: "other" })
        const [first, second] = yield* other.frames(2)
        assert.deepStrictEqual([first?.transactionId, first?.body?.length], ["mine", BODY.length])
        assert.strictEqual(second?.transactionId, "other")
      }).pipe(Effect.scoped, Effect.provide(simulated)))
  }

  it.effect("is so after 30 seconds where the relay reads nothing: a request", () =>
    Effect.gen(function*() {
      const { client } = yield* pair()
      const network = yield* TestNetwork
      network.stall(client.connection)
      const sending = yield* Effect.forkChild(client.sendOctets(BODY))
      yield* settled
      const asking = yield* Effect.forkChild(Effect.flip(client.auth({ relay, username: "alice", password: "secret" })))
      yield* settled
      yield* TestClock.adjust("30 seconds")
      yield* settled
      assert.strictEqual((yield* Fiber.join(asking)).reason, "Timeout")
      assert.isUndefined(sending.pollUnsafe())
    }).pipe(Effect.scoped, Effect.provide(simulated)))
})
