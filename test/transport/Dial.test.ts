import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Tls from "node:tls"
import { layerRecords, Resolver } from "../../src/Resolver.ts"
import { type LocalSocket, type NodeOptions, Transport } from "../../src/Transport.ts"
import type { DescriptorWatch } from "../../src/transport/DescriptorWatch.ts"
import { type DialParts, makeConnect } from "../../src/transport/Dial.ts"
import { ca, localhost, relay } from "../support/pki.ts"
import { poll, Recorder } from "../support/Recorder.ts"
import { hasIpv6, plainServer, silentServer } from "./plain.ts"

const run = <A, E>(options: NodeOptions, effect: Effect.Effect<A, E, Transport | Scope.Scope>) =>
  Effect.provide(effect, Transport.layerNode(options))

const loopback: LocalSocket = { scheme: "msrp", host: "127.0.0.1", port: 0 }

describe("layerNode", () => {
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

  it.effect("R4976-9.3-06: makes no socket while the descriptors that are left are for the relay itself", () =>
    Effect.gen(function*() {
      const watch: DescriptorWatch = { admits: () => true, fault: () => undefined, refusal: () => "all are reserved" }
      const connect = makeConnect({ watch } as unknown as DialParts, { current: {} })
      const error = yield* Effect.flip(connect({ ...loopback, port: 2855 }, new Recorder().accept))
      assert.deepStrictEqual([error.reason, error.why], [
        "OutOfDescriptors",
        "there are no file descriptors left for it"
      ])
    }))

  it.effect.runIf(process.platform === "linux")("says that loopback has no way to an address of the world", () =>
    run(
      {},
      Effect.gen(function*() {
        const { connect } = yield* Transport
        const to = { ...loopback, host: "192.0.2.1", port: 2855, from: { ...loopback, host: "127.0.0.1" } }
        const { message } = yield* Effect.flip(connect(to, new Recorder().accept))
        assert.strictEqual(
          message,
          "connect msrp://192.0.2.1:2855: it cannot be reached from the local address (EINVAL)"
        )
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
      "both.example.com": ["::1", "127.0.0.1"],
      "four.example.com": ["127.0.0.1", "::1"]
    }
    const local = (host: string): LocalSocket => ({ ...loopback, host })
    return Effect.gen(function*() {
      const right = Transport.layerNode({ tls: { ...relay, ca } }).pipe(Layer.provide(layerRecords({}, names)))
      const { connect, listen } = yield* Effect.provide(Transport, right)
      const wrong = yield* Effect.provide(Transport, Transport.layerNode({ tls: localhost }))
      const { port } = yield* listen({ ...loopback, scheme: "msrps" }, new Recorder().accept)
      const refused: Array<Recorder> = []
      yield* wrong.listen({ scheme: "msrps", host: "127.0.0.2", port }, (connection) => {
        const recorder = new Recorder()
        refused.push(recorder)
        return recorder.accept(connection)
      })
      for (const from of [undefined, local("127.0.0.4")]) {
        const to = { scheme: "msrps", host: "relay.example.com", port, from } as const
        assert.strictEqual((yield* connect(to, new Recorder().accept)).remote.host, "127.0.0.1")
      }
      // The other side may see it closed before the end of the handshake.
      const failed = () => wrong.facts!.handshakesFailed.failed
      yield* poll(() => refused.length + failed() === 2 && refused.every(({ closures }) => closures === 1))
      if (!hasIpv6) return
      const plain = yield* listen({ ...loopback, host: "localhost" }, new Recorder().accept)
      const reached = (host: string, from: string) =>
        Effect.map(connect({ ...plain, host, from: local(from) }, new Recorder().accept), ({ remote }) => remote.host)
      // Another family than that of the local socket is better than none.
      assert.strictEqual(yield* reached("six.example.com", "127.0.0.1"), "::1")
      assert.strictEqual(yield* reached("both.example.com", "127.0.0.1"), "127.0.0.1")
      assert.strictEqual(yield* reached("both.example.com", "::1"), "::1")
      // Any address is of no family.
      assert.strictEqual(yield* reached("both.example.com", "0.0.0.0"), "::1")
      assert.strictEqual(yield* reached("four.example.com", "::"), "127.0.0.1")
    })
  })

  it.effect.each(
    [
      [10_000, {}],
      [3000, { connectTimeout: 3 }]
    ] as const
  )("fails a dial that gets no answer for %d ms of the clock, and closes its socket", ([millis, options]) =>
    run(
      { ...options, tls: { ca } },
      Effect.gen(function*() {
        const { connect } = yield* Transport
        const { counts, port } = yield* silentServer
        const dial = connect({ scheme: "msrps", host: "127.0.0.1", port }, new Recorder().accept)
        const fiber = yield* Effect.forkChild(Effect.flip(dial), { startImmediately: true })
        yield* poll(() => counts.opened === 1)
        yield* TestClock.adjust(millis - 1)
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust(1)
        const error = yield* Fiber.join(fiber)
        assert.deepStrictEqual([error.operation, error.reason], ["connect", "Timeout"])
        yield* poll(() => counts.closed === 1)
      })
    ))

  it.effect("gives the name without the dot of the root (RFC 6066 §3)", () =>
    run(
      { tls: { ca } },
      Effect.gen(function*() {
        const { connect } = yield* Transport
        const names: Array<string> = []
        const { cert, key } = localhost
        const asked: Tls.TlsOptions["SNICallback"] = (name, done) => {
          names.push(name)
          done(null)
        }
        const server = Tls.createServer({ cert, key: Redacted.value(key), SNICallback: asked })
        const port = yield* plainServer((raw) => void server.emit("connection", raw))
        const to = { scheme: "msrps", host: "127.0.0.1", port, serverName: "localhost." } as const
        yield* connect(to, new Recorder().accept)
        assert.deepStrictEqual(names, ["localhost"])
      })
    ))

  it.effect("does not go on to measure a handshake that has failed", () =>
    Effect.gen(function*() {
      const port = yield* plainServer((socket) => socket.once("data", () => socket.resetAndDestroy()))
      const measured: Array<object> = []
      let begun = 0
      const sizes = {
        watch: (raw: object) => {
          begun++
          measured.push(raw)
        },
        done: (raw: object) => void measured.splice(0, measured.length, ...measured.filter((one) => one !== raw))
      }
      const parts = {
        certificates: { client: () => Tls.createSecureContext() },
        keyUpdates: { logged: () => {} },
        sizes,
        watch: { refusal: () => undefined }
      }
      const connect = makeConnect(parts as unknown as DialParts, { current: {} })
      yield* Effect.flip(connect({ ...loopback, scheme: "msrps", port }, new Recorder().accept))
      assert.deepStrictEqual([begun, measured], [1, []])
    }))

  it.effect("fails in time also if the resolver cannot be interrupted", () => {
    const addresses = () => Effect.uninterruptible(Effect.as(Effect.sleep("1 hour"), ["127.0.0.1"]))
    const stuck = Layer.succeed(Resolver, { addresses, srv: () => Effect.succeed([]) })
    return Effect.gen(function*() {
      const { connect } = yield* Transport
      const dial = connect({ scheme: "msrp", host: "slow.example", port: 1 }, new Recorder().accept)
      const fiber = yield* Effect.forkChild(Effect.flip(dial), { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(fiber.pollUnsafe()?._tag, "Success")
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "Timeout")
      yield* TestClock.adjust("1 hour")
    }).pipe(Effect.provide(Layer.provide(Transport.layerNode(), stuck)))
  })

  it.effect("fails when no address of a name answers", () =>
    run(
      {},
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const bound = yield* Effect.scoped(listen({ ...loopback, host: "localhost" }, new Recorder().accept))
        for (const from of [undefined, loopback]) {
          const error = yield* Effect.flip(connect({ ...bound, from }, new Recorder().accept))
          assert.strictEqual(error.reason, "Refused")
          assert.strictEqual(
            error.message,
            `connect msrp://localhost:${bound.port}: nobody listens there (ECONNREFUSED)`
          )
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
