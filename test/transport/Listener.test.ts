import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { type LocalSocket, type NodeOptions, Transport } from "../../src/Transport.ts"
import { listening } from "../support/listening.ts"
import { logInto } from "../support/log.ts"
import { ca, localhost } from "../support/pki.ts"
import { poll, Recorder } from "../support/Recorder.ts"
import { hasIpv6, plainClient } from "./plain.ts"

const run = <A, E>(options: NodeOptions, effect: Effect.Effect<A, E, Transport | Scope.Scope>) =>
  Effect.provide(effect, Transport.layerNode(options))

const loopback: LocalSocket = { scheme: "msrp", host: "127.0.0.1", port: 0 }

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

  it.effect("goes on when the process has no descriptors left, and says so", () => {
    const log: Array<string> = []
    const logger = logInto(log)
    return run(
      {},
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const serverAt = yield* listening
        let accepted = 0
        const bound = yield* listen(loopback, (connection) => {
          accepted++
          return new Recorder().accept(connection)
        })
        yield* connect(bound, new Recorder().accept)
        yield* poll(() => accepted === 1)
        serverAt(bound.port).emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }))
        yield* connect(bound, new Recorder().accept)
        yield* poll(() => accepted === 2 && log.length > 0)
        assert.match(log.join(), /level=WARN.*message="accept failed".*listener=.*reason=/)
      })
    ).pipe(Effect.provide(logger))
  })

  it.effect("accepts several of those who come at once before it looks at whatever else there is", () =>
    run(
      {},
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const perTurn: Array<number> = []
        let accepted = 0
        const bound = yield* listen(loopback, (connection) => {
          if (accepted++ === 0 || perTurn.length === 0) {
            perTurn.push(0)
            setImmediate(() => perTurn.push(0))
          }
          perTurn[perTurn.length - 1]!++
          return new Recorder().accept(connection)
        })
        for (let i = 0; i < 64; i++) yield* plainClient(bound.port)
        yield* poll(() => accepted === 64)
        assert.isAbove(perTurn[0]!, 1)
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

  it.effect.each(
    [
      [10_000, {}],
      [4000, { setupTimeout: 4 }]
    ] as const
  )("closes a connection that never starts TLS within %d ms of the clock (R4976-6.1-26)", ([millis, options]) =>
    run(
      { ...options, tls: localhost },
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
        yield* TestClock.adjust(millis - 1)
        assert.deepStrictEqual(silent.events, ["connect"])
        yield* TestClock.adjust(1)
        yield* poll(() => silent.events.includes("close"))
        assert.isUndefined(accepting.connection)
      })
    ))

  it.effect("closes what waits to be set up when its scope closes", () =>
    run(
      {},
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const scope = yield* Scope.make()
        let accepted = 0
        const accept = () => {
          accepted++
          return new Recorder()
        }
        const listener = listen(loopback, accept, { busy: () => true })
        const { port } = yield* Effect.provideService(listener, Scope.Scope, scope)
        const clients = yield* Effect.all(Array.from({ length: 20 }, () => plainClient(port)))
        yield* poll(() => accepted > 0)
        yield* Scope.close(scope, Exit.void)
        yield* poll(() => clients.every(({ events }) => events.includes("close")))
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
})
