/** What strangers may cost by TLS, and what they leave behind. Certificates are valid now, so most of it is on the real clock. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { X509Certificate } from "node:crypto"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { type Connection, type LocalSocket, type NodeOptions, Transport } from "../../src/Transport.ts"
import { LOOK } from "../../src/transport/HandshakeSizes.ts"
import { keepingAlive } from "../../src/transport/KeepAlive.ts"
import { HANDSHAKE, MAX_CERTIFICATES, MAX_PEER_NAMES } from "../../src/transport/PeerCertificate.ts"
import {
  ca,
  issueBehind,
  issueWith,
  type KeyPair,
  localhost,
  otherLocalhost,
  relay,
  selfSigned,
  unneeded
} from "../support/pki.ts"
import { poll, Recorder, turns } from "../support/Recorder.ts"
import { plainClient, plainServer } from "./plain.ts"

const run = <A, E>(options: NodeOptions, effect: Effect.Effect<A, E, Transport | Scope.Scope>) =>
  Effect.scoped(Effect.provide(effect, Transport.layerNode(options)))

const listener: LocalSocket = { scheme: "msrps", host: "127.0.0.1", port: 0 }
const asking = { asksForCertificate: true }

/** A TLS client of Node's, and what happened to it. */
const client = (
  port: number,
  { servername, ...options }: Tls.ConnectionOptions & Pick<Net.TcpNetConnectOpts, "localAddress"> = {}
) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = Tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options })
      // As an option, Node.js 26 does not take an address.
      if (servername !== undefined) {
        ;(socket as unknown as { setServername(name: string): void }).setServername(servername)
      }
      const events: Array<string> = []
      socket.on("secureConnect", () => void events.push("secure"))
      socket.on("error", (error) => void events.push("code" in error ? String(error.code) : "error"))
      socket.on("close", () => void events.push("close"))
      return { socket, events }
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

const showing = ({ cert, key }: KeyPair): Tls.ConnectionOptions => ({ cert, key: Redacted.value(key) })

/** A listener, and the connections that came in. */
const listening = Effect.fnUntraced(function*(options: object = {}) {
  const { listen } = yield* Transport
  const accepted: Array<Connection> = []
  const recorders: Array<Recorder> = []
  const { port } = yield* listen(listener, (connection) => {
    accepted.push(connection)
    const recorder = new Recorder()
    recorders.push(recorder)
    return recorder.accept(connection)
  }, options)
  return { port, accepted, recorders }
})

/** Leads there, and lets nothing through of what comes behind the hello until it is so many octets. */
const holding = Effect.fnUntraced(function*(port: number, octets: number) {
  return yield* plainServer((socket) => {
    const to = Net.connect(port, "127.0.0.1")
    const held: Array<Buffer> = []
    let length = 0
    socket.once("data", (hello) => {
      to.write(hello)
      socket.on("data", (chunk) => {
        length += chunk.length
        if (length < octets) held.push(chunk)
        else to.write(Buffer.concat([...held.splice(0), chunk]))
      })
    })
    to.pipe(socket)
    for (const one of [socket, to]) one.on("error", () => {}).on("close", () => void (to.destroy(), socket.destroy()))
  })
})

/** Leads there; the result also has what leads there, to write octets that its client has not sent. */
const leading = Effect.fnUntraced(function*(port: number) {
  const ways: Array<Net.Socket> = []
  const by = yield* plainServer((socket) => {
    const to = Net.connect(port, "127.0.0.1")
    ways.push(to)
    socket.pipe(to)
    to.pipe(socket)
    for (const one of [socket, to]) one.on("error", () => {}).on("close", () => void (to.destroy(), socket.destroy()))
  })
  return { by, ways }
})

/** A record of data that is not encrypted with any key. */
const forged = Buffer.concat([Buffer.from([23, 3, 3, 0, 48]), Buffer.alloc(48, 7)])

/** Clients that come at once. */
const CROWD = 200

/** The octets of a certificate (PEM). */
const octetsOf = (pem: string): number => new X509Certificate(pem).raw.length

const manyNames = (count: number) => Array.from({ length: count }, (_, i) => `name-${i}.example.com`)

/** What a client of Node's says first. */
const hello = Effect.scoped(Effect.gen(function*() {
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => Net.createServer().listen(0, "127.0.0.1")),
    (made) => Effect.sync(() => void made.close())
  )
  yield* Effect.promise(() => once(server, "listening"))
  yield* client((server.address() as Net.AddressInfo).port)
  const [socket] = (yield* Effect.promise(() => once(server, "connection"))) as [Net.Socket]
  const [octets] = (yield* Effect.promise(() => once(socket, "data"))) as [Buffer]
  socket.destroy()
  return octets
}))

it.live("R4976-9.3-06: of a crowd that says hello at once some are answered in each turn of the event loop", () =>
  run(
    { tls: localhost },
    Effect.gen(function*() {
      const octets = yield* hello
      const { port } = yield* listening()
      const clients = Array.from({ length: CROWD }, () => Net.connect({ port, host: "127.0.0.1" }))
      yield* Effect.addFinalizer(() => Effect.sync(() => clients.forEach((one) => one.destroy())))
      yield* Effect.promise(() => Promise.all(clients.map((one) => once(one, "connect"))))
      // Until all of them are waited for.
      yield* turns(CROWD)
      let answered = 0
      let most = 0
      for (const one of clients) one.once("data", () => void answered++).write(octets)
      for (let before = 0; before < CROWD; before = answered) {
        yield* turns(1)
        most = Math.max(most, answered - before)
      }
      assert.isAtMost(most, CROWD / 10)
    })
  ))

describe("certificates of those who connect", () => {
  it.live("R4976-9.3-06: nobody is asked for one unless relays are to come there", () =>
    run(
      { tls: { ...localhost, ca } },
      Effect.gen(function*() {
        for (const [options, names] of [[{}, []], [asking, ["relay.example.com", "b.example.com"]]] as const) {
          const { accepted, port } = yield* listening(options)
          yield* client(port, showing(relay))
          yield* poll(() => accepted.length === 1)
          assert.deepStrictEqual(accepted[0]!.peerNames, names)
          assert.strictEqual(accepted[0]!.peerNamesUntil === undefined, names.length === 0)
        }
        // Who is not asked keeps his certificate, whatever it is.
        const { accepted, port } = yield* listening()
        yield* client(port, showing(yield* Effect.promise(() => issueWith(manyNames(300), { signed: false }))))
        yield* poll(() => accepted.length === 1)
      })
    ))

  it.live("R4976-9.3-06: by the address, some are asked and others cost what a plain handshake does", () =>
    run(
      { tls: { ...localhost, ca } },
      Effect.gen(function*() {
        const { accepted, port } = yield* listening({
          asksForCertificate: (address: string) => address === "127.0.0.2"
        })
        const huge = showing(yield* Effect.promise(() => issueWith(manyNames(3000), { signed: false })))
        for (
          const [localAddress, names] of [["127.0.0.2", ["relay.example.com", "b.example.com"]], [
            "127.0.0.3",
            []
          ]] as const
        ) {
          yield* client(port, { ...showing(relay), localAddress })
          yield* poll(() => accepted.length > 0)
          assert.deepStrictEqual(accepted.pop()!.peerNames, names)
          // Who is asked and shows that is closed; who is not asked does not even send it.
          const { events, socket } = yield* client(port, { ...huge, localAddress })
          socket.resume()
          yield* poll(() => names.length > 0 ? events.includes("close") : accepted.length > 0)
          assert.lengthOf(accepted.splice(0), names.length > 0 ? 0 : 1)
        }
      })
    ))

  it.live.each(
    (["TLSv1.2", "TLSv1.3"] as const).flatMap((maxVersion) =>
      ["b.example.com", "localhost"].map((servername) => ({ maxVersion, servername }))
    )
  )(
    "R4976-6.3-35: a session of one that was not asked proves nothing where he is, and the other way round: $maxVersion, $servername",
    ({ maxVersion, servername }) =>
      run(
        { tls: { ...localhost, others: [relay], ca } },
        Effect.gen(function*() {
          const { accepted, port } = yield* listening({
            asksForCertificate: (address: string) => address === "127.0.0.2"
          })
          /** Connects from there, with the session of another connection. */
          const connect = Effect.fnUntraced(function*(localAddress: string, session?: Buffer) {
            const options = { localAddress, maxVersion, servername, ...(session === undefined ? {} : { session }) }
            const { socket } = yield* client(port, { ...showing(relay), ...options })
            let given: Buffer | undefined
            let heard = false
            socket.on("session", (one) => given = one)
            socket.on("data", () => heard = true)
            yield* poll(() => accepted.length === 1)
            const connection = accepted.pop()!
            connection.write(Buffer.from("hello"), () => {})
            // A ticket comes before the first data, if at all.
            yield* poll(() => heard)
            return {
              names: connection.peerNames,
              resumed: socket.isSessionReused(),
              session: given ?? socket.getSession()!
            }
          })
          const names = ["relay.example.com", "b.example.com"]
          const stranger = yield* connect("127.0.0.3")
          assert.deepInclude(stranger, { names: [], resumed: false })
          assert.deepInclude(yield* connect("127.0.0.3", stranger.session), { names: [], resumed: true })
          const asked = yield* connect("127.0.0.2", stranger.session)
          assert.deepInclude(asked, { names, resumed: false })
          assert.deepInclude(yield* connect("127.0.0.2", asked.session), { names, resumed: false })
          assert.deepInclude(yield* connect("127.0.0.3", asked.session), { names: [], resumed: false })
        })
      )
  )

  it.live("R4976-9.3-06: one that was not verified leaves nothing behind that costs more than none", () =>
    run(
      { tls: { ...localhost, ca } },
      Effect.gen(function*() {
        const { accepted, port } = yield* listening(asking)
        for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
          const small = yield* client(port, { ...showing(selfSigned), maxVersion })
          yield* poll(() => accepted.length === 1)
          assert.deepStrictEqual(accepted.pop()!.peerNames, [])
          yield* poll(() => small.events.includes("secure"))
          for (const count of [300, 3000]) {
            const pair = yield* Effect.promise(() => issueWith(manyNames(count), { signed: false }))
            const large = yield* client(port, { ...showing(pair), maxVersion })
            large.socket.resume()
            yield* poll(() => large.events.includes("close"))
            assert.notInclude(large.events.join(), "INTERNAL")
          }
          assert.lengthOf(accepted, 0)
        }
      })
    ))

  it.live("R4976-9.3-06: one that was verified keeps so many names, and octets", () =>
    run(
      { tls: { ...localhost, ca } },
      Effect.gen(function*() {
        const { accepted, port } = yield* listening(asking)
        const names = manyNames(MAX_PEER_NAMES + 50)
        const pair = yield* Effect.promise(() => issueWith(names))
        yield* client(port, showing(pair))
        yield* poll(() => accepted.length === 1)
        assert.deepStrictEqual(accepted[0]!.peerNames, names.slice(0, MAX_PEER_NAMES))
        const huge = yield* client(port, showing(yield* Effect.promise(() => issueWith(manyNames(2500)))))
        huge.socket.resume()
        yield* poll(() => huge.events.includes("close"))
        assert.lengthOf(accepted, 1)
      })
    ))

  it.effect.each(["TLSv1.2", "TLSv1.3"] as const)(
    "R4976-9.3-06: those behind it count as well, and not what is sent at once (%s)",
    (maxVersion) =>
      run(
        { tls: { ...localhost, ca } },
        Effect.gen(function*() {
          const { accepted, port, recorders } = yield* listening(asking)
          const behind = `\n${yield* Effect.promise(unneeded)}`.repeat(150)
          for (const { cert, key } of [selfSigned, relay]) {
            const asked = yield* client(port, { cert: cert + behind, key: Redacted.value(key), maxVersion })
            asked.socket.resume()
            yield* poll(() => asked.events.includes("close"))
          }
          assert.isEmpty(accepted)
          const hasty = yield* client(port, { ...showing(selfSigned), maxVersion })
          hasty.socket.write(Buffer.alloc(100_000))
          yield* poll(() => recorders.at(-1)?.length === 100_000)
          yield* TestClock.adjust("1 second")
          yield* turns(5)
          assert.deepStrictEqual(hasty.events, ["secure"])
        })
      )
  )

  it.effect("nor where it waits in the middle of a record, or has many small ones", () =>
    run(
      { tls: localhost },
      Effect.gen(function*() {
        const { accepted, port, recorders } = yield* listening()
        const hasty = yield* client(yield* holding(port, 40_000))
        hasty.socket.once("secureConnect", () => {
          hasty.socket.write(Buffer.alloc(3000))
          hasty.socket.write(Buffer.alloc(60_000))
        })
        yield* poll(() => accepted.length === 1)
        recorders[0]!.onBytes = () => accepted[0]!.pause()
        yield* poll(() => recorders[0]!.length > 0)
        const busy = yield* client(yield* holding(port, 40_000))
        let left = 1000
        const more = (): void => void (left-- > 0 && busy.socket.write(Buffer.alloc(300), more))
        busy.socket.once("secureConnect", more)
        yield* poll(() => recorders[1]?.length === 300_000)
        for (let looks = 0; looks < 20; looks++) yield* TestClock.adjust("100 millis")
        yield* turns(5)
        assert.deepStrictEqual([hasty.events, busy.events], [["secure"], ["secure"]])
      })
    ))

  it.live("R4976-6.3-35: what looks like an address is none as a DNS name", () =>
    run(
      { tls: { ...localhost, ca } },
      Effect.gen(function*() {
        const { accepted, port } = yield* listening(asking)
        const pair = yield* Effect.promise(() => issueWith(["192.0.2.1", "2001:db8::1", "a.example.com"]))
        yield* client(port, showing(pair))
        yield* poll(() => accepted.length === 1)
        assert.deepStrictEqual(accepted[0]!.peerNames, ["a.example.com"])
      })
    ))

  it.live("they prove something until they expire", () =>
    run(
      { tls: { ...localhost, ca } },
      Effect.gen(function*() {
        const { connect } = yield* Transport
        const { accepted, port } = yield* listening(asking)
        const pair = yield* Effect.promise(() => issueWith(["a.example.com"], { hoursFromNow: 0.5 }))
        yield* client(port, showing(pair))
        yield* poll(() => accepted.length === 1)
        const dialled = yield* connect({ scheme: "msrps", host: "127.0.0.1", port }, new Recorder().accept)
        const now = performance.now()
        // Which of both monotonic clocks counts from when is not said, so they are compared with each other.
        assert.approximately(dialled.peerNamesUntil! - accepted[0]!.peerNamesUntil!, 1_800_000, 60_000)
        assert.isAbove(dialled.peerNamesUntil!, now)
      })
    ))

  it.live.each(["TLSv1.2", "TLSv1.3"] as const)(
    "R4976-6.3-35: or until the authority between them and the root does, which is not taken from OpenSSL (%s)",
    (maxVersion) =>
      run(
        { tls: { ...localhost, ca } },
        Effect.gen(function*() {
          const { accepted, port } = yield* listening(asking)
          for (const hours of [1, 20]) {
            const { between, own } = yield* Effect.promise(() => issueBehind("a.example.com", hours))
            yield* client(port, { cert: `${own.cert}\n${between}`, key: Redacted.value(own.key), maxVersion })
            yield* poll(() => accepted.length > 0 && accepted.at(-1)!.peerNames.length > 0)
          }
          yield* poll(() => accepted.length === 2)
          const [soon, later] = accepted.map(({ peerNamesUntil = 0 }) => peerNamesUntil)
          assert.approximately(later! - soon!, 19 * 3_600_000, 60_000)
        })
      )
  )
})

describe("octets that never become a handshake", () => {
  /** So many octets of a message of this type that would have a few more, in records. */
  const unfinished = (type: number, octets: number): Buffer => {
    const message = Buffer.alloc(octets)
    message[0] = type
    message.writeUIntBE(octets + 100, 1, 3)
    const records: Array<Buffer> = []
    for (let i = 0; i < octets; i += 16_384) {
      const part = message.subarray(i, i + 16_384)
      records.push(Buffer.from([22, 3, 3, part.length >> 8, part.length & 255]), part)
    }
    return Buffer.concat(records)
  }

  /** Long enough for octets that are on their way on loopback. */
  const look = Effect.andThen(turns(20), TestClock.adjust(LOOK))

  it.effect("R4976-9.3-06: are those of a certificate chain at most, if one is asked for, or else of a long hello", () =>
    run(
      { tls: { ...localhost, ca } },
      Effect.gen(function*() {
        const { facts } = yield* Transport
        for (
          const [options, most] of [[{}, HANDSHAKE], [asking, HANDSHAKE + MAX_CERTIFICATES]] as const
        ) {
          const before = facts!.handshakesFailed.failed
          const { port } = yield* listening(options)
          const few = yield* plainClient(port)
          few.socket.write(unfinished(1, most - 1000))
          const many = yield* plainClient(port)
          many.socket.write(unfinished(1, most + 1000))
          // Less than the time that a handshake has.
          for (let looks = 0; looks < 10 && !many.events.includes("close"); looks++) yield* look
          assert.include(many.events, "close")
          yield* look
          assert.deepStrictEqual(few.events, ["connect"])
          assert.strictEqual(facts!.handshakesFailed.failed, before + 1)
        }
      })
    ))

  it.effect.each(["TLSv1.2", "TLSv1.3"] as const)(
    "and not those of a chain that may be so long, and is slow (%s)",
    (maxVersion) =>
      run(
        { tls: { ...localhost, ca } },
        Effect.gen(function*() {
          const { accepted, port } = yield* listening(asking)
          const behind = `\n${yield* Effect.promise(unneeded)}`
          const chain = behind.repeat(Math.floor(0.9 * MAX_CERTIFICATES / octetsOf(behind)))
          // So many octets of it come, and then none for a while.
          const atFirst = HANDSHAKE + 3000
          let passed = 0
          let rest = (): void => {}
          const by = yield* plainServer((socket) => {
            const to = Net.connect(port, "127.0.0.1")
            socket.on("data", (octets) => {
              const first = Math.max(0, atFirst - passed)
              passed += octets.length
              if (first > 0) to.write(octets.subarray(0, first))
              const before = rest
              rest = () => void (before(), to.write(octets.subarray(first)))
            })
            to.pipe(socket)
            for (const one of [socket, to]) {
              one.on("error", () => {}).on("close", () => void (to.destroy(), socket.destroy()))
            }
          })
          const { events } = yield* client(by, { cert: relay.cert + chain, key: Redacted.value(relay.key), maxVersion })
          yield* poll(() => passed > atFirst)
          yield* look
          yield* look
          rest()
          yield* poll(() => accepted.length + Number(events.includes("close")) > 0)
          assert.deepStrictEqual(accepted.map(({ peerNames }) => peerNames.length), [2])
        })
      )
  )

  it.effect("R4976-9.3-06: are bounded for those who are dialled, too", () =>
    run(
      { tls: { ...localhost, ca } },
      Effect.gen(function*() {
        const { connect } = yield* Transport
        const port = yield* plainServer((socket) => {
          socket.on("error", () => {}).once("data", () =>
            socket.write(unfinished(2, HANDSHAKE + MAX_CERTIFICATES + 1000)))
        })
        const dialled = yield* Effect.forkChild(
          Effect.flip(connect({ scheme: "msrps", host: "127.0.0.1", port }, new Recorder().accept))
        )
        for (let looks = 0; looks < 10; looks++) {
          yield* look
        }
        const { message, reason } = yield* Fiber.join(dialled)
        assert.strictEqual(reason, "Certificate")
        assert.include(message, "is too long, with its chain")
      })
    ))
})

describe("a connection whose TLS fails after the handshake", () => {
  it.live.each(["TLSv1.2", "TLSv1.3"] as const)(
    "is closed at once: Node would read on, and keep all of it (%s)",
    (maxVersion) =>
      run(
        { tls: localhost },
        Effect.gen(function*() {
          const { port, recorders } = yield* listening()
          const { by, ways } = yield* leading(port)
          yield* client(by, { maxVersion })
          yield* poll(() => recorders.length === 1)
          ways[0]!.write(forged)
          yield* recorders[0]!.untilClosed
        })
      )
  )

  it.effect.each(["TLSv1.2", "TLSv1.3"] as const)("also before a WebSocket is open (%s)", (maxVersion) =>
    run(
      { tls: localhost },
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const { port } = yield* listen({ ...listener, transport: "ws" }, new Recorder().accept)
        const { by, ways } = yield* leading(port)
        const { events } = yield* client(by, { maxVersion })
        yield* poll(() => events.length > 0)
        ways[0]!.write(forged)
        yield* poll(() => events.includes("close"))
      })
    ))

  it.live("is closed by the side that has dialled, too", () =>
    run(
      { tls: { ...localhost, ca } },
      Effect.gen(function*() {
        const { connect } = yield* Transport
        const ends: Array<Net.Socket> = []
        const port = yield* plainServer((raw) => {
          ends.push(raw)
          new Tls.TLSSocket(raw, { isServer: true, cert: localhost.cert, key: Redacted.value(localhost.key) })
            .on("error", () => {})
        })
        const { by, ways } = yield* leading(port)
        const recorder = new Recorder()
        yield* connect({ scheme: "msrps", host: "127.0.0.1", port: by, serverName: "localhost" }, recorder.accept)
        ways[0]!.emit("data", forged)
        yield* recorder.untilClosed
      })
    ))
})

describe("names that clients ask for", () => {
  it.live.each(["fe80::1%x", "fe80::1", "127.0.0.1", "::ffff:1.2.3.4%25", "a%x", "..", "x".repeat(250)])(
    "%s costs nobody anything but gets the default certificate",
    (servername) =>
      run(
        { tls: { ...relay, others: [otherLocalhost, localhost] } },
        Effect.gen(function*() {
          const { accepted, port } = yield* listening()
          const asked = yield* client(port, { servername })
          yield* poll(() => asked.events.length > 0)
          if (asked.events[0] === "secure") {
            assert.include(asked.socket.getPeerX509Certificate()?.subjectAltName, "b.example.com")
          }
          const good = yield* client(port, { servername: "localhost" })
          yield* poll(() => good.events.includes("secure"))
          assert.include(good.socket.getPeerX509Certificate()?.subjectAltName, "DNS:localhost")
          assert.isNotEmpty(accepted)
        })
      )
  )
})

describe("handshakes of one address", () => {
  it.effect("R4976-6.1-26 R4976-9.3-06: so many are under way at a time, and the next one when one is over", () =>
    run(
      { tls: { ...localhost, ca }, maxHandshakesPerAddress: 2, setupTimeout: 10 },
      Effect.gen(function*() {
        const { accepted, port } = yield* listening()
        const silent = [yield* plainClient(port), yield* plainClient(port)]
        yield* poll(() => silent.every(({ events }) => events.includes("connect")))
        // Accepted as well: one of several acceptors may have got them.
        yield* turns(50)
        const waiting = yield* client(port)
        const other = yield* plainClient(port)
        other.socket.write("no TLS")
        // It has been seen, and waits behind the first.
        yield* poll(() => other.events.includes("connect"))
        yield* turns(50)
        assert.deepStrictEqual([waiting.events, other.events], [[], ["connect"]])
        silent[0]!.socket.destroy()
        yield* poll(() => waiting.events.includes("secure"))
        yield* poll(() => accepted.length === 1)
        yield* poll(() => other.events.includes("close"))
        assert.notInclude(silent[1]!.events, "close")
        yield* TestClock.adjust("10 seconds")
        yield* poll(() => silent[1]!.events.includes("close"))
      })
    ))

  it.effect("R4976-9.3-06: fewer are where a certificate is asked for", () =>
    run(
      { tls: { ...localhost, ca }, maxHandshakesPerAddress: 100 },
      Effect.gen(function*() {
        const byAddress = (asked: string) => ({ asksForCertificate: (address: string) => address === asked })
        const cases = [[{}, false], [asking, true], [byAddress("127.0.0.1"), true], [
          byAddress("127.0.0.2"),
          false
        ]] as const
        for (const [options, waits] of cases) {
          const { accepted, port } = yield* listening(options)
          const silent = yield* Effect.replicateEffect(plainClient(port), 8)
          yield* poll(() => silent.every(({ events }) => events.includes("connect")))
          yield* turns(50)
          yield* client(port)
          if (!waits) yield* poll(() => accepted.length === 1)
          yield* turns(50)
          assert.lengthOf(accepted, waits ? 0 : 1)
          silent[3]!.socket.destroy()
          yield* poll(() => accepted.length === 1)
        }
      })
    ))

  it.effect("R4976-9.3-06: those beyond the rate wait their time, and are closed when that is too long", () =>
    run(
      { tls: { ...localhost, ca }, handshakeRate: 1, setupTimeout: 2 },
      Effect.gen(function*() {
        const { accepted, port } = yield* listening()
        for (let i = 0; i < 4; i++) {
          const { events } = yield* client(port)
          yield* poll(() => events.includes("secure"))
        }
        const [next, last] = [yield* client(port), yield* client(port)]
        const beyond = [yield* client(port), yield* client(port)]
        yield* poll(() => beyond.some(({ events }) => events.includes("close")))
        assert.lengthOf(accepted, 4)
        yield* TestClock.adjust("1 seconds")
        yield* poll(() => [next, last, ...beyond].filter(({ events }) => events.includes("secure")).length === 1)
      })
    ))

  it.effect("R4976-9.3-06: an address may be exempt", () =>
    run(
      {
        tls: { ...localhost, ca },
        handshakeRate: 1,
        maxHandshakesPerAddress: 1,
        isExempt: (address) => address === "127.0.0.1"
      },
      Effect.gen(function*() {
        const { accepted, port } = yield* listening()
        yield* plainClient(port)
        for (let i = 0; i < 12; i++) yield* client(port)
        yield* poll(() => accepted.length === 12)
      })
    ))
})

it("keep-alive never waits for the system's own two hours", () => {
  assert.deepStrictEqual([0, 0.5, 1.5, 60].map((seconds) => keepingAlive(seconds).keepAliveInitialDelay), [
    undefined,
    1000,
    2000,
    60_000
  ])
})

/** The timers of sockets, as Linux tells them: 02 is keep-alive. */
const timersOf = (port: number): ReadonlyArray<string> =>
  readFileSync("/proc/net/tcp", "utf8").split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([, local = "", , state]) => state === "01" && Number.parseInt(local.split(":")[1]!, 16) === port)
    .map(([, , , , , timer = ""]) => timer.split(":")[0]!)

describe.skipIf(!existsSync("/proc/net/tcp"))("keep-alive", () => {
  it.live.each([{ keepAlive: undefined, timer: "02" }, { keepAlive: 7, timer: "02" }, { keepAlive: 0, timer: "00" }])(
    "a peer that goes without a word is asked for: $keepAlive",
    ({ keepAlive, timer }) =>
      run(
        { tls: { ...localhost, ca }, keepAlive },
        Effect.gen(function*() {
          const { connect } = yield* Transport
          const { accepted, port } = yield* listening()
          yield* client(port)
          yield* poll(() => accepted.length === 1)
          // While octets are on their way it is another timer, and the list may lack a socket while others come and go.
          yield* poll(() => timersOf(port).join() === timer)
          const far = yield* plainServer((socket) => void socket.resume())
          const { local } = yield* connect({ scheme: "msrp", host: "127.0.0.1", port: far }, new Recorder().accept)
          yield* poll(() => timersOf(local.port).join() === timer)
        })
      )
  )
})
