import { assert, describe, it, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import { createHash } from "node:crypto"
import * as Client from "../src/Client.ts"
import { Codec } from "../src/Codec.ts"
import { TestNetwork, Transport, TransportError } from "../src/Transport.ts"
import { pair, peer, relay, settled, simulated } from "./client/pair.ts"
import { joined, type Scripted, scripted } from "./client/Scripted.ts"
import { withTimeOfDay } from "./support/timeOfDay.ts"

const RELAY = { scheme: "msrp", host: "relay.example.com", port: 2855 } as const

/** A SEND from the peer to the client. */
const chunk = (client: Client.Client, id: string, options: {
  readonly body?: string
  readonly range?: string
  readonly messageId?: string
  readonly headers?: string
  readonly flag?: string
}): string =>
  `MSRP ${id} SEND\r\nTo-Path: ${client.uri}\r\nFrom-Path: ${relay} ${peer}\r\n` +
  `Message-ID: ${options.messageId ?? "message1"}\r\n` +
  (options.range === undefined ? "" : `Byte-Range: ${options.range}\r\n`) + (options.headers ?? "") +
  (options.body === undefined ? "" : `Content-Type: text/plain\r\n\r\n${options.body}\r\n`) +
  `-------${id}${options.flag ?? "$"}\r\n`

describe("requests", () => {
  it.effect("waits for the response with its own transaction id", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const headers = [["Use-Nickname", "\"bob\""]] as const
      const fiber = yield* Effect.forkChild(client.request({ method: "NICKNAME", toPath: [relay, peer], headers }))
      const request = yield* other.frame
      assert.strictEqual(request.method, "NICKNAME")
      assert.strictEqual(request.toPath, `${relay} ${peer}`)
      assert.strictEqual(request.fromPath, client.uri)
      assert.strictEqual(request.header("use-nickname"), "\"bob\"")
      other.write(`MSRP other123 403\r\nTo-Path: ${client.uri}\r\nFrom-Path: ${relay}\r\n-------other123$\r\n`)
      other.answer(request, 425)
      const response = yield* Fiber.join(fiber)
      assert.strictEqual(response.status, 425)
      assert.strictEqual(response.transactionId, request.transactionId)
    }).pipe(Effect.provide(simulated)))

  it.effect("gives up after 30 seconds, and not before (RFC 4975 §7.2)", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const fiber = yield* Effect.forkChild(Effect.flip(client.request({ method: "AUTH", toPath: relay })))
      yield* other.frame
      yield* TestClock.adjust("29999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "Timeout")
    }).pipe(Effect.provide(simulated)))

  it.effect("fails what waits when the connection is cut, and everything after that", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const network = yield* TestNetwork
      const request = yield* Effect.forkChild(Effect.flip(client.request({ method: "AUTH", toPath: relay })))
      const send = yield* Effect.forkChild(Effect.flip(client.send({ toPath: peer, body: "Hi" })))
      const message = yield* Effect.forkChild(Effect.flip(client.messages.take))
      yield* other.frames(2)
      network.cut(other.connection)
      assert.strictEqual((yield* Fiber.join(request)).reason, "Closed")
      assert.strictEqual((yield* Fiber.join(send)).reason, "Closed")
      assert.strictEqual((yield* Fiber.join(message)).reason, "Closed")
      assert.strictEqual((yield* client.closed).reason, "Closed")
      assert.strictEqual((yield* Effect.flip(client.send({ toPath: peer, body: "Hi" }))).reason, "Closed")
      assert.strictEqual((yield* Effect.flip(client.post({ method: "AUTH", toPath: relay }))).reason, "Closed")
    }).pipe(Effect.provide(simulated)))

  it.effect("ends the connection with its scope, behind what was sent", () =>
    Effect.gen(function*() {
      const other = yield* scripted(RELAY)
      yield* Effect.scoped(Effect.gen(function*() {
        const client = yield* Client.connect({ ...RELAY, respond: false, record: true })
        const end = yield* other.end
        end.write(chunk(client, "abcd", { body: "Hi" }))
        yield* client.respond(yield* client.frames.take, 200)
      }))
      assert.strictEqual((yield* other.frame).transactionId, "abcd")
      yield* settled
      assert.strictEqual((yield* TestNetwork).connections().length, 0)
    }).pipe(Effect.provide(simulated)))

  it.effect("ends it 30 seconds after its scope at the latest, where the other side does not close", () =>
    Effect.gen(function*() {
      yield* scripted(RELAY)
      const network = yield* TestNetwork
      const { connection } = yield* Effect.scoped(
        Effect.tap(Client.connect(RELAY), ({ connection }) => Effect.sync(() => network.stall(connection)))
      )
      yield* TestClock.adjust("29 seconds")
      yield* settled
      assert.include(network.connections(), connection)
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.notInclude(network.connections(), connection)
    }).pipe(Effect.provide(simulated)))

  it.effect("closes and says why when what comes is not MSRP", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      other.write("HTTP/1.1 400 Bad Request\r\n\r\n")
      assert.match((yield* client.closed).message, /framing is lost: not MSRP/)
    }).pipe(Effect.provide(simulated)))

  it.effect("fails with the transport's error when nobody listens", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Client.connect(RELAY))
      assert.instanceOf(error, TransportError)
      assert.strictEqual(error.reason, "Refused")
    }).pipe(Effect.provide(simulated)))
})

describe("send", () => {
  it.effect("sends a short message in one chunk with a numeric range", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const fiber = yield* Effect.forkChild(
        client.send({ toPath: [relay, peer], body: "Hi Bob", messageId: "8765", successReport: true })
      )
      const frame = yield* other.frame
      assert.deepStrictEqual(frame.headers, [
        ["Message-ID", "8765"],
        ["Success-Report", "yes"],
        ["Byte-Range", "1-6/6"],
        ["Content-Type", "text/plain"]
      ])
      assert.strictEqual(frame.body?.toString(), "Hi Bob")
      assert.strictEqual(frame.flag, "$")
      yield* settled
      assert.isUndefined(fiber.pollUnsafe())
      other.answer(frame, 200)
      const { chunks, length, messageId } = yield* Fiber.join(fiber)
      assert.deepStrictEqual({ messageId, length, chunks }, { messageId: "8765", length: 6, chunks: 1 })
    }).pipe(Effect.provide(simulated)))

  it.effect("R4975-7.1.1-14: gives a chunk of more than 2048 octets the range-end *", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const body = Buffer.alloc(5000, "x")
      yield* Effect.forkChild(client.send({ toPath: peer, body, chunkSize: 2048 }))
      yield* Effect.forkChild(client.send({ toPath: peer, body, chunkSize: 2049 }))
      const frames = yield* other.frames(6)
      const ranges = frames.map((frame) => `${frame.header("Byte-Range")} ${frame.body?.length} ${frame.flag}`)
      assert.sameMembers(ranges, [
        "1-2048/5000 2048 +",
        "2049-4096/5000 2048 +",
        "4097-5000/5000 904 $",
        "1-*/5000 2049 +",
        "2050-*/5000 2049 +",
        "4099-5000/5000 902 $"
      ])
      assert.strictEqual(new Set(frames.map((frame) => frame.transactionId)).size, 6)
      assert.strictEqual(new Set(frames.map((frame) => frame.messageId)).size, 2)
    }).pipe(Effect.provide(simulated)))

  it.effect("R4975-7.1-05, R4975-7.1.1-16: sends no body, and an empty body", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ record: true })
      yield* client.send({ toPath: peer, failureReport: "no" })
      yield* client.send({ toPath: peer, failureReport: "no", body: "" })
      const [none, empty] = yield* other.frames(2)
      assert.isFalse(none!.hasBody)
      assert.isUndefined(none!.header("Content-Type"))
      assert.isTrue(empty!.hasBody)
      assert.strictEqual(empty!.header("Byte-Range"), "1-0/0")
      assert.strictEqual(empty!.body?.length, 0)
    }).pipe(Effect.provide(simulated)))

  it.effect("has no more chunks without a response than the window", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const fiber = yield* Effect.forkChild(
        client.send({ toPath: peer, body: "abcdefghij", chunkSize: 2, window: 2 })
      )
      yield* settled
      assert.strictEqual(other.waiting, 2)
      const [, second] = yield* other.frames(2)
      other.answer(second!, 200)
      yield* settled
      assert.strictEqual(other.waiting, 1)
      assert.isUndefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(simulated)))

  it.effect("has chunks of 64 KiB, and 32 of them on their way, if nothing else is said", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      yield* Effect.forkChild(client.send({ toPath: peer, body: new Uint8Array(40 * 65_536) }))
      yield* settled
      const lengths = (yield* other.frames(other.waiting)).map(({ body }) => body?.length)
      assert.deepStrictEqual(lengths, Array(32).fill(65_536))
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("R4975-10-05: sends no further chunk after a 413", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const fiber = yield* Effect.forkChild(
        Effect.flip(client.send({ toPath: peer, body: "abcdefghij", chunkSize: 2, window: 2 }))
      )
      const [first] = yield* other.frames(2)
      other.answer(first!, 413)
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error.reason, "Refused")
      assert.strictEqual(error.status, 413)
      yield* settled
      assert.strictEqual(other.waiting, 0)
    }).pipe(Effect.provide(simulated)))

  it.effect("ends the chunk under way with # when the message is refused, and the wire stays whole", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const network = yield* TestNetwork
      // nothing of this chunk gets through before the refusal is there
      network.configure({ window: 1024 }, client.connection)
      network.stall(client.connection)
      const fiber = yield* Effect.forkChild(
        Effect.flip(
          client.send({ toPath: peer, body: Buffer.alloc(1_000_000), chunkSize: Infinity, messageId: "big1" })
        )
      )
      yield* settled
      other.write(
        `MSRP rp01H7 REPORT\r\nTo-Path: ${client.uri}\r\nFrom-Path: ${relay}\r\nMessage-ID: big1\r\n` +
          `Byte-Range: 1-1/1000000\r\nStatus: 000 413 Stop\r\n-------rp01H7$\r\n`
      )
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error.reason, "Reported")
      assert.strictEqual(error.status, 413)
      network.release(client.connection)
      yield* client.send({ toPath: peer, body: "next", failureReport: "no" })
      const [aborted, next] = yield* other.frames(2)
      assert.strictEqual(aborted!.flag, "#")
      assert.isBelow(aborted!.body!.length, 1_000_000)
      assert.strictEqual(next!.body?.toString(), "next")
    }).pipe(Effect.provide(simulated)))

  it.effect("ends the chunk under way with # when it is interrupted", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const body = Stream.concat(Stream.make(Buffer.from("abc")), Stream.never)
      const fiber = yield* Effect.forkChild(client.send({ toPath: peer, body, chunkSize: Infinity }))
      yield* settled
      yield* Fiber.interrupt(fiber)
      const frame = yield* other.frame
      assert.strictEqual(frame.flag, "#")
      assert.strictEqual(frame.body?.toString(), "abc")
      assert.strictEqual(frame.header("Byte-Range"), "1-*/*")
    }).pipe(Effect.provide(simulated)))

  it.effect("fails with the error of the stream that gives the body", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const body = Stream.concat(Stream.make(Buffer.from("abc")), Stream.fail("disk"))
      assert.strictEqual(yield* Effect.flip(client.send({ toPath: peer, body, chunkSize: Infinity })), "disk")
      assert.strictEqual((yield* other.frame).flag, "#")
    }).pipe(Effect.provide(simulated)))

  it.effect("R4975-7.1.1-21: cuts a long chunk for a response, and resumes it under a new id", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const go = yield* Deferred.make<void>()
      const body = Stream.make(Buffer.alloc(3000, "a")).pipe(
        Stream.concat(Stream.fromEffect(Effect.as(Deferred.await(go), Buffer.alloc(3000, "b"))))
      )
      const fiber = yield* Effect.forkChild(client.send({ toPath: peer, body, size: 6000, chunkSize: Infinity }))
      yield* settled
      other.write(chunk(client, "abcd", { body: "Hi" }))
      const [first, response] = yield* other.frames(2)
      assert.strictEqual(first!.flag, "+")
      assert.strictEqual(first!.header("Byte-Range"), "1-*/6000")
      assert.strictEqual(first!.body?.toString(), "a".repeat(3000))
      assert.strictEqual(response!.status, 200)
      assert.strictEqual(response!.transactionId, "abcd")
      yield* Deferred.succeed(go, undefined)
      const second = yield* other.frame
      assert.strictEqual(second.flag, "$")
      assert.strictEqual(second.header("Byte-Range"), "3001-*/6000")
      assert.notStrictEqual(second.transactionId, first!.transactionId)
      other.answer(first!, 200)
      other.answer(second, 200)
      assert.strictEqual((yield* Fiber.join(fiber)).chunks, 2)
    }).pipe(Effect.provide(simulated)))

  it.effect("lets two long messages take turns on one connection", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const body = Buffer.alloc(400_000, "x")
      for (const messageId of ["left", "right"]) {
        yield* Effect.forkChild(
          client.send({ toPath: peer, body, messageId, chunkSize: Infinity, failureReport: "no" })
        )
      }
      const order: Array<string> = []
      const octets = { left: 0, right: 0 }
      while (octets.left + octets.right < 800_000) {
        const frame = yield* other.frame
        order.push(frame.messageId!)
        octets[frame.messageId as "left"] += frame.body!.length
      }
      assert.deepStrictEqual(octets, { left: 400_000, right: 400_000 })
      assert.isAbove(order.lastIndexOf("left"), order.indexOf("right"))
      assert.isAbove(order.lastIndexOf("right"), order.indexOf("left"))
    }).pipe(Effect.provide(simulated)))

  it.effect("takes no more from the body than the connection takes, and goes on when it does", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const network = yield* TestNetwork
      network.stall(client.connection)
      let pulled = 0
      const body = Stream.range(1, 400).pipe(
        Stream.rechunk(1),
        Stream.map(() => {
          pulled++
          return Buffer.alloc(10_000, "x")
        })
      )
      const fiber = yield* Effect.forkChild(
        client.send({ toPath: peer, body, chunkSize: Infinity, failureReport: "no" })
      )
      yield* settled
      // 65,536 octets are in the simulated system, 262,144 and a batch wait here
      assert.isBelow(pulled, 60)
      assert.isBelow(client.connection.pending(), 500_000)
      network.release(client.connection)
      assert.strictEqual((yield* Fiber.join(fiber)).length, 4_000_000)
      assert.strictEqual((yield* other.frame).body?.length, 4_000_000)
    }).pipe(Effect.provide(simulated)))

  it.effect("asks for the failure of partial, waits for nothing, and stops at a failure REPORT", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const options = { toPath: peer, messageId: "part1", failureReport: "partial" } as const
      assert.strictEqual((yield* client.send({ ...options, body: "Hi" })).length, 2)
      assert.strictEqual((yield* other.frame).failureReport, "partial")
      const body = Stream.concat(Stream.make(Buffer.from("abc")), Stream.never)
      const fiber = yield* Effect.forkChild(Effect.flip(client.send({ ...options, body })))
      yield* settled
      other.write(
        `MSRP rp02H7 REPORT\r\nTo-Path: ${client.uri}\r\nFrom-Path: ${relay}\r\nMessage-ID: part1\r\n` +
          `Status: 000 408 Timeout\r\n-------rp02H7$\r\n`
      )
      assert.strictEqual((yield* Fiber.join(fiber)).status, 408)
      assert.strictEqual((yield* client.reports.take).status, 408)
    }).pipe(Effect.provide(simulated)))

  it.effect("times out 30 seconds after the oldest chunk without a response", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const fiber = yield* Effect.forkChild(
        Effect.flip(client.send({ toPath: peer, body: "abcd", chunkSize: 2 }))
      )
      const [first] = yield* other.frames(2)
      yield* TestClock.adjust("20 seconds")
      other.answer(first!, 200)
      yield* settled
      yield* TestClock.adjust("9999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "Timeout")
    }).pipe(Effect.provide(simulated)))

  it.effect("waits as long for a response where the time of day is set anew", () =>
    withTimeOfDay((set) =>
      Effect.gen(function*() {
        const { client, other } = yield* pair()
        for (const hours of [5, -10]) {
          const fiber = yield* Effect.forkChild(
            Effect.flip(client.send({ toPath: peer, body: "abcd", chunkSize: 2 }))
          )
          const [first] = yield* other.frames(2)
          set(hours * 3_600_000)
          other.answer(first!, 200)
          yield* settled
          assert.isUndefined(fiber.pollUnsafe(), `${hours}`)
          yield* TestClock.adjust("30 seconds")
          assert.strictEqual(fiber.pollUnsafe()?._tag, "Success", `${hours}`)
          assert.strictEqual((yield* Fiber.join(fiber)).reason, "Timeout")
        }
      })
    ).pipe(Effect.provide(simulated)))

  it.effect("sends a part of a message, and chunks without Byte-Range", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const options = { toPath: peer, body: "abc", failureReport: "no" } as const
      yield* client.send({ ...options, byteRange: { start: 11, total: undefined }, flag: "+" })
      yield* client.send({ ...options, byteRange: false })
      const [part, plain] = yield* other.frames(2)
      assert.strictEqual(part!.header("Byte-Range"), "11-13/*")
      assert.strictEqual(part!.flag, "+")
      assert.isUndefined(plain!.byteRange)
    }).pipe(Effect.provide(simulated)))
})

/** What the client sends next is this, so it sent nothing before. */
const nothingBefore = Effect.fnUntraced(function*(client: Client.Client, other: Scripted) {
  yield* client.post({ method: "REPORT", toPath: peer, transactionId: "marker" })
  assert.strictEqual((yield* other.frame).transactionId, "marker")
})

describe("receive", () => {
  it.effect("R4976-6.4.1-02, R4975-7.2-03: answers 200 to the hop before", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      other.write(chunk(client, "abcd", { body: "Hello" }))
      const response = yield* other.frame
      assert.strictEqual(response.transactionId, "abcd")
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.toPath, relay)
      assert.strictEqual(response.fromPath, client.uri)
      const message = yield* client.messages.take
      assert.strictEqual(message.body?.toString(), "Hello")
      assert.strictEqual(message.fromPath, `${relay} ${peer}`)
      assert.strictEqual(message.contentType, "text/plain")
      yield* nothingBefore(client, other)
    }).pipe(Effect.provide(simulated)))

  it.effect("answers as Failure-Report wants it", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ maxMessage: 10 })
      const send = (report: string, body: string) =>
        other.write(chunk(client, `${report}-${body.length}`, { body, headers: `Failure-Report: ${report}\r\n` }))
      for (const report of ["yes", "partial", "no"]) {
        send(report, "short")
        send(report, "longer than ten")
      }
      const answers = yield* other.frames(3)
      assert.deepStrictEqual(answers.map((frame) => [frame.transactionId, frame.status]), [
        ["yes-5", 200],
        ["yes-15", 413],
        ["partial-15", 413]
      ])
      yield* nothingBefore(client, other)
      assert.strictEqual((yield* client.messages.takeN(3)).length, 3)
      assert.isTrue(Option.isNone(yield* client.messages.poll))
    }).pipe(Effect.provide(simulated)))

  it.effect("answers what is malformed 400, and a method that it does not know 501", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      other.write(chunk(client, "abcd", { body: "Hello", headers: "Failure-Report: maybe\r\n" }))
      other.write(`MSRP efgh DANCE\r\nTo-Path: ${client.uri}\r\nFrom-Path: ${relay} ${peer}\r\n-------efgh$\r\n`)
      const [bad, unknown] = yield* other.frames(2)
      assert.strictEqual(bad!.status, 400)
      assert.strictEqual(unknown!.status, 501)
      assert.strictEqual(unknown!.toPath, `${relay} ${peer}`)
      assert.isTrue(Option.isNone(yield* client.messages.poll))
    }).pipe(Effect.provide(simulated)))

  it.effect("R4975-7.1.2-01: puts chunks together and reports the whole message, and answers no REPORT", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const headers = "Success-Report: yes\r\n"
      other.write(chunk(client, "abc3", { body: "ghi", range: "7-9/9", headers }))
      other.write(chunk(client, "abc1", { body: "abc", range: "1-3/9", headers, flag: "+" }))
      other.write(chunk(client, "other1", { body: "other", messageId: "message2" }))
      other.write(chunk(client, "abc2", { body: "def", range: "4-*/9", headers, flag: "+" }))
      const frames = yield* other.frames(5)
      assert.deepStrictEqual(frames.slice(0, 4).map((frame) => frame.status), [200, 200, 200, 200])
      const report = frames[4]!
      assert.strictEqual(report.method, "REPORT")
      assert.strictEqual(report.toPath, `${relay} ${peer}`)
      assert.strictEqual(report.fromPath, client.uri)
      assert.deepStrictEqual(report.headers, [
        ["Message-ID", "message1"],
        ["Byte-Range", "1-9/9"],
        ["Status", "000 200 OK"]
      ])
      const [second, first] = yield* client.messages.takeN(2)
      assert.strictEqual(second!.body?.toString(), "other")
      assert.strictEqual(first!.body?.toString(), "abcdefghi")
      other.write(
        `MSRP rp03H7 REPORT\r\nTo-Path: ${client.uri}\r\nFrom-Path: ${relay} ${peer}\r\nMessage-ID: message9\r\n` +
          `Byte-Range: 1-9/9\r\nStatus: 000 200 OK\r\n-------rp03H7$\r\n`
      )
      const received = yield* client.reports.take
      assert.deepInclude(received, { messageId: "message9", status: 200, comment: "OK" })
      assert.deepStrictEqual(received.byteRange, { start: 1, end: 9, total: 9 })
      yield* nothingBefore(client, other)
    }).pipe(Effect.provide(simulated)))

  it.effect("keeps messages of equal Message-IDs in two sessions apart", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const second = client.newUri()
      const to = (uri: string, text: string) => text.replace(client.uri, uri)
      other.write(chunk(client, "aaa1", { body: "one ", range: "1-4/8", flag: "+" }))
      other.write(to(second, chunk(client, "bbb1", { body: "two ", range: "1-4/8", flag: "+" })))
      other.write(to(second, chunk(client, "bbb2", { body: "deux", range: "5-8/8" })))
      other.write(chunk(client, "aaa2", { body: "eins", range: "5-8/8" }))
      const messages = yield* client.messages.takeN(2)
      assert.deepStrictEqual(messages.map((message) => [message.toPath, message.body?.toString()]), [
        [second, "two deux"],
        [client.uri, "one eins"]
      ])
    }).pipe(Effect.provide(simulated)))

  it.effect("forgets a message that is given up with #", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      other.write(chunk(client, "abc1", { body: "abc", range: "1-3/6", flag: "+" }))
      other.write(chunk(client, "abc2", { body: "d", range: "4-*/6", flag: "#" }))
      other.write(chunk(client, "abc3", { body: "def", range: "4-6/6" }))
      yield* other.frames(3)
      assert.isTrue(Option.isNone(yield* client.messages.poll))
    }).pipe(Effect.provide(simulated)))

  it.effect("R4975-10-05: answers 413 in the middle of a chunk that is too long, and reads on", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ maxMessage: 5000 })
      const whole = chunk(client, "abcd", { body: "x".repeat(100_000), range: "1-*/*" })
      other.write(whole.slice(0, 50_000))
      assert.strictEqual((yield* other.frame).status, 413)
      other.write(whole.slice(50_000))
      other.write(chunk(client, "efgh", { body: "next", messageId: "message2" }))
      const response = yield* other.frame
      assert.deepStrictEqual([response.transactionId, response.status], ["efgh", 200])
      assert.strictEqual((yield* client.messages.take).body?.toString(), "next")
    }).pipe(Effect.provide(simulated)))

  it.effect("keeps messages of up to 32 MiB, if nothing else is said", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const last = (id: string, at: number) =>
        other.write(chunk(client, id, { body: "x", range: `${at}-${at}/*`, messageId: id, flag: "+" }))
      last("most1", 33_554_432)
      assert.strictEqual((yield* other.frame).status, 200)
      last("more1", 33_554_433)
      assert.strictEqual((yield* other.frame).status, 413)
    }).pipe(Effect.provide(simulated)))

  it.effect("counts and hashes a message instead of keeping it", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ collect: "digest", maxMessage: 1000 })
      const body = "0123456789".repeat(10_000)
      other.write(chunk(client, "abc1", { body: body.slice(0, 60_000), range: "1-*/100000", flag: "+" }))
      other.write(chunk(client, "abc2", { body: body.slice(60_000), range: "60001-*/100000" }))
      const message = yield* client.messages.take
      assert.strictEqual(message.length, 100_000)
      assert.isUndefined(message.body)
      assert.strictEqual(message.sha256, createHash("sha256").update(body).digest("hex"))
    }).pipe(Effect.provide(simulated)))

  it.effect("answers nothing by itself when told so, and keeps every frame as it came", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ respond: false, report: false, record: true })
      other.write(chunk(client, "abc1", { body: "abc", range: "1-3/6", flag: "+", headers: "Success-Report: yes\r\n" }))
      other.write(
        chunk(client, "abc2", { body: "y".repeat(70_000), range: "4-*/*", headers: "X-Odd:  two blanks\r\n" })
      )
      other.write(`MSRP tid4 200 Fine\r\nTo-Path: ${client.uri}\r\nFrom-Path: ${relay}\r\n-------tid4$\r\n`)
      const [first, second, third] = yield* client.frames.takeN(3)
      assert.strictEqual(first!.body?.toString(), "abc")
      assert.strictEqual(first!.flag, "+")
      assert.strictEqual(second!.body?.length, 70_000)
      assert.strictEqual(second!.header("x-odd"), "two blanks")
      assert.deepStrictEqual([third!.method, third!.status, third!.comment], ["", 200, "Fine"])
      yield* nothingBefore(client, other)
      yield* client.respond(second!, 415, { comment: "No", headers: [["X-Hint", "text"]] })
      const response = yield* other.frame
      assert.deepStrictEqual([response.transactionId, response.status, response.comment], ["abc2", 415, "No"])
      assert.strictEqual(response.header("X-Hint"), "text")
      yield* client.report(first!, { status: 408, byteRange: "1-3/6" })
      assert.strictEqual((yield* other.frame).header("Status"), "000 408 Request Timeout")
    }).pipe(Effect.provide(simulated)))

  it.effect("stops reading when too much was not taken, and reads on when it was", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ maxUnread: 100_000 })
      const network = yield* TestNetwork
      network.configure({ window: 20_000 }, client.connection)
      let written = 0
      for (let i = 0; i < 100; i++) {
        const text = Buffer.from(chunk(client, `abc${i}`, { body: "x".repeat(10_000), messageId: `mess${i}` }))
        other.connection.write(text, () => written++)
      }
      yield* settled
      assert.isBelow(written, 20)
      const bodies = yield* client.messages.takeN(100)
      assert.isTrue(bodies.every((message) => message.length === 10_000))
      yield* settled
      assert.strictEqual(written, 100)
    }).pipe(Effect.provide(simulated)))

  it.effect("R4975-14.5-01: bounds what all unfinished messages hold together", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ maxMessage: 20_000, maxUnread: 40_000 })
      for (let i = 0; i < 5; i++) {
        const body = "x".repeat(10_000)
        other.write(chunk(client, `abc${i}`, { body, messageId: `mess${i}`, range: "1-*/20000", flag: "+" }))
      }
      const statuses = (yield* other.frames(5)).map((frame) => frame.status)
      assert.deepStrictEqual(statuses, [200, 200, 200, 200, 413])
    }).pipe(Effect.provide(simulated)))
})

/** Two clients on one wire; what the second gets of the first one's message. */
const transfer = Effect.fnUntraced(function*(
  socket: typeof RELAY | { scheme: "msrp"; host: string; port: number },
  options: Omit<Client.SendOptions, "toPath">,
  collect: Client.Collect = "body"
) {
  const bound = yield* joined(socket)
  const address = { scheme: "msrp", host: socket.host, port: bound.port } as const
  const alice = yield* Client.connect(address)
  const bob = yield* Client.connect({ ...address, collect })
  const sent = yield* alice.send({ ...options, toPath: bob.uri, successReport: true })
  const message = yield* bob.messages.take
  const report = yield* alice.reports.take
  assert.strictEqual(message.messageId, sent.messageId)
  assert.strictEqual(message.length, sent.length)
  assert.strictEqual(report.status, 200)
  return message
})

describe("from client to client", () => {
  const cases = fc.record({
    body: fc.uint8Array({ maxLength: 6000 }),
    piece: fc.integer({ min: 1, max: 3000 }),
    chunkSize: fc.oneof(fc.integer({ min: 50, max: 5000 }), fc.constant(Infinity)),
    window: fc.integer({ min: 1, max: 4 }),
    streamed: fc.boolean(),
    seed: fc.integer(),
    split: fc.integer({ min: 1, max: 4000 })
  })
  it.effect("R4975-9-09: any message in any chunks over any network arrives octet for octet", () =>
    Effect.gen(function*() {
      for (
        const { body, chunkSize, piece, seed, split, streamed, window } of fc.sample(cases, { numRuns: 60, seed: 7 })
      ) {
        const pieces = Array.from(
          { length: Math.ceil(body.length / piece) },
          (_, i) => body.subarray(i * piece, (i + 1) * piece)
        )
        const network = Transport.layerTest({
          seed,
          split: (_, random) => 1 + Math.floor(random() * split),
          shuffle: true
        })
        const message = yield* Effect.scoped(
          transfer(RELAY, { body: streamed ? Stream.fromIterable(pieces) : body, chunkSize, window })
        ).pipe(Effect.provide(Layer.merge(network, Codec.layer)))
        assert.isTrue(message.body?.equals(body))
      }
    }))
})

layer(Layer.merge(Transport.layerNode(), Codec.layer), { excludeTestServices: true })("on loopback", (it) => {
  it.effect("sends 20 MB in 64 KiB chunks and in one", () =>
    Effect.gen(function*() {
      const body = Buffer.alloc(20_000_000, "0123456789abcdef\r\n-------")
      const sha256 = createHash("sha256").update(body).digest("hex")
      for (const chunkSize of [65_536, Infinity]) {
        const message = yield* transfer({ scheme: "msrp", host: "127.0.0.1", port: 0 }, { body, chunkSize }, "digest")
        assert.strictEqual(message.sha256, sha256)
      }
    }))
})
