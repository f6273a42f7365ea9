/** What a client makes of SENDs that come: how long a refusal lasts, and what is said of one without a body. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import type * as Client from "../../src/Client.ts"
import { TestRelay } from "../../src/testing/TestRelay.ts"
import { pair, peer, relay, sendTo, settled, simulated } from "./pair.ts"

/** Chunks of one message of nine octets, by where they begin. */
const chunk = (client: Client.Client, id: string, start: number | undefined, flag: string, body = "abc"): string => {
  const octets = sendTo(client, id, { body, at: [start ?? 1, 9], flag })
  return start === undefined ? octets.replace(/Byte-Range: .*\r\n/, "") : octets
}

describe("a message that was refused", () => {
  it.effect("is asked about again when it is sent again, with its own Message-ID, from its first octet", () =>
    Effect.gen(function*() {
      const again = Effect.fnUntraced(function*(start: number | undefined, refuse: number) {
        const asked: Array<number | undefined> = []
        const { client, other } = yield* pair({
          collect: ({ byteRange }) => asked.push(byteRange?.start) <= 2 ? { refuse } : "body"
        })
        other.write(chunk(client, "one1", start, "+"))
        other.write(chunk(client, "one2", 4, "+"))
        // Refused again, and so is what comes of that.
        other.write(chunk(client, "two1", start, "+"))
        other.write(chunk(client, "two2", 4, "+"))
        other.write(chunk(client, "thr1", start, "+"))
        other.write(chunk(client, "thr2", 4, "+", "def"))
        other.write(chunk(client, "thr3", 7, "$", "ghi"))
        const statuses = (yield* other.frames(7)).map(({ status }) => status)
        assert.deepStrictEqual(statuses, [refuse, refuse, refuse, refuse, 200, 200, 200])
        assert.deepStrictEqual(asked, [start, start, start])
        assert.strictEqual((yield* client.messages.take).body?.toString(), "abcdefghi")
      }, Effect.scoped)
      for (const start of [1, undefined]) for (const refuse of [413, 415]) yield* again(start, refuse)
    }).pipe(Effect.provide(simulated)))

  it.effect("for its size, or in the middle of it, is taken when it is sent again and shorter", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ maxMessage: 5 })
      other.write(chunk(client, "one1", 1, "+"))
      other.write(chunk(client, "one2", 4, "+"))
      other.write(chunk(client, "one3", 7, "+"))
      other.write(sendTo(client, "two1", { body: "ab", at: [1, "*"], flag: "+" }))
      other.write(sendTo(client, "two2", { body: "cd", at: [3, "*"] }))
      assert.deepStrictEqual((yield* other.frames(5)).map(({ status }) => status), [200, 413, 413, 200, 200])
      assert.strictEqual((yield* client.messages.take).body?.toString(), "abcd")
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("is not begun anew by the chunk that gives it up", () =>
    Effect.gen(function*() {
      let asked = 0
      const { client, other } = yield* pair({ collect: () => ++asked === 1 ? { refuse: 415 } : "stream" })
      other.write(chunk(client, "one1", undefined, "+"))
      other.write(chunk(client, "one2", undefined, "#", ""))
      assert.deepStrictEqual((yield* other.frames(2)).map(({ status }) => status), [415, 415])
      yield* settled
      assert.strictEqual(asked, 1)
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("where too many are unfinished is not joined in the middle, once there is room", () =>
    Effect.gen(function*() {
      let asked = 0
      const { client, other } = yield* pair({ collect: () => (asked++, "body") })
      const named = (id: string, messageId: string, start: number, flag: string): string =>
        chunk(client, id, start, flag).replace("message1", messageId)
      for (let i = 0; i < 1024; i++) other.write(named("open", `mess${i}`, 1, "+"))
      other.write(named("late", "late1", 1, "+"))
      other.write(named("gone", "mess0", 4, "#"))
      other.write(named("late", "late1", 4, "+"))
      const statuses = (yield* other.frames(1027)).slice(1024).map(({ status }) => status)
      assert.deepStrictEqual(statuses, [413, 200, 413])
      assert.strictEqual(asked, 1024)
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("each chunk from the first octet asks, and those behind it hear the same", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ start: fc.constantFrom(undefined, 1, 4, 7), refuses: fc.boolean() }), {
            minLength: 1,
            maxLength: 12
          }),
          (sent) =>
            Effect.runPromise(
              Effect.gen(function*() {
                let now = 0
                const { client, other } = yield* pair({
                  collect: ({ transactionId }) => {
                    now = Number(transactionId.slice(4))
                    return sent[now]!.refuses ? { refuse: 415 } : "stream"
                  }
                })
                sent.forEach(({ start }, i) => other.write(chunk(client, `abcd${i}`, start, "+")))
                const statuses = (yield* other.frames(sent.length)).map(({ status }) => status)
                // As the rule has it, in a line: once it is taken it is one message until its end.
                let state: "none" | "taken" | "refused" = "none"
                const wanted = sent.map(({ refuses, start = 1 }) => {
                  if (state === "none" || (state === "refused" && start === 1)) state = refuses ? "refused" : "taken"
                  return state === "taken" ? 200 : 415
                })
                assert.deepStrictEqual(statuses, wanted)
              }).pipe(Effect.scoped, Effect.provide(simulated))
            )
        ),
        { numRuns: 50 }
      )
    ))
})

describe("messages that never end", () => {
  const begun = (client: Client.Client, id: string, body = "abc"): string =>
    sendTo(client, id, { body, at: [1, "*"], flag: "+" }).replace("message1", `mess${id}`)
  const collects = ["body", "digest", "stream"] as const

  it.effect("make room for others when nothing of them came for 30 seconds, the oldest first", () =>
    Effect.gen(function*() {
      const among = Effect.fnUntraced(function*(collect: Client.Collect) {
        const { client, other } = yield* pair({ collect })
        for (let i = 0; i < 1024; i++) other.write(begun(client, `open${i}`))
        yield* other.frames(1024)
        const incoming = collect === "stream" ? yield* client.incoming.takeN(1024) : []
        yield* TestClock.adjust("29 seconds")
        other.write(sendTo(client, "goes", { body: "def", at: [4, "*"], flag: "+" }).replace("message1", "messopen0"))
        other.write(begun(client, "early"))
        assert.deepStrictEqual((yield* other.frames(2)).map(({ status }) => status), [200, 413])
        yield* TestClock.adjust("1 second")
        other.write(begun(client, "late"))
        // What has gone on stays, that which was longer without is heard to be refused.
        for (const id of ["open0", "open1", "open2"]) {
          other.write(sendTo(client, "goon", { body: "ghi", at: [7, "*"] }).replace("message1", `mess${id}`))
        }
        assert.deepStrictEqual((yield* other.frames(4)).map(({ status }) => status), [200, 200, 413, 200])
        if (collect !== "stream") return
        const [, dropped] = incoming
        assert.deepInclude(yield* Effect.flip(dropped!.next), { reason: "Dropped", status: 413 })
      }, Effect.scoped)
      for (const collect of collects) yield* among(collect)
    }).pipe(Effect.provide(simulated)))

  it.effect("keep no others from what memory there is for all of them", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ maxMessage: 20_000, maxUnread: 40_000 })
      for (let i = 0; i < 4; i++) other.write(begun(client, `open${i}`, "x".repeat(10_000)))
      other.write(sendTo(client, "early", { body: "Hello" }))
      assert.deepStrictEqual((yield* other.frames(5)).map(({ status }) => status), [200, 200, 200, 200, 413])
      yield* TestClock.adjust("30 seconds")
      other.write(sendTo(client, "late", { body: "Hello" }))
      assert.strictEqual((yield* other.frame).status, 200)
      assert.strictEqual((yield* client.messages.take).body?.toString(), "Hello")
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("are none that a long chunk is of, however long ago that has begun", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ maxMessage: 30_000, maxUnread: 40_000 })
      for (let i = 0; i < 3; i++) other.write(begun(client, `open${i}`, "x".repeat(10_000)))
      const body = "x".repeat(30_000)
      const octets = sendTo(client, "long", { body })
      const half = octets.length - 21_000
      other.write(octets.slice(0, half))
      yield* TestClock.adjust("1 minute")
      other.write(octets.slice(half))
      assert.deepStrictEqual((yield* other.frames(4)).map(({ status }) => status), [200, 200, 200, 200])
      assert.strictEqual((yield* client.messages.take).length, 30_000)
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("are bounded by what their pieces take beside their octets", () =>
    Effect.gen(function*() {
      for (const collect of collects) {
        const taken = yield* Effect.scoped(Effect.gen(function*() {
          const { client, other } = yield* pair({ collect, maxUnread: 40_000, maxMessage: 40_000 })
          for (let i = 0; i < 100; i++) {
            other.write(sendTo(client, `open${i}`, { body: "x", at: [2 + 2 * i, "*"], flag: "+" }))
          }
          return (yield* other.frames(100)).filter(({ status }) => status === 200).length
        }))
        assert.isAbove(taken, 50)
        assert.isBelow(taken, 100)
      }
    }).pipe(Effect.provide(simulated)))
})

describe("a SEND without a body", () => {
  const bodiless = (client: Client.Client, headers: string, flag = "$"): string =>
    `MSRP abcd SEND\r\nTo-Path: ${client.uri}\r\nFrom-Path: ${relay} ${peer}\r\n${headers}-------abcd${flag}\r\n`

  it.effect("is reported when it asks for that, and is no message", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const asks = "Message-ID: mine1\r\nSuccess-Report: yes\r\n"
      for (const range of ["", "Byte-Range: 1-0/0\r\n", "Byte-Range: 1-*/*\r\n"]) {
        other.write(bodiless(client, asks + range))
        const [answer, report] = yield* other.frames(2)
        assert.deepStrictEqual([answer!.status, report!.method, report!.messageId], [200, "REPORT", "mine1"])
        assert.strictEqual(report!.header("Byte-Range"), "1-0/0")
        assert.strictEqual(report!.header("Status"), "000 200 OK")
        assert.deepStrictEqual([report!.toPath, report!.fromPath], [`${relay} ${peer}`, client.uri])
      }
      yield* settled
      assert.strictEqual((yield* client.messages.poll)._tag, "None")
    }).pipe(Effect.provide(simulated)))

  it.effect("is not, when nobody asks, or it is no whole one", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const asks = "Message-ID: mine1\r\nSuccess-Report: yes\r\n"
      const others = [
        bodiless(client, "Message-ID: mine1\r\n"),
        bodiless(client, "Message-ID: mine1\r\nSuccess-Report: no\r\n"),
        bodiless(client, "Success-Report: yes\r\n"),
        bodiless(client, asks, "+"),
        bodiless(client, asks, "#"),
        bodiless(client, `${asks}Byte-Range: 4-3/9\r\n`),
        bodiless(client, `${asks}Byte-Range: 1-0/9\r\n`),
        bodiless(client, `${asks}Failure-Report: maybe\r\n`)
      ]
      for (const one of others) other.write(one)
      const statuses = (yield* other.frames(others.length)).map(({ status }) => status)
      assert.deepStrictEqual(statuses, [200, 200, 200, 200, 200, 200, 200, 400])
      yield* settled
      assert.strictEqual(other.waiting, 0)
    }).pipe(Effect.provide(simulated)))

  it.effect("is delivered, through a relay", () =>
    Effect.gen(function*() {
      const { login } = yield* TestRelay
      const alice = yield* login("alice")
      const bob = yield* login("bob")
      const sent = yield* alice.client.send({ toPath: alice.pathTo(bob), successReport: true })
      const { byteRange, status } = yield* sent.delivered
      assert.deepStrictEqual([status, byteRange], [200, { start: 1, end: 0, total: 0 }])
    }).pipe(Effect.scoped, Effect.provide(TestRelay.layer())))
})
