/** Real sockets on loopback, and a server that reads by the specification. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import { type HepOptions, keepOpen, layer, packetOf, send, type Way } from "../../src/hep/HepSender.ts"
import { sessionLabel } from "../../src/protocol/Ident.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { Relay, type TraceFrame } from "../../src/Relay.ts"
import { Transport } from "../../src/Transport.ts"
import { makeWorld, send as message, until } from "../support/harness.ts"
import { readHep, splitHep } from "../support/hep.ts"

const frame: TraceFrame = {
  time: 1_313_440_459_120,
  direction: "in",
  connection: 7,
  transport: "tls",
  remote: "192.0.2.7:49152",
  local: "[2001:db8::1]:2855",
  session: "1a2b3c4d5e6f",
  part: "frame",
  startLine: "MSRP a786hjs2 SEND",
  headers: ["To-Path: msrps://relay/~1a2b3c4d5e6f;tcp", "From-Path: msrps://a/~aaaaaaaaaaaa;tcp"],
  octets: 6,
  flag: "$"
}

const PAYLOAD = "MSRP a786hjs2 SEND\r\nTo-Path: msrps://relay/~1a2b3c4d5e6f;tcp\r\n" +
  "From-Path: msrps://a/~aaaaaaaaaaaa;tcp\r\n\r\n(6 octets of body)\r\n-------a786hjs2$\r\n"

const optionsFor = (transport: "udp" | "tcp", port: number): HepOptions => ({
  transport,
  host: "127.0.0.1",
  port,
  users: "*",
  captureId: 2001,
  key: Redacted.make("open sesame")
})

/** A server for datagrams: what has come. */
const receiver = Effect.acquireRelease(
  Effect.promise(async () => {
    const packets: Array<Buffer> = []
    const senders: Array<number> = []
    const socket = createSocket("udp4").on("message", (octets, { port }) => {
      packets.push(octets)
      senders.push(port)
    })
    socket.bind(0, "127.0.0.1")
    await once(socket, "listening")
    return { packets, senders, port: socket.address().port, close: () => socket.close() }
  }),
  ({ close }) => Effect.sync(close)
)

/** A server for connections, which may come at a later time. */
const server = (port = 0) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const received: Array<Buffer> = []
      const sockets: Array<Socket> = []
      const listening = createServer((socket) => {
        sockets.push(socket.on("data", (octets) => received.push(octets)).on("error", () => {}))
      }).listen(port, "127.0.0.1")
      await once(listening, "listening")
      return {
        port: (listening.address() as { port: number }).port,
        packets: () => splitHep(Buffer.concat(received)),
        close: () => {
          for (const socket of sockets) socket.destroy()
          listening.close()
        }
      }
    }),
    ({ close }) => Effect.sync(close)
  )

describe("HEP sender", () => {
  it("says who has sent it to whom, and of which session it is", () => {
    const { destination, source } = packetOf(frame, { captureId: 1 })
    assert.deepStrictEqual([source, destination], [
      { host: "192.0.2.7", port: 49_152 },
      { host: "2001:db8::1", port: 2855 }
    ])
    const back = packetOf({ ...frame, direction: "out" }, { captureId: 1 })
    assert.deepStrictEqual([back.destination, back.source], [source, destination])
    assert.strictEqual(back.correlation, "1a2b3c4d5e6f")
    const { session, ...auth } = frame
    assert.strictEqual(session, "1a2b3c4d5e6f")
    const early = packetOf({ ...auth, headers: ["To-Path: msrps://relay;tcp", frame.headers[1]!] }, { captureId: 1 })
    assert.strictEqual(early.correlation, "aaaaaaaaaaaa")
  })

  it.live("sends each frame in a datagram", () =>
    Effect.gen(function*() {
      const { packets, port } = yield* receiver
      yield* send(Stream.make(frame, { ...frame, octets: 0, flag: "+" as const }), optionsFor("udp", port))
      yield* until(() => packets.length === 2)
      const { of } = readHep(packets[0]!)
      assert.strictEqual(of(15)!.toString(), PAYLOAD)
      assert.strictEqual(of(12)!.readUInt32BE(), 2001)
      assert.strictEqual(of(14)!.toString(), "open sesame")
      assert.strictEqual(of(17)!.toString(), "1a2b3c4d5e6f")
      assert.strictEqual(of(1)![0], 10)
      assert.match(readHep(packets[1]!).of(15)!.toString(), /tcp\r\n-------a786hjs2\+\r\n$/)
    }))

  it.live("sends them on a connection, and on another one when that is gone", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const logger = Logger.make<unknown, void>((entry) => void log.push(Logger.formatLogFmt.log(entry)))
      const first = yield* server()
      const queue = yield* Queue.unbounded<TraceFrame>()
      yield* send(Stream.fromQueue(queue), optionsFor("tcp", first.port)).pipe(
        Effect.provide(Logger.layer([logger])),
        Effect.forkScoped
      )
      Queue.offerUnsafe(queue, frame)
      yield* until(() => first.packets().length === 1)
      assert.strictEqual(readHep(first.packets()[0]!).of(15)!.toString(), PAYLOAD)
      first.close()
      yield* until(() => log.some((line) => line.includes("cannot be reached")))
      const second = yield* server(first.port)
      // What comes before there is a connection again is lost; and if it were more than is sent, it would have no end.
      let turns = 0
      yield* until(() => {
        if (turns++ % 100 === 0) Queue.offerUnsafe(queue, frame)
        return second.packets().length > 0
      })
      assert.strictEqual(readHep(second.packets()[0]!).of(15)!.toString(), PAYLOAD)
      assert.deepStrictEqual(log.map((line) => /message="([^"]+)"/.exec(line)![1]), [
        "traced frames are sent by HEP",
        "the HEP server cannot be reached",
        "traced frames are sent by HEP"
      ])
      assert.include(log[1]!, "reason=\"the other side has closed the connection\"")
      assert.notInclude(log.join("\n"), "sesame")
    }))

  it.live("says in words why a server cannot be reached", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const logger = Logger.make<unknown, void>((entry) => void log.push(Logger.formatLogFmt.log(entry)))
      const { close, port } = yield* server()
      close()
      yield* send(Stream.never, optionsFor("tcp", port)).pipe(
        Effect.provide(Logger.layer([logger])),
        Effect.forkScoped
      )
      yield* until(() => log.length === 1)
      assert.match(
        log[0]!,
        /message="the HEP server cannot be reached" .*reason="nobody listens there \(ECONNREFUSED\)"$/
      )
    }))
})

describe("the way to a HEP server", () => {
  it.effect("is tried again after a second, then after twice as long each time up to 30 seconds", () =>
    Effect.gen(function*() {
      const times: Array<number> = []
      let isThere = false
      const way: Way = {
        write: () => Effect.succeed(0),
        open: (opened) =>
          Effect.gen(function*() {
            times.push((yield* Clock.currentTimeMillis) / 1000)
            if (!isThere) return yield* Effect.fail("nobody listens")
            yield* opened
            return yield* Effect.fail("it is gone")
          })
      }
      yield* Effect.forkChild(keepOpen(way, "tcp:homer:9060"), { startImmediately: true })
      yield* TestClock.adjust("150 seconds")
      assert.deepStrictEqual(times, [0, 1, 3, 7, 15, 31, 61, 91, 121])
      // From one that was open and is gone it begins anew.
      isThere = true
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(times.slice(9), [151, 152, 153])
    }).pipe(Effect.provide(Logger.layer([]))))

  it.effect("by datagrams is another one after ten minutes, for which the name is looked up again", () =>
    Effect.gen(function*() {
      const { packets, port, senders } = yield* receiver
      const queue = yield* Queue.unbounded<TraceFrame>()
      yield* Effect.forkScoped(send(Stream.fromQueue(queue), optionsFor("udp", port)))
      const one = Effect.suspend(() => {
        const count = packets.length
        Queue.offerUnsafe(queue, frame)
        return until(() => packets.length > count)
      })
      yield* one
      yield* TestClock.adjust("599 seconds")
      yield* one
      assert.strictEqual(senders[1], senders[0])
      // Behind it there is the pause before each.
      yield* TestClock.adjust("2 seconds")
      yield* one
      assert.notStrictEqual(senders[2], senders[1])
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([]))))

  it.effect("loses frames while there is none: how many is told once a minute", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const logger = Logger.make<unknown, void>((entry) => void log.push(Logger.formatLogFmt.log(entry)))
      const frames = Stream.concat(Stream.make({ ...frame, dropped: 1023 }), Stream.never)
      const told = () => log.filter((line) => line.includes("were not sent"))
      yield* send(frames, optionsFor("tcp", 9)).pipe(Effect.provide(Logger.layer([logger])), Effect.forkScoped)
      yield* TestClock.adjust("59999 millis")
      assert.deepStrictEqual(told(), [])
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(told(), 1)
      assert.match(told()[0]!, /frames=102[34]\b/)
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(told(), 1)
    }).pipe(Effect.scoped))
})

describe("a relay with HEP", () => {
  it.live("R4976-9.4-10: sends what its users do, and nothing secret", () =>
    Effect.gen(function*() {
      const { packets, port } = yield* receiver
      const world = yield* makeWorld()
      yield* Layer.build(layer({ ...optionsFor("udp", port), users: ["alice"] })).pipe(
        Effect.provideService(Relay, world.relay)
      )
      yield* world.login({ username: "carol" })
      const { alice, bob, bobUri } = yield* world.pair()
      alice.peer.write(message({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "between you and me" }))
      bob.answer(yield* bob.next)
      yield* until(() => packets.length === 12)
      const text = packets.map((octets) => octets.toString("latin1")).join("\n")
      for (const secret of world.secrets) assert.notInclude(text, secret)
      const label = sessionLabel(parseUri(alice.usePath)!.sessionId!)
      const read = packets.map(readHep)
      const sends = read.filter(({ of }) => of(15)!.includes(" SEND\r\n"))
      assert.lengthOf(sends, 4)
      for (const { of } of sends) assert.strictEqual(of(17)!.toString(), label)
      // An AUTH has no session yet: it goes with what the client is called.
      assert.strictEqual(read[0]!.of(17)!.toString(), sessionLabel(parseUri(alice.uri)!.sessionId!))
      assert.strictEqual(read[0]!.of(7)!.readUInt16BE(), alice.peer.connection.local.port)
      assert.strictEqual(read[0]!.of(8)!.readUInt16BE(), world.socket.port)
      yield* world.done
    }).pipe(Effect.scoped, Effect.provide(Transport.layerTest())))
})
