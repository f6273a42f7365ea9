/** What a sender is told of a message, how it is given up, and how it goes where messages are carried. */
import { assert, describe, it } from "@effect/vitest"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Client from "../../src/Client.ts"
import { Frame } from "../../src/client/Frame.ts"
import { Codec } from "../../src/Codec.ts"
import { TestRelay } from "../../src/testing/TestRelay.ts"
import { TestNetwork, Transport } from "../../src/Transport.ts"
import { pair, peer, reportTo, sendTo, settled, simulated } from "./pair.ts"

describe("progress", () => {
  it.effect("tells what is sent and what is acknowledged", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const told: Array<Client.Progress> = []
      const fiber = yield* Effect.forkChild(client.send({
        toPath: peer,
        body: "x".repeat(25),
        chunkSize: 10,
        progress: (progress) => told.push(progress)
      }))
      const frames = yield* other.frames(3)
      assert.deepStrictEqual(told.at(-1), { sent: 25, acknowledged: 0, total: 25 })
      other.answer(frames[2]!, 200)
      other.answer(frames[0]!, 200)
      yield* settled
      assert.deepStrictEqual(told.at(-1), { sent: 25, acknowledged: 15, total: 25 })
      other.answer(frames[1]!, 200)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(told.at(-1), { sent: 25, acknowledged: 25, total: 25 })
    }).pipe(Effect.provide(simulated)))

  it.effect("tells each state once, and the last with all of it", () =>
    Effect.gen(function*() {
      const stream = (...lengths: ReadonlyArray<number>) =>
        Stream.fromIterable(lengths.map((length) => Buffer.alloc(length)))
      const sent = Effect.fnUntraced(function*(body: Client.SendOptions["body"], failureReport: "yes" | "no") {
        const { client, other } = yield* pair()
        const told: Array<Client.Progress> = []
        const progress = (now: Client.Progress): void => void told.push(now)
        const fiber = yield* Effect.forkChild(
          client.send({ toPath: peer, body, failureReport, chunkSize: 10, window: 2, progress })
        )
        let frame = yield* other.frame
        while (frame.flag === "+") {
          other.answer(frame, 200)
          frame = yield* other.frame
        }
        other.answer(frame, 200)
        const { length } = yield* Fiber.join(fiber)
        const texts = told.map((now) => JSON.stringify(now))
        assert.deepStrictEqual(texts, [...new Set(texts)])
        const last = { sent: length, acknowledged: failureReport === "yes" ? length : 0, total: length }
        assert.deepStrictEqual(told.at(-1), last)
      }, Effect.scoped)
      for (const failureReport of ["yes", "no"] as const) {
        for (const body of [undefined, "", "x", "x".repeat(25), stream(), stream(0), stream(10, 10), stream(3, 0, 9)]) {
          yield* sent(body, failureReport)
        }
      }
    }).pipe(Effect.provide(simulated)))

  it.effect("that throws is logged and told no more, and the message goes on", () => {
    const lines: Array<string> = []
    const logger = Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))])
    const sent = Effect.fnUntraced(function*(from: number) {
      const { client, other } = yield* pair()
      let calls = 0
      const progress = ({ acknowledged, sent }: Client.Progress): void => {
        if (sent + acknowledged < from) return
        calls++
        throw new RangeError("s3cret")
      }
      const fiber = yield* Effect.forkChild(
        client.send({ toPath: peer, body: "x".repeat(25), chunkSize: 10, progress })
      )
      for (const frame of yield* other.frames(3)) other.answer(frame, 200)
      assert.strictEqual((yield* Fiber.join(fiber)).length, 25)
      yield* client.send({ toPath: peer, body: "Hi", failureReport: "no" })
      return calls
    }, Effect.scoped)
    return Effect.gen(function*() {
      // While it is written, and out of a response.
      assert.deepStrictEqual([yield* sent(0), yield* sent(26)], [1, 1])
      assert.lengthOf(lines, 2)
      for (const line of lines) assert.match(line, /"a function that is told of progress is broken" error=RangeError$/)
    }).pipe(Effect.provide([simulated, logger]))
  })

  it.effect("says that it is to be told of failures only where the program says so: some peers look for the header", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const said = Effect.fnUntraced(function*(failureReport?: "yes" | "no" | "partial") {
        const fiber = yield* Effect.forkChild(client.send({ toPath: peer, body: "Hi", failureReport }))
        const [frame] = yield* other.frames(1)
        other.answer(frame!, 200)
        yield* Fiber.join(fiber)
        return frame!.header("Failure-Report")
      })
      assert.deepStrictEqual(
        [yield* said(), yield* said("yes"), yield* said("no"), yield* said("partial")],
        [undefined, "yes", "no", "partial"]
      )
    }).pipe(Effect.provide(simulated)))
})

describe("delivered", () => {
  const sent = (client: Client.Client, body = "0123456789") =>
    client.send({ toPath: peer, body, messageId: "mine1", failureReport: "no", successReport: true })

  it.effect("waits for REPORTs about every octet, in whatever parts", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const { delivered } = yield* sent(client)
      const fiber = yield* Effect.forkChild(delivered)
      for (const range of ["1-4/10", "8-10/10", "3-5/10"]) other.write(reportTo(client, "mine1", range, 200))
      other.write(reportTo(client, "other1", "1-10/10", 200))
      yield* settled
      assert.isUndefined(fiber.pollUnsafe())
      other.write(reportTo(client, "mine1", "6-7/10", 200))
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
    }).pipe(Effect.provide(simulated)))

  it.effect("fails with a failure REPORT, and with the connection", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const first = yield* sent(client)
      other.write(reportTo(client, "mine1", "1-10/10", 408))
      const error = yield* Effect.flip(first.delivered)
      assert.deepStrictEqual([error.reason, error.status], ["Reported", 408])
      const second = yield* sent(client)
      ;(yield* TestNetwork).cut(other.connection)
      assert.strictEqual((yield* Effect.flip(second.delivered)).reason, "Closed")
    }).pipe(Effect.provide(simulated)))

  it.effect("says when nobody was asked", () =>
    Effect.gen(function*() {
      const { client } = yield* pair()
      const { delivered } = yield* client.send({ toPath: peer, body: "Hi", failureReport: "no" })
      assert.strictEqual((yield* Effect.flip(delivered)).reason, "NoReport")
    }).pipe(Effect.provide(simulated)))

  it.effect("messages come though nobody takes REPORTs, of which the newest are kept", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ maxUnread: 10_000, maxReports: 20 })
      for (let i = 0; i < 200; i++) other.write(reportTo(client, `mess${i}`, "1-1/1", 200))
      other.write(sendTo(client, "abcd", { body: "Hi" }))
      assert.strictEqual((yield* client.messages.take).body?.toString(), "Hi")
      const kept = yield* client.reports.takeN(20)
      assert.deepStrictEqual([kept[0]?.messageId, kept.at(-1)?.messageId], ["mess180", "mess199"])
    }).pipe(Effect.provide(simulated)))
})

describe("giving up", () => {
  it.effect("tells the receiver with an empty chunk and #, when it is between two chunks", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const fiber = yield* Effect.forkChild(
        client.send({ toPath: peer, body: "x".repeat(30), chunkSize: 10, window: 2, messageId: "mine1" })
      )
      yield* other.frames(2)
      yield* settled
      yield* Fiber.interrupt(fiber)
      const last = yield* other.frame
      assert.deepInclude(last, { flag: "#", messageId: "mine1", failureReport: "no" })
      assert.strictEqual(last.header("Byte-Range"), "21-20/30")
      assert.strictEqual(last.body?.length, 0)
    }).pipe(Effect.provide(simulated)))
})

describe("a body that is not as long as its size", () => {
  const octets = (...lengths: ReadonlyArray<number>) =>
    Stream.fromIterable(lengths.map((length) => Buffer.alloc(length)))
  /** What the receiver got of it. */
  const got = (frames: ReadonlyArray<Frame>) => ({
    flags: frames.map(({ flag }) => flag).join(""),
    octets: frames.reduce((sum, { body }) => sum + (body?.length ?? 0), 0)
  })
  const sent = Effect.fnUntraced(function*(body: Stream.Stream<Uint8Array>, options: Partial<Client.SendOptions> = {}) {
    const { client, other } = yield* pair()
    const error = yield* Effect.flip(
      client.send({ toPath: peer, failureReport: "no", size: 1000, chunkSize: 100, ...options, body })
    )
    assert.instanceOf(error, Client.ClientError)
    yield* settled
    return { error, ...got(yield* other.frames(other.waiting)) }
  }, Effect.scoped)

  it.effect("is given up when it ends early, and its sender hears it", () =>
    Effect.gen(function*() {
      for (const options of [{}, { chunkSize: Infinity }, { successReport: true }, { byteRange: false }] as const) {
        const { error, flags, octets: length } = yield* sent(octets(100, 30), options)
        assert.strictEqual(error.reason, "Size")
        assert.match(error.message, /fewer than 1000/)
        assert.match(flags, /^\+*#$/)
        assert.strictEqual(length, 130)
      }
    }).pipe(Effect.provide(simulated)))

  it.effect("is given up when it goes on, and nothing beyond its size is sent", () =>
    Effect.gen(function*() {
      for (const options of [{}, { chunkSize: Infinity }] as const) {
        const { error, flags, octets: length } = yield* sent(octets(900, 100, 1), options)
        assert.strictEqual(error.reason, "Size")
        assert.match(error.message, /more than 1000/)
        assert.match(flags, /^\+*#$/)
        assert.strictEqual(length, 1000)
      }
      assert.isAtMost((yield* sent(octets(900, 500))).octets, 1000)
    }).pipe(Effect.provide(simulated)))

  it.effect("is whole with its size, though its stream never ends", () =>
    Effect.gen(function*() {
      let closed = 0
      const whole = Effect.fnUntraced(function*(size: number, chunkSize: number) {
        const { client, other } = yield* pair()
        const body = Stream.concat(octets(size, 0), Stream.never).pipe(
          Stream.ensuring(Effect.sync(() => void closed++))
        )
        const { length } = yield* client.send({ toPath: peer, failureReport: "no", size, chunkSize, body })
        yield* settled
        assert.match(got(yield* other.frames(other.waiting)).flags, /^\+*\$$/)
        return length
      }, Effect.scoped)
      for (const size of [0, 100, 1000]) {
        for (const chunkSize of [100, Infinity]) assert.strictEqual(yield* whole(size, chunkSize), size)
      }
      // Where there is nothing to come, it is not begun.
      assert.strictEqual(closed, 4)
    }).pipe(Effect.provide(simulated)))

  it.effect("is not begun when there is none of it, or too much at once", () =>
    Effect.gen(function*() {
      for (const body of [octets(), octets(0), octets(2000)]) {
        const { error, ...rest } = yield* sent(body)
        assert.strictEqual(error.reason, "Size")
        assert.deepStrictEqual(rest, { flags: "", octets: 0 })
      }
    }).pipe(Effect.provide(simulated)))

  it.effect("is measured by the total of its message where it goes to the end of it", () =>
    Effect.gen(function*() {
      const options = { size: undefined, byteRange: { start: 101, total: 200 } }
      assert.strictEqual((yield* sent(octets(90), options)).flags, "#")
      assert.strictEqual((yield* sent(octets(100, 1), options)).octets, 100)
    }).pipe(Effect.provide(simulated)))

  it.effect("is no whole message to its receiver, through a relay", () =>
    Effect.gen(function*() {
      const relay = yield* TestRelay
      const alice = yield* relay.login("alice")
      const bob = yield* relay.login("bob")
      const error = yield* Effect.flip(
        alice.client.send({ toPath: alice.pathTo(bob), body: octets(100_000), size: 200_000, successReport: true })
      )
      assert.strictEqual(error.reason, "Size")
      yield* alice.client.send({ toPath: alice.pathTo(bob), body: "after it" })
      assert.strictEqual((yield* bob.client.messages.take).body?.toString(), "after it")
    }).pipe(Effect.scoped, Effect.provide(TestRelay.layer())))
})

describe("a body whose stream stalls, or never ends", () => {
  it.effect("passes with what its stream gave before a pause, however little that is", () =>
    Effect.gen(function*() {
      const { login, network, pass, uri } = yield* TestRelay
      const { client, grant } = yield* login("alice")
      const bob = yield* Client.online({ relay: uri, username: "bob", password: "builder", collect: "stream" })
      const { path } = yield* bob.current
      const pieces = yield* Queue.unbounded<Uint8Array, Cause.Done>()
      const sending = yield* Effect.forkChild(
        client.send({ toPath: [...grant.usePath, ...path], body: Stream.fromQueue(pieces) })
      )
      yield* Queue.offer(pieces, Buffer.from("one"))
      yield* network.settled
      yield* pass("1 second")
      const message = Option.getOrThrow(yield* bob.incoming.poll)
      assert.strictEqual(String(yield* message.next), "one")
      yield* Queue.offer(pieces, Buffer.from("two"))
      yield* network.settled
      yield* pass("1 second")
      assert.strictEqual(message.received(), 6)
      yield* Queue.end(pieces)
      assert.deepInclude(yield* Fiber.join(sending), { length: 6, chunks: 3 })
      assert.deepStrictEqual((yield* Stream.runCollect(message.octets)).map(String), ["two"])
    }).pipe(Effect.provide(TestRelay.layer())))

  it.effect("goes on in the same chunk where its stream pauses for a moment, or after many octets", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const pieces = yield* Queue.unbounded<Uint8Array, Cause.Done>()
      const sending = yield* Effect.forkChild(client.send({ toPath: peer, body: Stream.fromQueue(pieces) }))
      yield* Queue.offer(pieces, Buffer.alloc(10))
      yield* TestClock.adjust("50 millis")
      yield* Queue.offer(pieces, Buffer.alloc(3000))
      yield* TestClock.adjust("1 minute")
      yield* Queue.offer(pieces, Buffer.alloc(10))
      yield* Queue.end(pieces)
      const frame = yield* other.frame
      assert.deepStrictEqual([frame.body?.length, frame.flag], [3020, "$"])
      other.answer(frame, 200)
      yield* Fiber.join(sending)
    }).pipe(Effect.provide(simulated)))

  const octets = (length: number) => Stream.make(Buffer.alloc(length))
  const stalled = (length: number) => Stream.concat(octets(length), Stream.never)
  const endless = Stream.forever(octets(30))

  /** Sends it until its time is over, then another message; gives the flags of each. */
  const until = Effect.fnUntraced(function*(
    body: Stream.Stream<Uint8Array>,
    options: Partial<Client.SendOptions> = {},
    transport?: "ws"
  ) {
    const { client, other } = yield* pair({ transport })
    const fiber = yield* Effect.forkChild(Effect.flip(
      client.send({ toPath: peer, failureReport: "no", messageId: "first", ...options, body }).pipe(
        Effect.timeout("20 seconds")
      )
    ))
    yield* settled
    yield* TestClock.adjust("20 seconds")
    assert.strictEqual((yield* Fiber.join(fiber))._tag, "TimeoutError")
    yield* client.send({ toPath: peer, failureReport: "no", messageId: "second", body: "x" })
    yield* settled
    const frames = yield* other.frames(other.waiting)
    const flags = (id: string) => frames.filter(({ messageId }) => messageId === id).map(({ flag }) => flag).join("")
    assert.strictEqual(flags("second"), "$")
    assert.strictEqual(frames.at(-1)!.messageId, "second")
    return flags("first")
  }, Effect.scoped)

  for (const transport of [undefined, "ws"] as const) {
    it.effect(`is given up when its time is over, and the receiver is told, by ${transport ?? "tcp"}`, () =>
      Effect.gen(function*() {
        // Nobody knows of it yet.
        assert.strictEqual(yield* until(Stream.never, {}, transport), "")
        assert.strictEqual(yield* until(stalled(0), {}, transport), "")
        // In a chunk, and between two.
        assert.match(yield* until(stalled(30), {}, transport), /^\+*#$/)
        assert.strictEqual(yield* until(stalled(30), { chunkSize: 10 }, transport), "+++#")
        assert.match(yield* until(stalled(30), { size: 100 }, transport), /^\+*#$/)
        // No chunk has its answer.
        assert.strictEqual(
          yield* until(endless, { chunkSize: 30, window: 3, failureReport: "yes" }, transport),
          "+++#"
        )
      }).pipe(Effect.provide(simulated)))
  }

  /** It has sent what there is, and another message has passed. */
  const passed = Effect.fnUntraced(
    function*(body: Stream.Stream<Uint8Array>, options: Partial<Client.SendOptions> = {}) {
      const { client, other } = yield* pair()
      const fiber = yield* Effect.forkChild(Effect.flip(client.send({ toPath: peer, ...options, body })))
      yield* settled
      yield* client.send({ toPath: peer, failureReport: "no", messageId: "second", body: "x" })
      const [begun, second] = yield* other.frames(2)
      assert.deepStrictEqual([begun!.flag, second!.messageId], ["+", "second"])
      return { client, other, begun: begun!, error: Fiber.join(fiber) as Effect.Effect<Client.ClientError> }
    }
  )

  it.effect("keeps no others from the connection, though pieces without octets come", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(passed(stalled(30)))
      yield* Effect.scoped(passed(Stream.concat(octets(30), stalled(0))))
    }).pipe(Effect.provide(simulated)))

  it.effect("is not waited for when the connection is gone", () =>
    Effect.gen(function*() {
      const { client, error } = yield* passed(stalled(30), { failureReport: "no" })
      yield* client.destroy
      assert.strictEqual((yield* error).reason, "Closed")
    }).pipe(Effect.provide(simulated)))

  it.effect("is not waited for when the message is refused", () =>
    Effect.gen(function*() {
      const { begun, error, other } = yield* passed(stalled(30))
      other.answer(begun, 413)
      assert.strictEqual((yield* error).status, 413)
    }).pipe(Effect.provide(simulated)))
})

/** The frames of messages, each of which must be one. */
const framesOfMessages = Effect.fnUntraced(function*() {
  const frames: Array<{ readonly frame: Frame; readonly octets: number }> = []
  const codec = yield* Codec
  const socket = { scheme: "msrp", transport: "ws", host: "relay.example.com", port: 2855 } as const
  let octets = 0
  let messages = 0
  yield* (yield* Transport).listen(socket, () => {
    let begun: Frame | undefined
    const put = (frame: Frame, flag: Frame["flag"]): void =>
      void frames.push({ frame: Object.assign(frame, { flag }), octets })
    const decoder = codec.decoder({
      frame: (head, start, end, flag) => {
        octets = end - start
        put(new Frame(head), flag)
        return true
      },
      chunkStart: (head) => {
        octets = 0
        begun = new Frame(head)
      },
      chunkBody: (_, start, end) => void (octets += end - start),
      chunkEnd: (flag) => put(begun!, flag),
      broken: (reason) => {
        throw new Error(reason)
      }
    })
    return {
      bytes: (chunk, last) => {
        if (last === true) messages++
        decoder.push(chunk, last)
      },
      closed: () => {}
    }
  })
  const client = yield* Client.connect(socket)
  return { client, frames, messages: () => messages }
})

describe("where messages are carried", () => {
  it.effect("R7977-5.1-02, R7977-5.1-20: each frame is one message, and no chunk has more than its body may", () =>
    Effect.gen(function*() {
      const { client, frames, messages } = yield* framesOfMessages()
      assert.match(client.uri, /;ws$/)
      const body = Stream.fromIterable([Buffer.alloc(100_000), Buffer.alloc(60_000)])
      // A browser cannot send a part of a message.
      const { connection } = client
      const write = connection.write.bind(connection)
      const parts: Array<number> = []
      Object.assign(connection, {
        write: (bytes: Uint8Array, written: () => void, ends: ReadonlyArray<number>) => {
          if (ends.at(-1) !== bytes.length) parts.push(bytes.length)
          write(bytes, written, ends)
        }
      })
      yield* Effect.all([
        client.send({ toPath: peer, body, size: 160_000, chunkSize: Infinity, failureReport: "no" }),
        client.send({ toPath: peer, body: "Hi", failureReport: "no" }),
        client.post({ method: "NICKNAME", toPath: peer })
      ], { concurrency: "unbounded" })
      yield* settled
      assert.strictEqual(messages(), frames.length)
      assert.deepStrictEqual(parts, [])
      const long = frames.filter(({ frame }) => frame.byteRange?.total === 160_000)
      assert.strictEqual(long.reduce((sum, { octets }) => sum + octets, 0), 160_000)
      assert.isTrue(long.every(({ octets }) => octets <= 65_536))
      assert.strictEqual(long.at(-1)?.frame.flag, "$")
      assert.strictEqual(frames.length - long.length, 2)
    }).pipe(Effect.provide(simulated)))

  it.effect("a chunk does not wait for more of its body to come", () =>
    Effect.gen(function*() {
      const { client, frames } = yield* framesOfMessages()
      const body = Stream.concat(
        Stream.fromIterable([Buffer.from("abc")]),
        Stream.fromEffect(Effect.as(Effect.sleep("1 hour"), Buffer.from("def")))
      )
      const fiber = yield* Effect.forkChild(client.send({ toPath: peer, body, failureReport: "no" }))
      yield* settled
      assert.deepStrictEqual(frames.map(({ frame, octets }) => [octets, frame.flag]), [[3, "+"]])
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(fiber)
      yield* settled
      assert.deepStrictEqual(frames.slice(1).map(({ frame, octets }) => [octets, frame.flag]).at(-1)?.[1], "$")
    }).pipe(Effect.provide(simulated)))
})
