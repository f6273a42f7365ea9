import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Socket } from "node:net"
import * as Tls from "node:tls"
import { type LocalSocket, type NodeOptions, Transport } from "../../src/Transport.ts"
import { makeDefer, MOST } from "../../src/transport/Defer.ts"
import { NodeConnection } from "../../src/transport/NodeConnection.ts"
import { ca, localhost } from "../support/pki.ts"
import { pattern, poll, Recorder } from "../support/Recorder.ts"
import { facts, plainClient, plainServer } from "./plain.ts"

const run = <A, E>(options: NodeOptions, effect: Effect.Effect<A, E, Transport | Scope.Scope>) =>
  Effect.provide(effect, Transport.layerNode(options))

const loopback: LocalSocket = { scheme: "msrp", host: "127.0.0.1", port: 0 }

describe("layerNode", () => {
  it.effect("a reset by the peer is a close like any other", () =>
    run(
      {},
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const accepting = new Recorder()
        const bound = yield* listen(loopback, accepting.accept)
        const { socket } = yield* plainClient(bound.port)
        yield* poll(() => accepting.connection !== undefined)
        socket.pause()
        let written = 0
        // Both are lost, which is known when they are given back.
        const lost: Array<boolean | undefined> = [accepting.connection.lost]
        for (const octets of [32 * 1_048_576, 10]) {
          accepting.connection.write(pattern(octets), () => {
            written++
            lost.push(accepting.connection.lost)
          })
        }
        socket.resetAndDestroy()
        yield* accepting.untilClosed
        assert.deepStrictEqual([written, accepting.closures, accepting.connection.pending()], [2, 1, 0])
        assert.deepStrictEqual(lost, [false, true, true])
      })
    ))
})

describe("NodeConnection", () => {
  it.effect("loses what is written while its end waits for its turn among others'", () =>
    Effect.gen(function*() {
      const recorder = new Recorder()
      const slices: Array<() => void> = []
      let gone = false
      const port = yield* plainServer((socket) => {
        const connection = new NodeConnection(
          socket,
          facts,
          { reads: "events", defer: makeDefer(() => {}), inSlices: (task) => void slices.push(task), defect: () => {} },
          () => {}
        )
        socket.once("close", () => void (gone = true))
        connection.start(recorder.accept)
      })
      const { socket } = yield* plainClient(port)
      yield* poll(() => recorder.connection !== undefined)
      assert.isFalse(recorder.connection.halfClosed)
      socket.resetAndDestroy()
      yield* poll(() => gone)
      assert.isTrue(recorder.connection.halfClosed)
      let lost: boolean | undefined
      recorder.connection.write(pattern(10), () => void (lost = recorder.connection.lost))
      yield* poll(() => lost !== undefined)
      assert.isTrue(lost)
      for (const task of slices) task()
      yield* recorder.untilClosed
    }))

  it.effect("says that its peer has closed its side, and still answers it, while its own end waits for its turn", () =>
    Effect.gen(function*() {
      const recorder = new Recorder()
      const slices: Array<() => void> = []
      const port = yield* plainServer((socket) =>
        new NodeConnection(
          socket,
          facts,
          { reads: "shared", defer: makeDefer(() => {}), inSlices: (task) => void slices.push(task), defect: () => {} },
          () => {}
        ).start(recorder.accept)
      )
      const { socket } = yield* plainClient(port)
      let heard = ""
      socket.on("data", (octets) => void (heard += octets.toString()))
      yield* poll(() => recorder.connection !== undefined)
      socket.end("last words")
      yield* poll(() => slices.length > 0)
      assert.isTrue(recorder.connection.halfClosed)
      assert.strictEqual(recorder.received.toString(), "last words")
      recorder.connection.write(Buffer.from("answer"), () => {})
      for (let task = slices.shift(); task !== undefined; task = slices.shift()) task()
      yield* poll(() => slices.length > 0)
      for (const task of slices) task()
      yield* recorder.untilClosed
      yield* poll(() => heard === "answer")
    }))

  it.effect.each(["shared", "events"] as const)(
    "reads on in the next turn when there was too much to read in this one (%s)",
    (reads) =>
      Effect.gen(function*() {
        const defer = makeDefer(() => {})
        const recorder = new Recorder()
        const sent = pattern(1_048_576)
        const port = yield* plainServer((socket) => {
          const connection = new NodeConnection(
            socket,
            facts,
            { reads, defer, inSlices: defer, defect: () => {} },
            () => {}
          )
          connection.start(recorder.accept)
        })
        let turn = 0
        const turnOfReads: Array<number> = []
        recorder.onBytes = () => {
          turnOfReads.push(turn)
          defer.nextTurn(() => void turn++)
          defer.read(MOST, true)
        }
        const { socket } = yield* plainClient(port)
        socket.end(sent)
        yield* recorder.untilClosed
        assert.isTrue(recorder.received.equals(sent))
        assert.isAbove(turnOfReads.length, 1)
        assert.strictEqual(new Set(turnOfReads).size, turnOfReads.length)
      })
  )

  it.effect("stops a TLS connection when there was too much to read, whatever its records fill, also where polls are ended", () =>
    Effect.gen(function*() {
      const defer = makeDefer(() => {}, () => {})
      const recorder = new Recorder()
      const sent = pattern(1_048_576)
      const { cert, key } = localhost
      const server = Tls.createServer({ cert, key: Redacted.value(key) }, (socket) => {
        const around = { reads: "shared", defer, inSlices: defer, defect: () => {} } as const
        new NodeConnection(socket, facts, around, () => {}).start(recorder.accept)
      })
      const port = yield* plainServer((socket) => void server.emit("connection", socket))
      let stops = 0
      recorder.onBytes = () => void defer.read(MOST, true)
      const { nextTurn } = defer
      Object.assign(defer, {
        nextTurn: (task: () => void) => {
          stops++
          nextTurn(task)
        }
      })
      const { socket } = yield* plainClient(port)
      const secure = Tls.connect({ socket, ca, servername: "localhost" })
      for (let at = 0; at < sent.length; at += 10_000) secure.write(sent.subarray(at, at + 10_000))
      secure.end()
      yield* recorder.untilClosed
      assert.isTrue(recorder.received.equals(sent))
      assert.isAbove(stops, sent.length / 65_536)
    }))

  it.effect.each(["shared", "events"] as const)(
    "hears of its peer's end where it has ended and is paused before it would read on (%s)",
    (reads) =>
      Effect.gen(function*() {
        const defer = makeDefer(() => {})
        const recorder = new Recorder()
        const port = yield* plainServer((socket) => {
          const around = { reads, defer, inSlices: defer, defect: () => {} }
          new NodeConnection(socket, facts, around, () => {}).start(recorder.accept)
        })
        recorder.onBytes = () => {
          defer.nextTurn(() => {
            recorder.connection.end()
            recorder.connection.pause()
          })
          defer.read(MOST, true)
        }
        const { socket } = yield* plainClient(port)
        socket.resume()
        socket.write(pattern(10))
        yield* recorder.untilClosed
        assert.strictEqual(recorder.closures, 1)
      })
  )

  it.effect("tells of its end in a slice of a turn, since others may close together with it", () =>
    Effect.gen(function*() {
      const defer = makeDefer(() => {})
      const recorder = new Recorder()
      const slices: Array<() => void> = []
      const told: Array<string> = []
      const inSlices = (task: () => void) => void slices.push(task)
      const port = yield* plainServer((socket) => {
        const around = { reads: "shared", defer, inSlices, defect: () => {} } as const
        new NodeConnection(socket, facts, around, () => void told.push("gone")).start(recorder.accept)
      })
      const { socket } = yield* plainClient(port)
      yield* poll(() => recorder.connection !== undefined)
      socket.resetAndDestroy()
      yield* poll(() => slices.length > 0)
      assert.deepStrictEqual([told, recorder.closures, recorder.connection.pending()], [[], 0, 0])
      for (const slice of slices) slice()
      assert.deepStrictEqual([told, recorder.closures], [["gone"], 1])
    }))

  it.effect.each(["destroy", "end"] as const)(
    "waits for its slice also when %s comes in between",
    (how) =>
      Effect.gen(function*() {
        const recorder = new Recorder()
        const slices: Array<() => void> = []
        const inSlices = (task: () => void) => void slices.push(task)
        const port = yield* plainServer((socket) => {
          const around = { reads: "shared", defer: makeDefer(() => {}), inSlices, defect: () => {} } as const
          new NodeConnection(socket, facts, around, () => {}).start(recorder.accept)
        })
        const { socket } = yield* plainClient(port)
        yield* poll(() => recorder.connection !== undefined)
        socket.resetAndDestroy()
        yield* poll(() => slices.length > 0)
        recorder.connection[how]()
        yield* Effect.promise(() => new Promise((resume) => setImmediate(() => setImmediate(resume))))
        assert.strictEqual(recorder.closures, 0)
        for (const slice of slices) slice()
        assert.strictEqual(recorder.closures, 1)
      })
  )

  it.effect("ends its side in a slice of a turn when the peer has, with what was written before", () =>
    Effect.gen(function*() {
      const defer = makeDefer(() => {})
      const recorder = new Recorder()
      const slices: Array<() => void> = []
      const inSlices = (task: () => void) => void slices.push(task)
      let served: Socket | undefined
      const port = yield* plainServer((socket) => {
        served = socket
        const around = { reads: "shared", defer, inSlices, defect: () => {} } as const
        new NodeConnection(socket, facts, around, () => {}).start(recorder.accept)
      })
      const { socket } = yield* plainClient(port)
      const received: Array<Buffer> = []
      socket.on("data", (chunk: Buffer) => received.push(chunk))
      yield* poll(() => recorder.connection !== undefined)
      recorder.connection.write(pattern(1000), () => {})
      let ended = false
      socket.once("end", () => ended = true)
      socket.end()
      yield* poll(() => slices.length > 0 && Buffer.concat(received).length === 1000)
      assert.isFalse(served?.writableEnded)
      slices.shift()!()
      yield* poll(() => ended && slices.length > 0)
      slices.shift()!()
      assert.strictEqual(recorder.closures, 1)
    }))
})
