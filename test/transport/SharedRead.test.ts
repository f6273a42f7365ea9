import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { type LocalSocket, type NodeOptions, Transport } from "../../src/Transport.ts"
import { readShared } from "../../src/transport/SharedRead.ts"
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
    (scheme) => Effect.map(buffersOf({ tls, reads: "events" }, scheme), (count) => assert.isAbove(count, 3))
  )

  it.effect("falls back to events when this Node has no way to give it a buffer", () =>
    Effect.map(without("useUserBuffer", buffersOf({ reads: "shared" }, "msrp")), (count) => assert.isAbove(count, 3)))

  it("falls back when a field has another name", () => {
    const socket = new Net.Socket()
    const handle = { useUserBuffer: () => {} }
    const fields = Object.getOwnPropertySymbols(socket).filter(({ description }) => description?.startsWith("kBuffer"))
    assert.strictEqual(fields.length, 3)
    const looksLike = (names: ReadonlyArray<string>) =>
      Object.assign(Object.fromEntries(names.map((name) => [Symbol(name), null])), { _handle: handle }) as never
    assert.isTrue(readShared(looksLike(["kBuffer", "kBufferCb", "kBufferGen"]), () => true))
    assert.isFalse(readShared(looksLike(["kBuffer", "kBufferCb"]), () => true))
    assert.isFalse(readShared(looksLike(["kUserBuffer", "kBufferCb", "kBufferGen"]), () => true))
    assert.isFalse(readShared(socket, () => true))
  })
})
