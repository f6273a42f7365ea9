/** Messages that are handed out while they come. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { MAX_WAITING_OCTETS, TAKE_WITHIN } from "../../src/client/Incoming.ts"
import { TestNetwork } from "../../src/Transport.ts"
import { pair, sendTo, settled, simulated } from "./pair.ts"

const text = Stream.runFold(() => "", (all: string, octets: Uint8Array) => all + Buffer.from(octets).toString())

const QUARTER = MAX_WAITING_OCTETS / 4

describe("incoming", () => {
  it.effect("hands out octets before the message is whole, in order", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream" })
      other.write(sendTo(client, "abc1", { body: "abc", at: [1, 9], headers: "Success-Report: yes\r\n", flag: "+" }))
      const incoming = yield* client.incoming.take
      assert.deepInclude(incoming, { messageId: "message1", toPath: client.uri, contentType: "text/plain", size: 9 })
      assert.strictEqual(Buffer.from((yield* incoming.next)!).toString(), "abc")
      other.write(sendTo(client, "abc3", { body: "ghi", at: [7, 9] }))
      yield* settled
      assert.strictEqual(incoming.received(), 3)
      other.write(sendTo(client, "abc2", { body: "def", at: [4, 9], flag: "+" }))
      assert.strictEqual(yield* text(incoming.octets), "defghi")
      assert.isUndefined(yield* incoming.next)
      assert.strictEqual(incoming.received(), 9)
      const frames = yield* other.frames(4)
      assert.deepStrictEqual(frames.map((frame) => frame.status), [200, 200, 200, 0])
      assert.strictEqual(frames[3]!.header("Byte-Range"), "1-9/9")
      assert.strictEqual(yield* client.messages.poll.pipe(Effect.map((one) => one._tag)), "None")
    }).pipe(Effect.provide(simulated)))

  it.effect("sends the receipt when all has come, before it is taken, as docs/client.md says", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream" })
      other.write(sendTo(client, "abc1", { body: "abc", headers: "Success-Report: yes\r\n" }))
      const [answer, receipt] = yield* other.frames(2)
      assert.deepStrictEqual([answer?.status, receipt?.method], [200, "REPORT"])
      assert.strictEqual(yield* text((yield* client.incoming.take).octets), "abc")
    }).pipe(Effect.provide(simulated)))

  it.effect("puts together what comes in small parts and waits", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream" })
      const body = Array.from({ length: 500 }, (_, i) => String.fromCharCode(97 + i % 26))
      for (const [i, octet] of body.entries()) {
        const flag = i + 1 < body.length ? { flag: "+" as const } : {}
        other.write(sendTo(client, `abc${1000 + i}`, { body: octet, at: [i + 1, body.length], ...flag }))
      }
      yield* settled
      const parts = Array.from(yield* Stream.runCollect((yield* client.incoming.take).octets))
      assert.strictEqual(Buffer.concat(parts).toString(), body.join(""))
      assert.strictEqual(parts.length, 1)
    }).pipe(Effect.provide(simulated)))

  it.effect("waits for a sender that is gone between two chunks, until it is refused here", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream" })
      other.write(sendTo(client, "abc1", { body: "abc", at: [1, 9], flag: "+" }))
      const message = yield* client.incoming.take
      // As docs/client.md has it.
      const untilSilent = message.octets.pipe(Stream.timeoutOrElse({
        duration: "1 minute",
        orElse: () => Stream.concat(Stream.fromEffectDrain(message.refuse()), message.octets)
      }))
      const reading = yield* Effect.forkChild(Effect.flip(Stream.runDrain(untilSilent)))
      yield* settled
      yield* TestClock.adjust("59 seconds")
      assert.isUndefined(reading.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(reading)).reason, "Dropped")
    }).pipe(Effect.provide(simulated)))

  it.effect("tells when its sender gives it up, and when the connection goes", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream" })
      other.write(sendTo(client, "abc1", { body: "abc", at: [1, 9], flag: "#" }))
      const given = yield* client.incoming.take
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(given.octets))).reason, "Aborted")
      other.write(sendTo(client, "abc2", { body: "abc", at: [1, 9], flag: "+" }))
      const lost = yield* client.incoming.take
      ;(yield* TestNetwork).cut(other.connection)
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(lost.octets))).reason, "Closed")
    }).pipe(Effect.provide(simulated)))

  it.effect("is aborted when it ends elsewhere than its total says, and its sender hears 400", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream" })
      const asks = "Success-Report: yes\r\n"
      const ends: ReadonlyArray<readonly [body: string, at: readonly [number, number | "*"]]> = [
        ["def", [4, 9]],
        ["defghi", [4, 6]],
        ["def", [4, 6]],
        ["def", [4, "*"]]
      ]
      for (const [body, at] of ends) {
        other.write(sendTo(client, "abc1", { body: "abc", at: [1, 9], headers: asks, flag: "+" }))
        other.write(sendTo(client, "abc2", { body, at, headers: asks }))
        const incoming = yield* client.incoming.take
        const error = yield* Effect.flip(Stream.runDrain(incoming.octets))
        assert.strictEqual(error.reason, "Aborted")
        const frames = yield* other.frames(2)
        assert.deepStrictEqual(frames.map((frame) => frame.status), [200, 400])
      }
      // No REPORT has come, and the Message-ID may be used again.
      other.write(sendTo(client, "abc3", { body: "abc" }))
      assert.strictEqual(yield* text((yield* client.incoming.take).octets), "abc")
      assert.strictEqual((yield* other.frame).status, 200)
      assert.strictEqual(other.waiting, 0)
    }).pipe(Effect.provide(simulated)))

  it.effect("so it is with one that is kept, or hashed", () =>
    Effect.gen(function*() {
      const kept = Effect.fnUntraced(function*(collect: "body" | "digest") {
        const { client, other } = yield* pair({ collect })
        other.write(sendTo(client, "abc1", { body: "abcdef", at: [1, 9] }))
        other.write(sendTo(client, "abc2", { body: "abcdef", at: [1, 3] }))
        other.write(sendTo(client, "abc3", { body: "abcdef", at: [1, "*"] }))
        assert.strictEqual((yield* client.messages.take).length, 6)
        assert.deepStrictEqual((yield* other.frames(3)).map(({ status }) => status), [400, 400, 200])
        assert.isTrue(Option.isNone(yield* client.messages.poll))
      }, Effect.scoped)
      yield* kept("body")
      yield* kept("digest")
    }).pipe(Effect.provide(simulated)))

  it.effect("R4975-10-05: refuses it in the middle, and what still comes of it, and no other", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream" })
      other.write(sendTo(client, "abc1", { body: "abc", at: [1, 9], flag: "+" }))
      const incoming = yield* client.incoming.take
      assert.strictEqual((yield* other.frame).status, 200)
      yield* incoming.refuse()
      other.write(sendTo(client, "abc2", { body: "def", at: [4, 9], flag: "+" }))
      assert.strictEqual((yield* other.frame).status, 413)
      other.write(sendTo(client, "abc3", { body: "", at: [7, 9], flag: "#" }))
      assert.strictEqual((yield* other.frame).status, 413)
      const error = yield* Effect.flip(incoming.next)
      assert.deepStrictEqual([error.reason, error.status], ["Dropped", 413])
      other.write(sendTo(client, "abc4", { body: "new" }))
      assert.strictEqual(yield* text((yield* client.incoming.take).octets), "new")
    }).pipe(Effect.provide(simulated)))

  it.effect("refuses with its first chunk what is not wanted", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: () => ({ refuse: 415 }) })
      other.write(sendTo(client, "abc1", { body: "abc" }))
      assert.strictEqual((yield* other.frame).status, 415)
    }).pipe(Effect.provide(simulated)))

  it.effect("answers later while too much waits, so that the sender does", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream" })
      for (let i = 0; i < 5; i++) {
        const body = "x".repeat(QUARTER)
        other.write(sendTo(client, `abc${i}`, { body, at: [1 + i * QUARTER, "*"], flag: "+" }))
      }
      const incoming = yield* client.incoming.take
      yield* settled
      assert.strictEqual(other.waiting, 3)
      let taken = 0
      while (taken <= QUARTER) taken += (yield* incoming.next)!.length
      yield* settled
      assert.strictEqual(other.waiting, 5)
      const statuses = (yield* other.frames(5)).map((frame) => frame.status)
      assert.deepStrictEqual(statuses, [200, 200, 200, 200, 200])
    }).pipe(Effect.provide(simulated)))

  it.effect("refuses what is not taken in time, before its sender gives up", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream" })
      other.write(sendTo(client, "abcd", { body: "x".repeat(4 * QUARTER), at: [1, "*"], flag: "+" }))
      const incoming = yield* client.incoming.take
      yield* settled
      yield* TestClock.adjust(TAKE_WITHIN * 1000 - 1)
      assert.strictEqual(other.waiting, 0)
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* other.frame).status, 413)
      assert.strictEqual((yield* Effect.flip(incoming.next)).reason, "Dropped")
    }).pipe(Effect.provide(simulated)))

  it.effect("stops reading when too much of all messages was not taken", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "stream", maxUnread: 100_000 })
      ;(yield* TestNetwork).configure({ window: 20_000 }, client.connection)
      let written = 0
      for (let i = 0; i < 50; i++) {
        const octets = sendTo(client, `abc${i}`, { body: "x".repeat(10_000), at: [1 + i * 10_000, "*"], flag: "+" })
        other.connection.write(Buffer.from(octets), () => written++)
      }
      const incoming = yield* client.incoming.take
      yield* settled
      // Ten that were not taken, two in the window, and the one between.
      assert.strictEqual(written, 13)
      let taken = 0
      while (taken < 500_000) taken += (yield* incoming.next)!.length
      yield* settled
      assert.strictEqual(written, 50)
    }).pipe(Effect.provide(simulated)))
})
