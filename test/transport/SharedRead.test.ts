import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { EventEmitter } from "node:events"
import * as Net from "node:net"
import { type LocalSocket, type NodeOptions, Transport } from "../../src/Transport.ts"
import { LARGE, MEDIUM, MOST_LARGE, readShared, SMALL, SMALL_READS } from "../../src/transport/SharedRead.ts"
import { ca, localhost } from "../support/pki.ts"
import { pattern, poll, Recorder } from "../support/Recorder.ts"
import { plainClient, plainServer } from "./plain.ts"

const run = <A, E>(options: NodeOptions, effect: Effect.Effect<A, E, Transport | Scope.Scope>) =>
  Effect.provide(effect, Transport.layerNode(options))

const loopback: LocalSocket = { scheme: "msrp", host: "127.0.0.1", port: 0 }

/** Where octets end up: the buffers which chunks of two connections are views of. */
const buffersOf = (options: NodeOptions, scheme: LocalSocket["scheme"]) =>
  run(
    options,
    Effect.gen(function*() {
      const { connect, listen } = yield* Transport
      const buffers: Array<ArrayBufferLike> = []
      const accepted: Array<Recorder> = []
      const bound = yield* listen({ ...loopback, scheme }, (connection) => {
        const recorder = new Recorder()
        recorder.onBytes = (chunk) => buffers.push(chunk.buffer)
        accepted.push(recorder)
        return recorder.accept(connection)
      })
      const data = pattern(30_000)
      for (let i = 0; i < 2; i++) {
        const dialling = new Recorder()
        dialling.onBytes = (chunk) => buffers.push(chunk.buffer)
        const connection = yield* connect(bound, dialling.accept)
        connection.write(data, () => {})
        yield* poll(() => accepted.length === i + 1)
        yield* accepted[i]!.untilLength(data.length)
        accepted[i]!.connection.write(data, () => {})
        yield* dialling.untilLength(data.length)
        assert.isTrue(accepted[i]!.received.equals(data))
        assert.isTrue(dialling.received.equals(data))
      }
      return new Set(buffers).size
    })
  )

/** Hides a part of Node's internals while the effect runs. */
const without = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const port = yield* plainServer((socket) => socket.destroy())
    const { socket } = yield* plainClient(port)
    let holder = (socket as unknown as { readonly _handle: object })._handle
    while (!Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder) as object
    const before = Object.getOwnPropertyDescriptor(holder, name)!
    return yield* Effect.acquireUseRelease(
      Effect.sync(() => Object.defineProperty(holder, name, { value: undefined, configurable: true })),
      () => effect,
      () => Effect.sync(() => Object.defineProperty(holder, name, before))
    )
  })

describe("reads", () => {
  const tls = { ...localhost, ca }

  it.effect.each(["msrp", "msrps"] as const)(
    "%s: one buffer serves all connections",
    (scheme) => Effect.map(buffersOf({ tls }, scheme), (count) => assert.strictEqual(count, 1))
  )

  it.effect.each(["msrp", "msrps"] as const)(
    "%s: events bring buffers of their own",
    (scheme) => Effect.map(buffersOf({ tls, reads: "events" }, scheme), (count) => assert.isAbove(count, 1))
  )

  it.effect("falls back to events when this Node has no way to give it a buffer", () =>
    Effect.map(without("useUserBuffer", buffersOf({ reads: "shared" }, "msrp")), (count) => assert.isAbove(count, 1)))

  it.effect("a connection that brings much is read in larger pieces, and gets every octet", () =>
    run(
      { reads: "shared" },
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const accepted: Array<Recorder> = []
        let largest = 0
        const bound = yield* listen(loopback, (connection) => {
          const recorder = new Recorder()
          recorder.onBytes = (chunk) => largest = Math.max(largest, chunk.length)
          accepted.push(recorder)
          return recorder.accept(connection)
        })
        const dialling = new Recorder()
        const connection = yield* connect(bound, dialling.accept)
        const data = pattern(8_000_000)
        connection.write(data, () => {})
        yield* poll(() => accepted.length === 1)
        yield* accepted[0]!.untilLength(data.length)
        assert.isTrue(accepted[0]!.received.equals(data))
        assert.isAbove(largest, MEDIUM)
      })
    ))

  /** A socket of which a test says what is read. */
  const played = () => {
    const sizes: Array<number> = []
    const [callback, generator] = [Symbol("kBufferCb"), Symbol("kBufferGen")]
    const note = ({ length }: Buffer) => void sizes.push(length)
    const fields: Record<symbol, unknown> = { [Symbol("kBuffer")]: null, [callback]: null, [generator]: null }
    const socket = Object.assign(new EventEmitter(), fields, {
      _handle: { useUserBuffer: note, readStart: () => 0, readStop: () => 0 }
    })
    const called = (name: symbol) => (socket as Record<symbol, unknown>)[name]
    const full: Array<boolean> = []
    const deliver = (_: Buffer, isFull: boolean) => full.push(isFull) > 0
    assert.isDefined(readShared(socket as never, deliver))
    return {
      /** Whether each read filled its buffer. */
      full,
      /** Of the buffers that it read into. */
      sizes,
      close: () => void socket.emit("close"),
      read: (octets: number) => {
        for (let rest = octets, length = 0; rest > 0; rest -= length) {
          length = Math.min(rest, sizes.at(-1)!)
          ;(called(callback) as (length: number) => boolean)(length)
          const next = called(generator) as (() => Buffer) | null
          if (next !== null) note(next())
        }
      }
    }
  }

  it("a read that fills its buffer may be followed by another one at once", () => {
    const { close, full, read } = played()
    read(SMALL - 1)
    read(SMALL + 1)
    assert.deepStrictEqual(full, [false, true, false])
    close()
  })

  it("what comes in one piece is read in one, up to 64 KiB", () => {
    const { close, read, sizes } = played()
    read(SMALL - 1)
    read(300)
    assert.deepStrictEqual(sizes, [SMALL])
    read(60_000)
    assert.deepStrictEqual(sizes, [SMALL, MEDIUM])
    close()
  })

  it("so many are read in the largest pieces at most, as long as they last, and others who bring much in small ones", () => {
    const much = 1_048_576
    const sockets = Array.from({ length: MOST_LARGE + 1 }, played)
    const [one, last] = [sockets[0]!, sockets[MOST_LARGE]!]
    last.read(60_000)
    for (const socket of sockets) socket.read(much)
    assert.deepStrictEqual(one.sizes, [SMALL, LARGE])
    assert.deepStrictEqual(last.sizes, [SMALL, MEDIUM, SMALL])
    one.close()
    last.read(much)
    assert.deepStrictEqual(last.sizes, [SMALL, MEDIUM, SMALL, LARGE])
    for (const { close } of sockets.slice(1)) close()
  })

  it("whoever brings little after that gives his place to others, and needs a pause of many reads to lose it", () => {
    const sockets = Array.from({ length: MOST_LARGE }, played)
    const [one, other] = [sockets[0]!, played()]
    for (const socket of sockets) socket.read(1_048_576)
    for (let i = 1; i < SMALL_READS; i++) one.read(SMALL)
    one.read(SMALL + 1)
    for (let i = 1; i < SMALL_READS; i++) one.read(SMALL)
    assert.deepStrictEqual(one.sizes, [SMALL, LARGE])
    one.read(1)
    assert.deepStrictEqual(one.sizes, [SMALL, LARGE, SMALL])
    one.close()
    for (const socket of [other, one]) socket.read(1_048_576)
    assert.deepStrictEqual(other.sizes, [SMALL, LARGE])
    assert.deepStrictEqual(one.sizes, [SMALL, LARGE, SMALL])
    for (const { close } of [...sockets.slice(1), other]) close()
  })

  it("who has such a place again loses it as before", () => {
    const { close, read, sizes } = played()
    for (let turn = 0; turn < 2; turn++) {
      read(MEDIUM)
      for (let i = 0; i < SMALL_READS; i++) read(1)
    }
    assert.deepStrictEqual(sizes, [SMALL, LARGE, SMALL, LARGE, SMALL])
    close()
  })

  it("stops and starts reading, once each, until the socket has closed; what cannot start is destroyed", () => {
    const done: Array<string> = []
    const handle = {
      reading: true,
      useUserBuffer: () => {},
      readStart: () => {
        done.push("start")
        return done.length > 2 ? -9 : 0
      },
      readStop: () => void done.push("stop")
    }
    const fields = Object.fromEntries(["kBuffer", "kBufferCb", "kBufferGen"].map((name) => [Symbol(name), null]))
    const socket: { _handle: object | null; readonly destroy: () => void } = {
      _handle: handle,
      destroy: () => void done.push("destroy")
    }
    Object.assign(socket, fields)
    const reads = readShared(socket as never, () => true)!
    const [start, stop] = [() => reads.start(), () => reads.stop()]
    for (const one of [start, stop, stop, start, start]) one()
    assert.deepStrictEqual(done.splice(0), ["stop", "start"])
    for (const one of [stop, () => void done.push("now"), start]) one()
    assert.deepStrictEqual(done.splice(0), ["stop", "now", "start", "destroy"])
    socket._handle = null
    handle.reading = true
    for (const one of [stop, start]) one()
    assert.deepStrictEqual(done, [])
  })

  it("falls back when a field has another name", () => {
    const socket = new Net.Socket()
    const handle = { useUserBuffer: () => {}, readStart: () => 0, readStop: () => 0 }
    const fields = Object.getOwnPropertySymbols(socket).filter(({ description }) => description?.startsWith("kBuffer"))
    assert.strictEqual(fields.length, 3)
    const looksLike = (names: ReadonlyArray<string>, _handle: object = handle) =>
      Object.assign(Object.fromEntries(names.map((name) => [Symbol(name), null])), { _handle }) as never
    const known = ["kBuffer", "kBufferCb", "kBufferGen"]
    assert.isDefined(readShared(looksLike(known), () => true))
    for (const name of Object.keys(handle)) {
      assert.isUndefined(readShared(looksLike(known, { ...handle, [name]: undefined }), () => true))
    }
    assert.isUndefined(readShared(looksLike(["kBuffer", "kBufferCb"]), () => true))
    assert.isUndefined(readShared(looksLike(["kUserBuffer", "kBufferCb", "kBufferGen"]), () => true))
    assert.isUndefined(readShared(socket, () => true))
  })
})
