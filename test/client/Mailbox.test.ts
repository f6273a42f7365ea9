/** What waits is bounded, whatever it is made of: a head of 16 KiB around one octet, or messages that nobody reads. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestNetwork } from "../../src/Transport.ts"
import { pair, reportTo, sendTo, settled, simulated } from "./pair.ts"

const LONG = `X-Long: ${"x".repeat(8000)}\r\n`

describe("what waits to be taken", () => {
  for (const collect of ["body", "digest", "stream"] as const) {
    it.effect(`counts with its headers: ${collect}`, () =>
      Effect.gen(function*() {
        const { client, other } = yield* pair({ collect, maxUnread: 100_000 })
        ;(yield* TestNetwork).configure({ window: 20_000 }, client.connection)
        let written = 0
        for (let i = 0; i < 100; i++) {
          const octets = sendTo(client, `abc${i}`, { body: "x", headers: LONG })
          other.connection.write(Buffer.from(octets), () => written++)
        }
        yield* settled
        // Of some 8,500 octets each: those that were not taken, and those in the window.
        assert.strictEqual(written, 14)
        yield* collect === "stream" ? client.incoming.takeN(100) : client.messages.takeN(100)
        yield* settled
        assert.strictEqual(written, 100)
      }).pipe(Effect.provide(simulated)))
  }

  it.effect("counts with the memory that one takes which is handed out while it comes, however short", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream", maxUnread: 200_000 })
      ;(yield* TestNetwork).configure({ window: 5000 }, client.connection)
      let written = 0
      for (let i = 0; i < 500; i++) {
        other.connection.write(Buffer.from(sendTo(client, `abc${i}`, { body: "x" })), () => written++)
      }
      yield* settled
      assert.isBelow(written, 150)
      const incoming = yield* client.incoming.takeN(500)
      assert.strictEqual((yield* incoming[499]!.next)?.length, 1)
      assert.isUndefined(yield* incoming[499]!.next)
    }).pipe(Effect.provide(simulated)))

  it.effect("counts with the chunks that wait for their answers", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream", maxUnread: 2_000_000 })
      ;(yield* TestNetwork).configure({ window: 20_000 }, client.connection)
      const body = "x".repeat(1_048_576)
      other.write(sendTo(client, "first", { body, at: [1, "*"], flag: "+" }))
      let written = 0
      for (let i = 0; i < 400; i++) {
        const at = [body.length + 1 + i, "*"] as const
        const octets = sendTo(client, `abc${i}`, { body: "x", at, headers: LONG, flag: "+" })
        other.connection.write(Buffer.from(octets), () => written++)
      }
      yield* settled
      assert.isBelow(written, 150)
      const incoming = yield* client.incoming.take
      let taken = 0
      while (taken < body.length + 400) taken += (yield* incoming.next)!.length
      assert.isTrue((yield* other.frames(401)).every(({ status }) => status === 200))
      assert.strictEqual(written, 400)
    }).pipe(Effect.provide(simulated)))

  it.effect("is at most 64 MiB of REPORTs, the newest", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      for (let i = 0; i < 9000; i++) {
        other.write(reportTo(client, `mess${i}`, "1-1/1", 200).replace("Status:", `${LONG}Status:`))
      }
      yield* settled
      const kept: Array<string | undefined> = []
      while (true) {
        const report = yield* client.reports.poll
        if (report._tag === "None") break
        kept.push(report.value.messageId)
      }
      assert.isAbove(kept.length, 7000)
      assert.isBelow(kept.length, 67_108_864 / 8000)
      assert.strictEqual(kept.at(-1), "mess8999")
    }).pipe(Effect.provide(simulated)))

  it.effect("is nothing of messages that were handed out whole, which a program need not read", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream", maxUnread: 100_000 })
      const body = "x".repeat(10_000)
      for (let i = 0; i < 50; i++) {
        other.write(sendTo(client, `abc${i}`, { body }))
        other.write(sendTo(client, `def${i}`, { body, at: [1, "*"], flag: "+" }).replace("message1", `mess${i}`))
        const incoming = yield* client.incoming.takeN(2)
        other.write(
          sendTo(client, `ghi${i}`, { body, at: [10_001, "*"], flag: i % 2 === 0 ? "$" : "#" }).replace(
            "message1",
            `mess${i}`
          )
        )
        assert.strictEqual((yield* other.frames(3)).length, 3)
        // It can be read nevertheless.
        assert.strictEqual((yield* incoming[0]!.next)?.length, 10_000)
      }
      yield* settled
    }).pipe(Effect.provide(simulated)))
})
