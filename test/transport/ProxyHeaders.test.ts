/** The PROXY protocol over real sockets: whom a listener takes a connection for, and that no octet behind the header is lost. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as AtomRef from "effect/reactivity/AtomRef"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import * as Net from "node:net"
import { Duplex } from "node:stream"
import * as Tls from "node:tls"
import {
  type Connection,
  type ListenOptions,
  type LocalSocket,
  type NodeOptions,
  Transport
} from "../../src/Transport.ts"
import { logInto } from "../support/log.ts"
import { ca, localhost, relay } from "../support/pki.ts"
import { poll, Recorder, turns } from "../support/Recorder.ts"
import { headOf } from "../support/webSockets.ts"
import { hasIpv6, plainClient } from "./plain.ts"

const V1 = Buffer.from("PROXY TCP4 203.0.113.7 198.51.100.1 4711 2855\r\n")
/** Of 203.0.113.7:4711, with TLVs or without. */
const version2 = (command: number, ...tlvs: ReadonlyArray<number>): Buffer => {
  const body = [203, 0, 113, 7, 198, 51, 100, 1, 0x12, 0x67, 0x0B, 0x27, ...tlvs]
  return Buffer.from(
    Array.from(Buffer.from("\r\n\r\n\0\r\nQUIT\n")).concat(
      0x20 | command,
      0x11,
      0,
      body.length,
      ...body
    )
  )
}
const V2 = version2(1)
const V2_TLS = version2(1, 0x20, 0, 5, 1, 0, 0, 0, 0)
const LOCAL = version2(0)

const proxies = { trusts: (address: string) => address === "127.0.0.1", header: () => true }
const tls = { ...localhost, ca }

/** A stream whose octets go out behind a header, in the same write, or in pieces of so many octets. */
const behind = (header: Buffer, port: number, piece = Infinity): Duplex => {
  const raw = Net.connect({ port, host: "127.0.0.1", noDelay: true })
  let first = true
  const duplex = new Duplex({
    read: () => void raw.resume(),
    write: (chunk: Buffer, _, done) => {
      const octets = first ? Buffer.concat([header, chunk]) : chunk
      first = false
      if (piece === Infinity) return void raw.write(octets, () => done())
      const next = (at: number): void => {
        if (at >= octets.length) return done()
        raw.write(octets.subarray(at, at + piece), () => setImmediate(() => next(at + piece)))
      }
      next(0)
    },
    destroy: (_, done) => {
      raw.destroy()
      done(null)
    }
  })
  raw.on("data", (chunk: Buffer) => duplex.push(chunk))
  raw.on("close", () => duplex.push(null))
  raw.on("error", () => {})
  return duplex.on("error", () => {})
}

/** What is sent: octets, or a WebSocket's handshake with an unmasked key and them in one message. */
const octetsFor = ({ transport }: Partial<LocalSocket>): Buffer =>
  transport === "ws"
    ? Buffer.concat([Buffer.from(headOf()), Buffer.from([0x82, 0x85, 0, 0, 0, 0]), Buffer.from("hello")])
    : Buffer.from("hello")

const listeners: ReadonlyArray<readonly [string, LocalSocket]> = [
  ["msrp", { scheme: "msrp", host: "127.0.0.1", port: 0 }],
  ["msrps", { scheme: "msrps", host: "127.0.0.1", port: 0 }],
  ["ws", { scheme: "msrp", transport: "ws", host: "127.0.0.1", port: 0 }],
  ["wss", { scheme: "msrps", transport: "ws", host: "127.0.0.1", port: 0 }]
]
const plain = listeners[0]![1]

/** A listener, who came, and lines of the log. */
const serving = Effect.fnUntraced(function*(
  socket: LocalSocket,
  asksForCertificate: ListenOptions["asksForCertificate"] = false
) {
  const { facts, listen } = yield* Transport
  const came: Array<Recorder> = []
  const { port } = yield* listen(socket, (connection) => {
    const recorder = new Recorder()
    came.push(recorder)
    return recorder.accept(connection)
  }, { asksForCertificate })
  return { port, came, facts: facts! }
})

const withTransport = (options: NodeOptions, lines: Array<string> = []) => {
  const logger = logInto(lines)
  return <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.scoped(Effect.provide(effect, Transport.layerNode(options))).pipe(
      Effect.provide(logger),
      Effect.provideService(References.MinimumLogLevel, "Debug")
    )
}

const told = ({ remote, secure }: Connection): string => `${remote.host}:${remote.port} ${secure ? "secure" : "plain"}`

const speak = (
  port: number,
  { scheme, ...socket }: LocalSocket,
  header: Buffer,
  piece?: number,
  certificate: Tls.SecureContextOptions = {}
): Duplex => {
  const below = behind(header, port, piece)
  const stream = scheme === "msrps" ? Tls.connect({ socket: below, rejectUnauthorized: false, ...certificate }) : below
  stream.on("error", () => {})
  stream.write(octetsFor(socket))
  return stream
}

describe("PROXY protocol", () => {
  for (const [name, socket] of listeners) {
    const secure = socket.scheme === "msrps" ? "secure" : "plain"
    const cases: ReadonlyArray<readonly [string, Buffer, string]> = [
      ["version 1", V1, `203.0.113.7:4711 ${secure}`],
      ["version 2", V2, `203.0.113.7:4711 ${secure}`],
      ["a client of TLS", V2_TLS, "203.0.113.7:4711 secure"]
    ]
    for (const [what, header, client] of cases) {
      for (const [how, piece] of [["together with what follows", undefined], ["octet by octet", 1]] as const) {
        it.live(`is taken on a listener for ${name}: ${what}, ${how}`, () =>
          Effect.gen(function*() {
            const { came, port } = yield* serving(socket)
            const stream = speak(port, socket, header, piece)
            yield* poll(() => came.length === 1)
            yield* came[0]!.untilLength(5)
            assert.strictEqual(came[0]!.received.toString(), "hello")
            assert.strictEqual(told(came[0]!.connection), client)
            stream.destroy()
            yield* came[0]!.untilClosed
          }).pipe(withTransport({ tls, proxies })))
      }
    }
  }

  for (const [, socket] of listeners.filter(([, { scheme }]) => scheme === "msrps")) {
    const cases: ReadonlyArray<readonly [string, Buffer, ReadonlyArray<string>]> = [
      ["is the client's where the proxy passes TLS through", V2, ["relay.example.com", "b.example.com"]],
      ["is the proxy's where that ends TLS, and proves nothing of its clients", V2_TLS, []]
    ]
    for (const [what, header, names] of cases) {
      it.live(`R4976-6.3-35: a certificate on a listener for ${socket.transport === "ws" ? "wss" : "msrps"} ${what}`, () =>
        Effect.gen(function*() {
          const { came, port } = yield* serving(socket, true)
          const certificate = { cert: relay.cert, key: Redacted.value(relay.key) }
          const stream = speak(port, socket, header, undefined, certificate)
          yield* poll(() => came.length === 1)
          assert.deepStrictEqual(came[0]!.connection.peerNames, names)
          stream.destroy()
          yield* came[0]!.untilClosed
        }).pipe(withTransport({ tls, proxies })))
    }
  }

  it.live("R4976-6.3-35: who is asked for a certificate depends on the address that the proxy has given", () =>
    Effect.gen(function*() {
      const socket = listeners[1]![1]
      const certificate = { cert: relay.cert, key: Redacted.value(relay.key) }
      const cases = [
        ["203.0.113.7", V1, ["relay.example.com", "b.example.com"]],
        ["203.0.113.7", LOCAL, []],
        ["127.0.0.1", V1, []]
      ] as const
      for (const [asked, header, names] of cases) {
        const { came, port } = yield* serving(socket, (address) => address === asked)
        const stream = speak(port, socket, header, undefined, certificate)
        yield* poll(() => came.length === 1)
        assert.deepStrictEqual(came[0]!.connection.peerNames, names)
        stream.destroy()
        yield* came[0]!.untilClosed
      }
    }).pipe(withTransport({ tls, proxies })))

  it.live("R4976-6.3-35: nor does that of a web server prove anything of those behind it", () =>
    Effect.gen(function*() {
      const socket = listeners[3]![1]
      const { came, port } = yield* serving(socket, true)
      const certificate = { cert: relay.cert, key: Redacted.value(relay.key) }
      const stream = speak(port, socket, Buffer.alloc(0), undefined, certificate)
      yield* poll(() => came.length === 1)
      assert.deepStrictEqual(came[0]!.connection.peerNames, [])
      stream.destroy()
      yield* came[0]!.untilClosed
    }).pipe(withTransport({ tls, proxies: { trusts: proxies.trusts } })))

  it.live("a proxy that speaks for itself is itself, and who is no proxy says nothing", () =>
    Effect.gen(function*() {
      const { came, port } = yield* serving(hasIpv6 ? { ...plain, host: "localhost" } : plain)
      speak(port, plain, LOCAL)
      yield* poll(() => came.length === 1)
      assert.match(told(came[0]!.connection), /^127\.0\.0\.1:\d+ plain$/)
      if (!hasIpv6) return
      // What he says of himself is no word of a proxy, but octets as any.
      const other = Net.connect({ port, host: "::1" })
      other.on("error", () => {})
      other.write(V1)
      yield* poll(() => came.length === 2)
      yield* came[1]!.untilLength(V1.length)
      assert.strictEqual(came[1]!.connection.remote.host, "::1")
      other.destroy()
    }).pipe(withTransport({ tls, proxies })))

  it.live("without a right header there is no connection, a warning now and then for a proxy, and it is counted", () => {
    const lines: Array<string> = []
    return Effect.gen(function*() {
      for (const [, socket] of listeners) {
        const { came, port } = yield* serving(socket)
        const { events, socket: client } = yield* plainClient(port)
        client.write(Buffer.from("MSRP abcd SEND\r\n"))
        yield* poll(() => events.includes("close"))
        const { events: cut, socket: half } = yield* plainClient(port)
        half.end(V2.subarray(0, 20))
        yield* poll(() => cut.includes("close"))
        assert.lengthOf(came, 0)
      }
      const { facts } = yield* Transport
      yield* poll(() => facts!.proxyHeadersRefused.malformed === 8)
      assert.strictEqual(facts!.handshakesFailed["wrong protocol"], 0)
      assert.lengthOf(lines.filter((line) => line.includes(`message="PROXY header refused"`)), 4)
      assert.match(lines[0]!, /level=warn .* remote=127\.0\.0\.1:\d+ reason="no header of the PROXY protocol, or a/i)
    }).pipe(withTransport({ tls, proxies }, lines))
  })

  it.live("one that an address sends which is no proxy is warned of once, on each listener, and what it sends is refused", () => {
    const lines: Array<string> = []
    return Effect.gen(function*() {
      for (const [, socket] of listeners) {
        const { port } = yield* serving(socket)
        for (const header of [V1, V2, Buffer.from("PROXIES")]) {
          const { events, socket: client } = yield* plainClient(port)
          client.write(header)
          if (socket.transport === "ws" || socket.scheme === "msrps") yield* poll(() => events.includes("close"))
          else yield* turns(50)
          client.destroy()
        }
        const told = () =>
          lines.filter((line) => line.includes(`message="PROXY header of an address that is not trusted"`))
        yield* poll(() => told().length > 0)
        assert.match(
          told()[0]!,
          /level=warn .* remote=127\.0\.0\.1:\d+ reason="its address is not in MSRP_TRUSTED_PROXIES"/i
        )
        assert.lengthOf(told(), 1, `${socket.scheme} ${socket.transport}`)
        lines.length = 0
      }
      const { facts } = yield* Transport
      assert.strictEqual(facts!.handshakesFailed["wrong protocol"], 6)
      assert.deepStrictEqual(facts!.proxyHeadersRefused, { malformed: 0, "timed out": 0, "too many": 0 })
    }).pipe(withTransport({ tls, proxies: { ...proxies, trusts: () => false } }, lines))
  })

  it.live("who is no proxy and sends none is set up as ever, and nothing is told of him", () => {
    const lines: Array<string> = []
    return Effect.gen(function*() {
      for (const [, socket] of listeners) {
        const { came, port } = yield* serving(socket)
        const stream = speak(port, socket, Buffer.alloc(0))
        yield* poll(() => came.length === 1)
        yield* came[0]!.untilLength(5)
        assert.strictEqual(came[0]!.received.toString(), "hello")
        stream.destroy()
        yield* came[0]!.untilClosed
      }
      assert.deepStrictEqual(lines.filter((line) => line.includes("PROXY header")), [])
    }).pipe(withTransport({ tls, proxies: { ...proxies, trusts: () => false } }, lines))
  })

  it.live("who comes to see whether there is somebody is no trouble: nothing is logged or counted", () => {
    const lines: Array<string> = []
    return Effect.gen(function*() {
      const { came, facts, port } = yield* serving(plain)
      const { events, socket } = yield* plainClient(port)
      yield* poll(() => events.includes("connect"))
      socket.end()
      yield* poll(() => events.includes("close"))
      speak(port, plain, LOCAL).destroy()
      speak(port, plain, V2)
      yield* poll(() => came.length > 0)
      assert.deepStrictEqual(facts.proxyHeadersRefused, { malformed: 0, "timed out": 0, "too many": 0 })
      assert.deepStrictEqual(lines, [])
    }).pipe(withTransport({ tls, proxies }, lines))
  })

  it.effect("has the setup timeout to come", () =>
    Effect.gen(function*() {
      const { came, facts, port } = yield* serving(plain)
      const slow = yield* plainClient(port)
      slow.socket.write(V2.subarray(0, 20))
      // It has been taken in when one behind it is through.
      speak(port, plain, V1)
      yield* poll(() => came.length === 1)
      yield* turns(50)
      yield* TestClock.adjust(3999)
      assert.notInclude(slow.events, "close")
      yield* TestClock.adjust(1)
      yield* poll(() => slow.events.includes("close"))
      assert.strictEqual(facts.proxyHeadersRefused["timed out"], 1)
    }).pipe(withTransport({ tls, proxies, setupTimeout: 4 })))

  it.live("of those that say nothing the oldest goes for a new one", () =>
    Effect.gen(function*() {
      const { facts, port } = yield* serving(plain)
      const silent: Array<Effect.Success<ReturnType<typeof plainClient>>> = []
      for (let i = 0; i < 5; i++) {
        const client = yield* plainClient(port)
        yield* poll(() => client.events.includes("connect"))
        yield* turns(20)
        silent.push(client)
      }
      yield* poll(() => facts.proxyHeadersRefused["too many"] === 3)
      yield* poll(() => silent.filter(({ events }) => events.includes("close")).length === 3)
      assert.notInclude(silent[4]!.events, "close")
    }).pipe(withTransport({ tls, proxies, maxHandshakes: 2, setupTimeout: 3600 })))

  it.live("limits of an address are the client's, and the proxy has none", () =>
    Effect.gen(function*() {
      const socket = listeners[1]![1]
      const { came, port } = yield* serving(socket)
      // One of this client's is under way, and another one of his waits for it; others do not.
      const first = behind(V1, port)
      first.write("")
      const of = (n: number): Buffer => Buffer.from(`PROXY TCP4 203.0.113.${n} 198.51.100.1 4711 2855\r\n`)
      yield* turns(50)
      const second = speak(port, socket, V1)
      yield* turns(50)
      for (let n = 10; n < 14; n++) speak(port, socket, of(n))
      yield* poll(() => came.length === 4)
      assert.notInclude(came.map(({ connection }) => connection.remote.host), "203.0.113.7")
      first.destroy()
      yield* poll(() => came.length === 5)
      assert.strictEqual(came[4]!.connection.remote.host, "203.0.113.7")
      second.destroy()
    }).pipe(withTransport({ tls, proxies, maxHandshakesPerAddress: 1, handshakeRate: 1000 })))

  it.live("who the proxies are, and where they must say it, may change", () => {
    const options = AtomRef.make<NodeOptions>({ tls })
    return Effect.gen(function*() {
      const { listen } = yield* Transport
      const came: Array<Recorder> = []
      const { port } = yield* listen(plain, (connection) => {
        const recorder = new Recorder()
        came.push(recorder)
        return recorder.accept(connection)
      })
      speak(port, plain, V1)
      yield* poll(() => came.length === 1)
      assert.strictEqual(came[0]!.connection.remote.host, "127.0.0.1")
      options.set({ tls, proxies })
      speak(port, plain, V1)
      yield* poll(() => came.length === 2)
      assert.strictEqual(came[1]!.connection.remote.host, "203.0.113.7")
      options.set({ tls, proxies: { ...proxies, header: ({ transport }) => transport === "ws" } })
      speak(port, plain, V1)
      yield* poll(() => came.length === 3)
      assert.strictEqual(came[2]!.connection.remote.host, "127.0.0.1")
    }).pipe((effect) => Effect.scoped(Effect.provide(effect, Transport.layerNode(options))))
  })

  it.live("octets that wait are seen where TLS is spoken to a proxy only", () =>
    Effect.gen(function*() {
      const { came, port } = yield* serving(plain)
      const stream = speak(port, plain, V2_TLS)
      yield* poll(() => came.length === 1)
      const { connection } = came[0]!
      connection.write(Buffer.alloc(64 * 1024 * 1024), () => {})
      yield* turns(20)
      const before = connection.pending()
      assert.isBelow(before, 64 * 1024 * 1024, "what the system has taken of a write that goes on does not wait")
      stream.destroy()
    }).pipe(withTransport({ tls, proxies })))
})
