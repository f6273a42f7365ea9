/** Options that change while there are listeners. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as AtomRef from "effect/reactivity/AtomRef"
import * as Redacted from "effect/Redacted"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { type Connection, type LocalSocket, type NodeOptions, Transport } from "../../src/Transport.ts"
import { ca, localhost, relay, selfSigned } from "../support/pki.ts"
import { poll, Recorder } from "../support/Recorder.ts"

const socketOf = (scheme: LocalSocket["scheme"]): LocalSocket => ({ scheme, host: "127.0.0.1", port: 0 })

const listening = Effect.fnUntraced(function*(scheme: LocalSocket["scheme"], options: object = {}) {
  const { listen } = yield* Transport
  const accepted: Array<Connection> = []
  const { port } = yield* listen(socketOf(scheme), (connection) => {
    accepted.push(connection)
    return new Recorder().accept(connection)
  }, options)
  return { port, accepted }
})

const opened = (open: () => Net.Socket) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = open()
      socket.on("error", () => {})
      return socket
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

it.live("connections of one listener: those that come count by what holds then", () => {
  const options = AtomRef.make<NodeOptions>({ maxConnections: 1 })
  return Effect.gen(function*() {
    const { accepted, port } = yield* listening("msrp")
    const connect = opened(() => Net.connect(port, "127.0.0.1"))
    yield* connect
    yield* poll(() => accepted.length === 1)
    const second = yield* connect
    yield* poll(() => second.destroyed || second.readableEnded)
    options.set({ maxConnections: 2 })
    yield* connect
    yield* poll(() => accepted.length === 2)
  }).pipe(Effect.scoped, Effect.provide(Transport.layerNode(options)))
})

it.live("R4976-9.3-06: whether a certificate is asked for is what holds when the handshake begins", () =>
  Effect.gen(function*() {
    let asks = false
    const { accepted, port } = yield* listening("msrps", { asksForCertificate: () => asks })
    let session: Buffer | undefined
    for (const [index, now] of [false, true, false, true].entries()) {
      asks = now
      const socket = yield* opened(() =>
        Tls.connect({
          port,
          host: "127.0.0.1",
          rejectUnauthorized: false,
          cert: relay.cert,
          key: Redacted.value(relay.key),
          // A session of when it was not asked for proves nothing later.
          ...(session === undefined ? {} : { session })
        }).on("session", (made) => session = made)
      )
      yield* poll(() => accepted.length === index + 1)
      assert.deepStrictEqual(accepted[index]!.peerNames, now ? ["relay.example.com", "b.example.com"] : [])
      socket.destroy()
    }
  }).pipe(Effect.scoped, Effect.provide(Transport.layerNode({ tls: { ...localhost, ca } }))))

it.live("what may be dialled is what holds then", () => {
  const options = AtomRef.make<NodeOptions>({ tls: selfSigned })
  return Effect.gen(function*() {
    const { port } = yield* listening("msrps")
    const { connect } = yield* Transport
    const dial = connect({ scheme: "msrps", host: "127.0.0.1", port }, (one) => new Recorder().accept(one))
    assert.strictEqual((yield* Effect.flip(dial)).reason, "Certificate")
    options.set({ tls: selfSigned, allowSelfSigned: true })
    yield* dial
    options.set({ tls: selfSigned, allowSelfSigned: false })
    assert.strictEqual((yield* Effect.flip(dial)).reason, "Certificate")
  }).pipe(Effect.scoped, Effect.provide(Transport.layerNode(options)))
})

it.live("sends itself signals only if it is asked to", () =>
  Effect.gen(function*() {
    const signals = Effect.sync(() => process.listenerCount("SIGURG"))
    const before = yield* signals
    assert.strictEqual(yield* Effect.provide(signals, Transport.layerNode()), before)
    assert.strictEqual(yield* Effect.provide(signals, Transport.layerNode({ pollSignal: true })), before + 1)
  }))
