import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { makeWrites } from "../../src/transport/Writes.ts"
import { ca, localhost } from "../support/pki.ts"
import { pattern, poll } from "../support/Recorder.ts"
import { plainClient, plainServer } from "./plain.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

const MiB = 1_048_576

/** Two ends of a connection: what one writes, and what the other reads. */
const pair = (over: "TCP" | "TLS") =>
  Effect.gen(function*() {
    let served: Net.Socket | undefined
    const server = yield* Effect.acquireRelease(
      Effect.callback<Net.Server>((resume) => {
        const serve = (socket: Net.Socket) => void (served = socket)
        const made = over === "TCP"
          ? Net.createServer(serve)
          : Tls.createServer({ key: Redacted.value(localhost.key), cert: localhost.cert }, serve)
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (one) => Effect.sync(() => one.close())
    )
    const { port } = server.address() as Net.AddressInfo
    const peer = yield* Effect.acquireRelease(
      Effect.sync(() =>
        over === "TCP"
          ? Net.connect({ port, host: "127.0.0.1" })
          : Tls.connect({ port, host: "127.0.0.1", ca, servername: "localhost" })
      ),
      (socket) => Effect.sync(() => socket.destroy())
    )
    peer.on("error", () => {})
    yield* poll(() => served !== undefined)
    const socket = served!.on("error", () => {})
    yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
    return { socket, peer }
  })

/** All that a socket reads. */
const reader = (socket: Net.Socket) => {
  const chunks: Array<Buffer> = []
  let length = 0
  let ended = false
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
  })
  socket.on("end", () => ended = true).resume()
  return { octets: () => Buffer.concat(chunks), length: () => length, ended: () => ended }
}

const nextTurn = Effect.promise(() => new Promise((resume) => setImmediate(() => setImmediate(resume))))
const nextTick = (task: () => void): void => process.nextTick(task)
const forbidden = (): never => assert.fail("the stream was written to")

describe("makeWrites", () => {
  describe.each(["TCP", "TLS"] as const)("%s", (over) => {
    it.effect("writes to the handle: in order, and tells of each write once, not inside the call", () =>
      Effect.gen(function*() {
        const { peer, socket } = yield* pair(over)
        const { length, octets } = reader(peer)
        let done = 0
        const writes = makeWrites(socket, () => done++, nextTick)
        socket.write = forbidden
        const data = pattern(3 * MiB)
        let written = 0
        let at = 0
        for (const size of [1, 300, 0x4000, 300, MiB, 5, 70_000]) {
          assert.isTrue(writes.write(data.subarray(at, at += size)))
          assert.strictEqual(done, 0)
          written++
        }
        yield* poll(() => length() === at && done === written)
        for (; at < data.length; at += 100_000) {
          writes.write(data.subarray(at, at + 100_000))
          written++
          yield* Effect.yieldNow
        }
        yield* poll(() => length() === data.length && done === written)
        assert.isTrue(octets().equals(data))
        assert.strictEqual(writes.pending(), 0)
      }))

    it.effect("says how much a peer that does not read leaves, and ends when it has all", () =>
      Effect.gen(function*() {
        const { peer, socket } = yield* pair(over)
        peer.pause()
        let done = 0
        const writes = makeWrites(socket, () => done++, nextTick)
        const data = pattern(24 * MiB)
        for (let at = 0; at < data.length; at += 8 * MiB) writes.write(data.subarray(at, at + 8 * MiB))
        let before = writes.pending()
        assert.isAtLeast(before, 16 * MiB)
        writes.end()
        assert.isFalse(writes.write(pattern(10)))
        const { ended, length, octets } = reader(peer)
        while (writes.pending() > 0) {
          assert.isAtMost(writes.pending(), before)
          before = writes.pending()
          yield* Effect.yieldNow
        }
        yield* poll(() => ended())
        assert.strictEqual(length(), data.length)
        assert.isTrue(octets().equals(data))
        assert.strictEqual(done, 3)
      }))

    it.effect("counts of a write that goes on only what the system has not taken: a slow peer is not one that takes nothing", () =>
      Effect.gen(function*() {
        const { peer, socket } = yield* pair(over)
        peer.pause()
        let done = 0
        const writes = makeWrites(socket, () => done++, nextTick)
        writes.write(pattern(16 * MiB))
        let before = writes.pending()
        assert.isBelow(before, 16 * MiB)
        peer.on("data", () => peer.pause())
        for (let i = 0; i < 3; i++) {
          yield* poll(() => {
            peer.resume()
            return writes.pending() < before
          })
          before = writes.pending()
          assert.isAbove(before, 0)
          assert.strictEqual(done, 0)
        }
      }))

    it.effect("keeps the octets in memory while the system reads them, and no longer", () =>
      Effect.gen(function*() {
        const { peer, socket } = yield* pair(over)
        peer.pause()
        let done = 0
        const writes = makeWrites(socket, () => done++, nextTick)
        const write = (): WeakRef<Buffer> => {
          const octets = pattern(16 * MiB)
          writes.write(octets)
          return new WeakRef(octets)
        }
        const octets = write()
        // References are strong until the task ends in which they were made.
        yield* nextTurn
        collect()
        assert.isDefined(octets.deref())
        reader(peer)
        yield* poll(() => done === 1)
        yield* nextTurn
        collect()
        assert.isUndefined(octets.deref())
      }))

    it.effect("comes after what was written to the stream before", () =>
      Effect.gen(function*() {
        const { peer, socket } = yield* pair(over)
        peer.pause()
        const data = pattern(12 * MiB)
        const told: Array<string> = []
        socket.write(data.subarray(0, 8 * MiB), () => told.push("stream"))
        const writes = makeWrites(socket, () => told.push("handle"), nextTick)
        writes.write(data.subarray(8 * MiB, 10 * MiB))
        assert.isAbove(writes.pending(), 2 * MiB)
        const { length, octets } = reader(peer)
        yield* poll(() => told.length === 2)
        socket.write = forbidden
        writes.write(data.subarray(10 * MiB))
        yield* poll(() => length() === data.length && told.length === 3)
        assert.isTrue(octets().equals(data))
        assert.deepStrictEqual(told, ["stream", "handle", "handle"])
      }))

    it.effect("says how much is left also where the stream has had octets before", () =>
      Effect.gen(function*() {
        const { peer, socket } = yield* pair(over)
        peer.pause()
        let done = 0
        socket.write(Buffer.alloc(1))
        const writes = makeWrites(socket, () => done++, nextTick)
        writes.write(Buffer.alloc(1))
        yield* poll(() => done === 1 && socket.writableLength === 0)
        assert.strictEqual(writes.pending(), 0)
        writes.write(pattern(24 * MiB))
        assert.isAbove(writes.pending(), 4 * MiB)
      }))

    it.effect("tells of none that was not done when the socket is destroyed, and writes no more", () =>
      Effect.gen(function*() {
        const { peer, socket } = yield* pair(over)
        peer.pause()
        let done = 0
        let closed = false
        socket.on("close", () => closed = true)
        const writes = makeWrites(socket, () => done++, nextTick)
        for (let i = 0; i < 3; i++) writes.write(pattern(16 * MiB))
        socket.destroy()
        assert.deepStrictEqual([writes.write(pattern(1)), writes.pending()], [false, 0])
        yield* poll(() => closed)
        yield* nextTurn
        assert.strictEqual(done, 0)
      }))

    it.effect("destroys the socket, with the error, if its peer has reset it", () =>
      Effect.gen(function*() {
        const { peer, socket } = yield* pair(over)
        peer.pause()
        let failure: Error & { code?: string } | undefined
        socket.on("error", (error) => failure = error)
        let done = 0
        const writes = makeWrites(socket, () => done++, nextTick)
        // Nothing reads the socket, so only a write can notice.
        socket.pause()
        writes.write(pattern(16 * MiB))
        yield* poll(() => writes.pending() > 0)
        // With unread octets, this is a reset.
        peer.destroy()
        yield* poll(() => {
          if (failure === undefined) writes.write(pattern(10))
          return failure !== undefined
        })
        assert.include(["EPIPE", "ECONNRESET"], failure?.code)
        assert.isTrue(socket.destroyed)
      }))
  })

  it("destroys the socket of which the handle says in the call that the peer is gone, as that of TLS does", async () => {
    const failures: Array<unknown> = []
    let status: number | undefined = -32
    const handle = {
      writeQueueSize: 0,
      // Node.js 26 makes the request itself.
      writeBuffer: (request: { readonly oncomplete: (status: number) => void } | null) => {
        if (status === undefined) return -104
        if (request === null) return { getAsyncId: () => 1, writeStatus: status }
        request.oncomplete(status)
        return 0
      }
    }
    const socket = {
      _handle: handle,
      writableLength: 0,
      destroyed: false,
      destroy: (error: { readonly code?: string }) => void failures.push(error.code)
    }
    let done = 0
    const writes = makeWrites(socket as never, () => done++, nextTick)
    writes.write(pattern(10))
    status = undefined
    writes.write(pattern(10))
    await new Promise(setImmediate)
    assert.deepStrictEqual([failures, done, writes.pending()], [["EPIPE", "ECONNRESET"], 0, 0])
  })

  it.effect("uses the stream where it is to, or this Node has other internals", () =>
    Effect.gen(function*() {
      const served: Array<Net.Socket> = []
      const port = yield* plainServer((socket) => void served.push(socket))
      for (
        const [ticks, missing] of [
          [undefined, undefined],
          [nextTick, "writeBuffer"],
          [nextTick, "writeQueueSize"]
        ] as const
      ) {
        const { socket: peer } = yield* plainClient(port)
        const { length } = reader(peer)
        yield* poll(() => served.length > 0)
        const socket = served.pop()!
        if (missing !== undefined) {
          const handle = (socket as unknown as { readonly _handle: object })._handle
          Object.defineProperty(handle, missing, { value: undefined, configurable: true })
        }
        let done = 0
        let streamed = 0
        const write = socket.write.bind(socket)
        socket.write = (...given: Array<unknown>) => {
          streamed++
          // Gives the handle its own methods back, which the stream needs.
          if (missing !== undefined) {
            delete (socket as unknown as { readonly _handle: Record<string, unknown> })._handle[missing]
          }
          return write(...given as Parameters<typeof write>)
        }
        const writes = makeWrites(socket, () => done++, ticks)
        writes.write(pattern(1000))
        yield* poll(() => length() === 1000 && done === 1)
        assert.deepStrictEqual([streamed, writes.pending()], [1, 0])
        socket.destroy()
        assert.isFalse(writes.write(pattern(1)))
      }
    }))
})
