import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Net from "node:net"
import { layerRecords } from "../../src/Resolver.ts"
import { type LocalSocket, type NodeOptions, Transport } from "../../src/Transport.ts"
import { readShared } from "../../src/transport/SharedRead.ts"
import { ca, localhost, relay } from "./pki.ts"
import { pattern, poll, Recorder } from "./Recorder.ts"

const run = <A, E>(options: NodeOptions, effect: Effect.Effect<A, E, Transport | Scope.Scope>) =>
  Effect.provide(effect, Transport.layerNode(options))

const loopback: LocalSocket = { scheme: "msrp", host: "127.0.0.1", port: 0 }

/** A plain server of Node's; its port. */
const plainServer = (serve: (socket: Net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer(serve)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => (server.address() as Net.AddressInfo).port))

/** A plain socket of Node's, and what happened to it. */
const plainClient = (port: number, host = "127.0.0.1") =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = Net.connect({ port, host })
      const events: Array<string> = []
      for (const event of ["connect", "error", "close"]) socket.on(event, () => events.push(event))
      socket.resume()
      return { socket, events }
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

const hasIpv6 = await new Promise<boolean>((resolve) => {
  const server = Net.createServer()
  server.once("error", () => resolve(false))
  server.listen(0, "::1", () => server.close(() => resolve(true)))
})

describe("layerNode", () => {
  it.effect("localhost is every loopback address, on one port", () =>
    run(
      {},
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const seen: Array<string> = []
        const bound = yield* listen({ ...loopback, host: "localhost" }, (connection) => {
          seen.push(`${connection.local.host} ${connection.remote.host} ${connection.socket?.host}`)
          return new Recorder().accept(connection)
        })
        assert.strictEqual(bound.host, "localhost")
        yield* connect({ ...bound, host: "127.0.0.1" }, new Recorder().accept)
        yield* poll(() => seen.length === 1)
        if (hasIpv6) {
          yield* connect({ ...bound, host: "::1" }, new Recorder().accept)
          yield* poll(() => seen.length === 2)
        }
        assert.deepStrictEqual(seen, ["127.0.0.1 127.0.0.1 localhost", "::1 ::1 localhost"].slice(0, seen.length))
        yield* connect(bound, new Recorder().accept)
      })
    ))

  it.effect.each(hasIpv6 ? ["*", "::", "0.0.0.0"] : ["*", "0.0.0.0"])(
    "%s is every address; IPv4 looks like IPv4",
    (host) =>
      run(
        {},
        Effect.gen(function*() {
          const { connect, listen } = yield* Transport
          const accepting = new Recorder()
          const bound = yield* listen({ ...loopback, host }, accepting.accept)
          assert.strictEqual(bound.host, host)
          const connection = yield* connect({ ...bound, host: "127.0.0.1" }, new Recorder().accept)
          yield* poll(() => accepting.connection !== undefined)
          assert.deepStrictEqual(accepting.connection.remote, connection.local)
          assert.deepStrictEqual(accepting.connection.local, { host: "127.0.0.1", port: bound.port })
          assert.strictEqual(accepting.connection.remote.host, "127.0.0.1")
        })
      )
  )

  it.effect("leaves from the given address, for names too, and from any when it is none", () =>
    run(
      {},
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const accepted: Array<Recorder> = []
        const bound = yield* listen({ ...loopback, host: "localhost" }, (connection) => {
          const recorder = new Recorder()
          accepted.push(recorder)
          return recorder.accept(connection)
        })
        const sources = ["127.0.0.2", "127.0.0.2", "127.0.0.1", "127.0.0.1", "127.0.0.1"]
        const dial = (host: string, from: string | undefined) =>
          Effect.gen(function*() {
            const socket = from === undefined ? undefined : { ...loopback, host: from, port: bound.port }
            const connection = yield* connect({ ...bound, host, from: socket }, new Recorder().accept)
            assert.strictEqual(connection.socket, socket)
            yield* poll(() => accepted.length === 1)
            const [one] = accepted.splice(0)
            assert.strictEqual(one!.connection.remote.host, sources.shift())
          })
        yield* dial("127.0.0.1", "127.0.0.2")
        yield* dial("localhost", "127.0.0.2")
        yield* dial("127.0.0.1", "0.0.0.0")
        yield* dial("127.0.0.1", "localhost")
        yield* dial("127.0.0.1", "::1")
      })
    ))

  it.effect("R4975-6.2-03 R4976-9.3-03: every address of a name is tried, if it is admitted", () =>
    run(
      {},
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        // localhost has both addresses; one of them answers.
        const bound = yield* listen({ ...loopback, host: "127.0.0.1" }, new Recorder().accept)
        const asked: Array<string> = []
        const dial = (host: string, admits: (address: string) => boolean) =>
          connect(
            { ...bound, host, admits: (address) => (asked.push(address), admits(address)) },
            new Recorder().accept
          )
        assert.strictEqual((yield* dial("localhost", () => true)).remote.host, "127.0.0.1")
        assert.include(asked, "127.0.0.1")
        for (const host of ["localhost", "127.0.0.1"]) {
          asked.length = 0
          assert.strictEqual((yield* Effect.flip(dial(host, () => false))).reason, "Forbidden")
          assert.include(asked, "127.0.0.1")
        }
        const none = yield* Effect.flip(dial("localhost", (address) => address === "::1"))
        assert.include(["Refused", "Forbidden"], none.reason)
      })
    ))

  it.effect("R4975-6.2-03 R4976-8-14: an address that refuses or has another's certificate is followed by the next", () => {
    const names = {
      "relay.example.com": ["127.0.0.3", "127.0.0.2", "127.0.0.1"],
      "six.example.com": ["::1"],
      "both.example.com": ["::1", "127.0.0.1"]
    }
    const local = (host: string): LocalSocket => ({ ...loopback, host })
    return Effect.gen(function*() {
      const right = Transport.layerNode({ tls: { ...relay, ca } }).pipe(Layer.provide(layerRecords({}, names)))
      const { connect, listen } = yield* Effect.provide(Transport, right)
      const wrong = yield* Effect.provide(Transport, Transport.layerNode({ tls: localhost }))
      const { port } = yield* listen({ ...loopback, scheme: "msrps" }, new Recorder().accept)
      yield* wrong.listen({ scheme: "msrps", host: "127.0.0.2", port }, new Recorder().accept)
      for (const from of [undefined, local("127.0.0.4")]) {
        const to = { scheme: "msrps", host: "relay.example.com", port, from } as const
        assert.strictEqual((yield* connect(to, new Recorder().accept)).remote.host, "127.0.0.1")
      }
      if (!hasIpv6) return
      const plain = yield* listen({ ...loopback, host: "localhost" }, new Recorder().accept)
      const reached = (host: string, from: string) =>
        Effect.map(connect({ ...plain, host, from: local(from) }, new Recorder().accept), ({ remote }) => remote.host)
      // Another family than that of the local socket is better than none.
      assert.strictEqual(yield* reached("six.example.com", "127.0.0.1"), "::1")
      assert.strictEqual(yield* reached("both.example.com", "127.0.0.1"), "127.0.0.1")
      assert.strictEqual(yield* reached("both.example.com", "::1"), "::1")
    })
  })

  it.effect("R4976-6.1-26 R4976-9.3-06: who does not finish the TLS handshake makes room for who does, the oldest first", () =>
    run(
      { maxHandshakes: 3, tls: { ...localhost, ca } },
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const bound = yield* listen({ ...loopback, scheme: "msrps" }, new Recorder().accept)
        const silent: Array<Effect.Success<ReturnType<typeof plainClient>>> = []
        for (let i = 0; i < 8; i++) {
          const client = yield* plainClient(bound.port)
          yield* poll(() => client.events.includes("connect"))
          silent.push(client)
        }
        const gone = () => silent.map(({ events }) => events.includes("close"))
        yield* poll(() => gone().filter(Boolean).length === 5)
        assert.deepStrictEqual(gone(), [true, true, true, true, true, false, false, false])
        const open = yield* connect({ ...bound, host: "localhost" }, new Recorder().accept)
        assert.isTrue(open.secure)
        yield* poll(() => gone()[5]!)
        assert.deepStrictEqual(gone().slice(6), [false, false])
      })
    ))

  it.effect("closes connections beyond the limit of a listener, until others have gone", () =>
    run(
      { maxConnections: 2 },
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const accepted: Array<Recorder> = []
        const bound = yield* listen(loopback, (connection) => {
          const recorder = new Recorder()
          accepted.push(recorder)
          return recorder.accept(connection)
        })
        const first = yield* plainClient(bound.port)
        yield* plainClient(bound.port)
        yield* poll(() => accepted.length === 2)
        const third = yield* plainClient(bound.port)
        yield* poll(() => third.events.includes("close"))
        assert.strictEqual(accepted.length, 2)
        const port = first.socket.localPort
        first.socket.destroy()
        yield* accepted.find(({ connection }) => connection.remote.port === port)!.untilClosed
        yield* plainClient(bound.port)
        yield* poll(() => accepted.length === 3)
      })
    ))

  it.effect("fails a dial that gets no answer when the clock says so, and closes its socket", () =>
    run(
      { connectTimeout: 3, tls: { ca } },
      Effect.gen(function*() {
        const { connect } = yield* Transport
        let closed = 0
        let opened = 0
        const port = yield* plainServer((socket) => {
          opened++
          socket.on("error", () => {})
          socket.on("close", () => closed++)
          socket.resume()
        })
        const dial = connect({ scheme: "msrps", host: "127.0.0.1", port }, new Recorder().accept)
        const fiber = yield* Effect.forkChild(Effect.flip(dial), { startImmediately: true })
        yield* poll(() => opened === 1)
        yield* TestClock.adjust(2999)
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust(1)
        const error = yield* Fiber.join(fiber)
        assert.deepStrictEqual([error.operation, error.reason], ["connect", "Timeout"])
        yield* poll(() => closed === 1)
      })
    ))

  it.effect("closes a connection that never starts TLS when the clock says so (R4976-6.1-26)", () =>
    run(
      { setupTimeout: 4, tls: localhost },
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const accepting = new Recorder()
        const bound = yield* listen({ ...loopback, scheme: "msrps" }, accepting.accept)
        const silent = yield* plainClient(bound.port)
        yield* poll(() => silent.events.includes("connect"))
        // The limit starts when the server has it: another connection behind it has been seen.
        const other = yield* plainClient(bound.port)
        other.socket.write("no TLS")
        yield* poll(() => other.events.includes("close"))
        yield* TestClock.adjust(3999)
        assert.deepStrictEqual(silent.events, ["connect"])
        yield* TestClock.adjust(1)
        yield* poll(() => silent.events.includes("close"))
        assert.isUndefined(accepting.connection)
      })
    ))

  it.effect("R4975-9-74 octets that are no TLS cost their connection only", () =>
    run(
      { tls: { ...localhost, ca } },
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const accepting = new Recorder()
        const bound = yield* listen({ ...loopback, scheme: "msrps" }, accepting.accept)
        for (const octets of ["MSRP a786hjs2 SEND\r\n", "GET / HTTP/1.1\r\n\r\n", Buffer.alloc(5000, 0x16), ""]) {
          const { events, socket } = yield* plainClient(bound.port)
          socket.end(octets)
          yield* poll(() => events.includes("close"))
        }
        assert.isUndefined(accepting.connection)
        yield* connect(bound, new Recorder().accept)
        yield* poll(() => accepting.connection !== undefined)
      })
    ))

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
        accepting.connection.write(pattern(32 * 1_048_576), () => written++)
        accepting.connection.write(pattern(10), () => written++)
        socket.resetAndDestroy()
        yield* accepting.untilClosed
        assert.deepStrictEqual([written, accepting.closures, accepting.connection.pending()], [2, 1, 0])
      })
    ))

  it.effect("fails when no address of a name answers", () =>
    run(
      {},
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const bound = yield* Effect.scoped(listen({ ...loopback, host: "localhost" }, new Recorder().accept))
        for (const from of [undefined, loopback]) {
          const error = yield* Effect.flip(connect({ ...bound, from }, new Recorder().accept))
          assert.strictEqual(error.reason, "Refused")
          assert.strictEqual(error.message, `connect msrp://localhost:${bound.port}: Refused`)
        }
      })
    ))

  it.effect("fails when the name is not known", () =>
    run(
      {},
      Effect.gen(function*() {
        const { connect } = yield* Transport
        for (const from of [undefined, loopback]) {
          const error = yield* Effect.flip(
            connect({ scheme: "msrp", host: "no such host", port: 1, from }, new Recorder().accept)
          )
          assert.strictEqual(error.reason, "NameNotFound")
          assert.strictEqual(error.target, "msrp://no such host:1")
        }
      })
    ))
})

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
