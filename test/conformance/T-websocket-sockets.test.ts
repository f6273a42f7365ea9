/**
 * MSRP over WebSocket as seen on the wire (RFC 7977, RFC 6455), by real sockets, with and without TLS: the other side is not
 * written here, or is octets by hand.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { once } from "node:events"
import { parseUri } from "../../src/protocol/Uri.ts"
import { Transport } from "../../src/Transport.ts"
import { header, Peer, request, send, until, type World, type WorldOptions } from "../support/harness.ts"
import { ca, localhost } from "../support/pki.ts"
import { type Body, play } from "../support/simulated.ts"
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  headOf,
  LINES,
  peerByBrowser,
  peerByHand,
  peerByPackage,
  PING,
  PONG,
  rawSocket,
  rawWebSocket,
  TEXT,
  without,
  wsFrame
} from "../support/webSockets.ts"

const layer = Transport.layerNode({
  tls: { ...localhost, ca },
  webSocket: { admitsOrigin: (origin) => origin === "https://chat.example" }
})

/** What the body has opened is closed behind it. */
const scoped = (body: Body): Body => (world) => Effect.scoped(body(world))

/** On `ws` and on `wss`. */
const both = (title: string, body: Body, options: WorldOptions = {}): void => {
  for (const scheme of ["msrp", "msrps"] as const) {
    it.effect(`${title} (${scheme === "msrp" ? "ws" : "wss"})`, () =>
      Effect.provide(play(scoped(body), { by: "ws", scheme, plaintextAuth: "always", ...options }), layer))
  }
}

/** An own URI of a client that has come by WebSocket (RFC 7977 Appendix A). */
const partyOf = (world: World, name: string): string =>
  world.party(name).replace("msrp:", `${world.scheme}:`).replace(";tcp", ";ws")

/** A peer by TCP. */
const byTcp = (world: World) => {
  const peer = new Peer(world)
  world.peers.push(peer)
  return Effect.as(world.transport.connect(world.relay.sockets[0]!, peer.accept), peer)
}

describe("handshake", () => {
  const refused: ReadonlyArray<readonly [what: string, head: string, answer: RegExp]> = [
    [
      "R6455-4.2-01: another method",
      headOf(LINES, { line: "POST / HTTP/1.1" }),
      /^HTTP\/1\.1 405 [^]*\r\nAllow: GET\r\n/
    ],
    ["R6455-4.2-01: HTTP/1.0", headOf(LINES, { line: "GET / HTTP/1.0" }), /^HTTP\/1\.1 (400|426|505) /],
    ["R6455-4.2-01: no Host", ["GET / HTTP/1.1", ...LINES, "", ""].join("\r\n"), /^HTTP\/1\.1 400 /],
    ["R6455-4.2-01: no Upgrade", headOf(without("Upgrade")), /^HTTP\/1\.1 426 [^]*\r\nUpgrade: websocket\r\n/],
    ["R6455-4.2-01: no Connection", headOf(without("Connection")), /^HTTP\/1\.1 426 [^]*\r\nUpgrade: websocket\r\n/],
    ["R6455-4.2-01: another upgrade", headOf(["Upgrade: h2c", ...without("Upgrade")]), /^HTTP\/1\.1 426 /],
    [
      "R6455-4.2-01: no version",
      headOf(without("Sec-WebSocket-Version")),
      /^HTTP\/1\.1 426 [^]*\r\nSec-WebSocket-Version: 13\r\n/
    ],
    [
      "R6455-4.2-01: another version",
      headOf([...without("Sec-WebSocket-Version"), "Sec-WebSocket-Version: 8"]),
      /^HTTP\/1\.1 426 [^]*\r\nSec-WebSocket-Version: 13\r\n/
    ],
    ["R6455-4.2-01: no key", headOf(without("Sec-WebSocket-Key")), /^HTTP\/1\.1 400 /],
    [
      "R6455-4.2-01: a key of 15 octets",
      headOf([...without("Sec-WebSocket-Key"), "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA"]),
      /^HTTP\/1\.1 400 /
    ],
    [
      "R6455-4.2-01: two keys",
      headOf([...LINES, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]),
      /^HTTP\/1\.1 400 /
    ],
    ["R7977-4.1-02: no subprotocol", headOf(without("Sec-WebSocket-Protocol")), /^HTTP\/1\.1 400 /],
    [
      "R7977-4.1-02: another subprotocol",
      headOf([...without("Sec-WebSocket-Protocol"), "Sec-WebSocket-Protocol: sip, msrps"]),
      /^HTTP\/1\.1 400 /
    ],
    ["R6455-4.2-01: another path", headOf(LINES, { line: "GET /chat HTTP/1.1" }), /^HTTP\/1\.1 404 /],
    ["R7977-7-01: a page of another origin", headOf([...LINES, "Origin: https://evil.example"]), /^HTTP\/1\.1 403 /],
    ["R6455-4.2-01: a page that is asked for", headOf([]), /^HTTP\/1\.1 426 /],
    ["R6455-4.2-01: no HTTP", "MSRP abcd AUTH\r\nTo-Path: a\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["R6455-4.2-01: a head that is too long", headOf([...LINES, `X: ${"x".repeat(20_000)}`]), /^HTTP\/1\.1 4\d\d /]
  ]
  for (const [what, head, answer] of refused) {
    both(`${what}: no WebSocket, and an answer that says so`, (world) =>
      Effect.gen(function*() {
        const raw = yield* rawSocket(world)
        // What follows is no frame for anybody.
        raw.write(head, wsFrame(BINARY, request("AUTH", { to: world.uri, from: world.party() })))
        yield* until(() => raw.ended || raw.closed, "the end")
        assert.match(raw.head, answer)
        assert.strictEqual(world.relay.gauges().connections, 0)
      }))
  }

  both(
    "R7977-4.1-01 R6455-4.2-02: a list with msrp in it is granted as msrp alone, without any extension",
    (world) =>
      Effect.gen(function*() {
        const others = [
          "Upgrade: h2c, WebSocket",
          "Connection: keep-alive, upgrade",
          ...LINES.slice(2, 4),
          "Sec-WebSocket-Protocol: sip, xmpp",
          "Sec-WebSocket-Protocol: chat, msrp",
          "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
        ]
        const { head } = yield* rawWebSocket(world, headOf(others))
        assert.include(head, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
        assert.deepStrictEqual(head.match(/^Sec-WebSocket-Protocol: .*$/gmi), ["Sec-WebSocket-Protocol: msrp"])
        assert.notMatch(head, /Sec-WebSocket-Extensions/i)
      })
  )

  both("R7977-7-03: an origin that is admitted is named in the answer", (world) =>
    Effect.gen(function*() {
      const { head } = yield* rawWebSocket(world, headOf([...LINES, "Origin: https://chat.example"]))
      assert.include(head, "\r\nAccess-Control-Allow-Origin: https://chat.example\r\n")
    }))

  both(
    "R6455-4.2-01: a head that comes octet by octet, and a frame right behind it",
    (world) =>
      Effect.gen(function*() {
        const raw = yield* rawSocket(world)
        raw.socket.setNoDelay(true)
        const head = Buffer.from(headOf())
        for (const octet of head.subarray(0, -1)) {
          raw.write(Buffer.from([octet]))
          yield* Effect.yieldNow
        }
        raw.write("\n", wsFrame(BINARY, request("AUTH", { to: world.uri, from: partyOf(world, "alice") })))
        assert.include((yield* raw.next).payload.toString(), " 401 ")
      })
  )
})

describe("frames", () => {
  const broken: ReadonlyArray<readonly [what: string, octets: ReadonlyArray<Buffer>, codes: ReadonlyArray<number>]> = [
    ["R6455-5.1-01: a frame without a mask", [wsFrame(BINARY, "MSRP", { masked: false })], [1002]],
    ["R6455-5.1-01: a Ping without a mask", [wsFrame(PING, "", { masked: false })], [1002]],
    ...[1, 2, 4].map((rsv) =>
      [`R6455-5.5-01: reserved bits (${rsv})`, [wsFrame(BINARY, "MSRP", { rsv })], [1002]] as const
    ),
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) =>
      [`R6455-5.5-01: the opcode ${opcode}`, [wsFrame(opcode, "")], [1002]] as const
    ),
    ["R6455-5.5-01: a Ping of 126 octets", [wsFrame(PING, "x".repeat(126))], [1002]],
    [
      "R6455-5.5-01: a Close of 126 octets",
      [wsFrame(CLOSE, Buffer.concat([Buffer.from([3, 232]), Buffer.alloc(124)]))],
      [1002]
    ],
    ["R6455-5.5-01: a Ping in fragments", [wsFrame(PING, "x", { fin: false })], [1002]],
    ["R6455-5.5-01: a Close with half a code", [wsFrame(CLOSE, "x")], [1002]],
    ["R6455-5.5-01: a Close with a code that nobody sends", [wsFrame(CLOSE, Buffer.from([3, 237]))], [1002]],
    ["R6455-5.5-01: a Close with a code out of range", [wsFrame(CLOSE, Buffer.from([0, 99]))], [1002]],
    ["R6455-5.5-01: a Close with a reason that is no text", [wsFrame(CLOSE, Buffer.from([3, 232, 0xC3, 0x28]))], [
      1007
    ]],
    ["R6455-5.5-01: a continuation of nothing", [wsFrame(CONTINUATION, "MSRP")], [1002]],
    [
      "R6455-5.5-01: a message within a message",
      [wsFrame(BINARY, "MSRP", { fin: false }), wsFrame(BINARY, "MSRP")],
      [1002]
    ],
    ["R6455-5.5-01: a length in two octets too many", [wsFrame(BINARY, "MSRP", { extended: 2 })], [1002]],
    ["R6455-5.5-01: a length in eight octets too many", [wsFrame(BINARY, "x".repeat(200), { extended: 8 })], [1002]],
    [
      "R6455-5.5-01: a length with its highest bit set",
      [Buffer.from([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4])],
      [1002, 1009]
    ]
  ]
  for (const [what, octets, codes] of broken) {
    both(`${what}: closed with ${codes.join(" or ")}`, (world) =>
      Effect.gen(function*() {
        const raw = yield* rawWebSocket(world)
        raw.write(...octets)
        assert.include(codes, yield* raw.closes)
        yield* until(() => world.relay.gauges().connections === 0, "the end of it")
      }))
  }

  both(
    "R6455-5.5-02: a Close comes back with its code, the relay closes, and the session is over",
    (world) =>
      Effect.gen(function*() {
        const { peer, raw } = yield* peerByHand(world)
        const alice = yield* world.login({ peer, uri: partyOf(world, "alice") })
        raw.write(wsFrame(CLOSE, Buffer.concat([Buffer.from([0x0F, 0xA0]), Buffer.from("bye")])))
        assert.strictEqual(yield* raw.closes, 4000)
        const bob = yield* byTcp(world)
        bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: world.party(), body: "x" }))
        assert.strictEqual((yield* bob.next).status, 481)
      })
  )

  both(
    "R6455-5.5-02: who says Close and keeps the connection below is disconnected soon, where nobody is pinged too",
    (world) =>
      Effect.gen(function*() {
        const { peer, raw } = yield* peerByHand(world)
        yield* world.login({ peer, uri: partyOf(world, "alice") })
        raw.socket.allowHalfOpen = true
        raw.write(wsFrame(CLOSE, ""))
        assert.strictEqual(yield* raw.closes, 1005)
        yield* TestClock.adjust("4 seconds")
        assert.strictEqual(world.relay.gauges().connections, 1)
        // What is sent on is no reason to wait longer.
        raw.write(wsFrame(PING, ""))
        yield* TestClock.adjust("2 seconds")
        yield* until(() => world.relay.gauges().connections === 0, "the end of the connection")
        assert.strictEqual(world.relay.gauges().sessions, 0)
        assert.isTrue(world.log.some((line) => line.includes(`reason="closed by its peer"`)))
      }),
    { limits: { ping: 0 } }
  )

  both(
    "R6455-5.5-02: a Close without a code is answered by one, and nothing that follows it counts",
    (world) =>
      Effect.gen(function*() {
        const raw = yield* rawWebSocket(world)
        raw.write(wsFrame(CLOSE, ""), wsFrame(BINARY, request("AUTH", { to: world.uri, from: world.party() })))
        assert.strictEqual(yield* raw.closes, 1005)
      })
  )

  both(
    "R7977-6-01: a Ping is answered with its octets, in the middle of a message too; the last of many counts",
    (world) =>
      Effect.gen(function*() {
        const raw = yield* rawWebSocket(world)
        const auth = request("AUTH", { to: world.uri, from: partyOf(world, "alice") })
        raw.write(wsFrame(BINARY, auth.subarray(0, 20), { fin: false }), wsFrame(PING, "in the middle"))
        const pong = yield* raw.next
        assert.deepStrictEqual([pong.opcode, pong.fin, pong.masked, pong.payload.toString()], [
          PONG,
          true,
          false,
          "in the middle"
        ])
        raw.write(wsFrame(PONG, "unasked"), wsFrame(CONTINUATION, auth.subarray(20)))
        assert.include((yield* raw.next).payload.toString(), " 401 ")
        for (let i = 0; i < 1000; i++) raw.write(wsFrame(PING, `${i}`))
        let last = ""
        while (last !== "999") last = (yield* raw.next).payload.toString()
      })
  )

  both(
    "R7977-6-01: who is silent is asked after 25 seconds, and closed when nothing comes for as long",
    (world) =>
      Effect.gen(function*() {
        const { peer, raw } = yield* peerByHand(world)
        yield* world.login({ peer, uri: partyOf(world, "alice") })
        yield* TestClock.adjust("50 seconds")
        const { masked, opcode } = yield* raw.next
        assert.deepStrictEqual([opcode, masked], [PING, false])
        raw.write(wsFrame(PONG, ""))
        yield* peer.quiet
        yield* TestClock.adjust("50 seconds")
        assert.strictEqual((yield* raw.next).opcode, PING)
        yield* TestClock.adjust("25 seconds")
        yield* until(() => raw.ended || raw.closed, "the end")
      })
  )

  both("R7977-5.1-09: who brings nothing for 30 seconds after the 101 is closed", (world) =>
    Effect.gen(function*() {
      const raw = yield* rawSocket(world)
      yield* TestClock.adjust("5 seconds")
      raw.write(headOf())
      yield* until(() => raw.head !== "", "the answer")
      yield* until(() => world.relay.gauges().connections === 1, "the connection")
      yield* TestClock.adjust("29 seconds")
      assert.isFalse(raw.ended)
      yield* TestClock.adjust("1 second")
      yield* until(() => raw.ended || raw.closed, "the end")
    }))
})

describe("messages", () => {
  const cuts: ReadonlyArray<readonly [what: string, cut: (message: Buffer) => ReadonlyArray<Buffer>]> = [
    ["R7977-4.2-01: text", (message) => [wsFrame(TEXT, message)]],
    ["R7977-4.2-01: binary", (message) => [wsFrame(BINARY, message)]],
    [
      "R7977-5.1-04: fragments, with a Ping between",
      (message) => [
        wsFrame(TEXT, message.subarray(0, 7), { fin: false }),
        wsFrame(PING, "between"),
        wsFrame(CONTINUATION, message.subarray(7, 30), { fin: false }),
        wsFrame(CONTINUATION, "", { fin: false }),
        wsFrame(CONTINUATION, message.subarray(30))
      ]
    ],
    [
      "R7977-5.1-04: fragments of an octet",
      (message) => {
        const octets = Array.from(message, (_, i) => message.subarray(i, i + 1))
        return octets.map((one, i) => wsFrame(i === 0 ? BINARY : CONTINUATION, one, { fin: i === octets.length - 1 }))
      }
    ]
  ]
  for (const [what, cut] of cuts) {
    both(`${what}: a login, and a message that is no text`, (world) =>
      Effect.gen(function*() {
        const { peer } = yield* peerByHand(world, cut)
        const alice = yield* world.login({ peer, uri: partyOf(world, "alice") })
        const bob = yield* byTcp(world)
        const { bobUri } = yield* world.join(alice, bob)
        const body = Buffer.from([0xC3, 0x28, 0xFF, 0, ...Array.from({ length: 300 }, (_, i) => i & 255)])
        peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body }))
        assert.strictEqual((yield* peer.next).status, 200)
        const got = yield* bob.next
        assert.isTrue(got.body!.equals(body))
        // Her own URI goes on as it is.
        assert.strictEqual(got.from.split(" ").at(-1), alice.uri)
        assert.isTrue(alice.uri.endsWith(";ws"))
      }))
  }

  const wrong: ReadonlyArray<readonly [what: string, message: (one: Buffer) => Buffer]> = [
    ["two frames", (one) => Buffer.concat([one, one])],
    ["half a frame", (one) => one.subarray(0, one.length - 3)],
    ["octets behind the end-line", (one) => Buffer.concat([one, Buffer.from("x")])],
    ["no frame", () => Buffer.from("hello")]
  ]
  for (const [what, message] of wrong) {
    both(
      `R7977-5.1-02 R7977-5.1-03: ${what} in a message: closed with 1002, and nobody gets anything of it`,
      (world) =>
        Effect.gen(function*() {
          const alice = yield* world.login({ uri: partyOf(world, "alice") })
          const { bob, bobUri } = yield* world.join(alice)
          const carol = yield* rawWebSocket(world)
          const to = `${alice.usePath} ${alice.uri}`
          carol.write(wsFrame(BINARY, message(send({ to, from: world.party("carol"), body: "to nobody" }))))
          assert.strictEqual(yield* carol.closes, 1002)
          yield* alice.peer.quiet
          // Others go on.
          bob.write(send({ to, from: bobUri, messageId: "m2", body: "x" }))
          assert.strictEqual((yield* bob.next).status, 200)
          assert.strictEqual((yield* alice.peer.next).body?.toString(), "x")
        })
    )
  }

  both("R7977-5.1-02: a message of nothing is let pass", (world) =>
    Effect.gen(function*() {
      const raw = yield* rawWebSocket(world)
      raw.write(wsFrame(BINARY, ""), wsFrame(TEXT, ""), wsFrame(BINARY, "", { fin: false }), wsFrame(CONTINUATION, ""))
      raw.write(wsFrame(BINARY, request("AUTH", { to: world.uri, from: world.party() })))
      assert.include((yield* raw.next).payload.toString(), " 401 ")
    }))

  both(
    "R7977-5.1-02 R7977-4.2-02 R6455-5.1-01: each message of the relay is a frame of MSRP, binary, without a mask",
    (world) =>
      Effect.gen(function*() {
        const { peer, raw } = yield* peerByHand(world)
        const messages: Array<Buffer> = []
        let open: Array<Buffer> = []
        const onFrame = raw.onFrame!
        raw.onFrame = (frame) => {
          assert.deepStrictEqual([frame.masked, frame.rsv], [false, 0])
          assert.strictEqual(frame.opcode, open.length === 0 ? BINARY : CONTINUATION)
          open.push(frame.payload)
          if (frame.fin) {
            messages.push(Buffer.concat(open))
            open = []
          }
          onFrame(frame)
        }
        const alice = yield* world.login({ peer, uri: partyOf(world, "alice") })
        const bob = yield* byTcp(world)
        const { bobUri } = yield* world.join(alice, bob)
        const to = `${alice.usePath} ${alice.uri}`
        for (let i = 0; i < 30; i++) bob.write(send({ to, from: bobUri, messageId: `m${i}`, body: "x".repeat(i * 50) }))
        const long = Buffer.alloc(200_000, "0123456789")
        bob.write(send({ to, from: bobUri, messageId: "long", body: long, range: `1-*/${long.length}` }))
        yield* bob.take(31)
        const bodies: Array<Buffer> = []
        for (let last = ""; last !== "long $";) {
          const frame = yield* peer.next
          peer.answer(frame)
          last = `${header(frame, "Message-ID")} ${frame.flag}`
          if (last.startsWith("long")) bodies.push(frame.body!)
        }
        assert.isTrue(Buffer.concat(bodies).equals(long))
        assert.isAbove(bodies.length, 3)
        for (const message of messages) {
          const text = message.toString("latin1")
          const id = /^MSRP (\S+) /.exec(text)![1]!
          assert.isTrue(text.endsWith(`-------${id}$\r\n`) || text.endsWith(`-------${id}+\r\n`), text.slice(0, 99))
          assert.strictEqual(text.split(`-------${id}`).length, 2)
        }
      })
  )
})

describe("chat", () => {
  const clients: ReadonlyArray<
    readonly [string, (world: World) => Effect.Effect<{ readonly peer: Peer }>, ReadonlyArray<World["scheme"]>]
  > = [
    ["the ws package", peerByPackage, ["msrp", "msrps"]],
    ["Node's WebSocket", peerByBrowser, ["msrp"]],
    ["Node's WebSocket, with text", (world) => peerByBrowser(world, "text"), ["msrp"]]
  ]
  for (const [name, open, schemes] of clients) {
    for (const scheme of schemes) {
      const title = "R7977-5.3.1-10 R7977-7-04 R7977-5.2.2-10 R7977-5.2.2-11 R7977-6-02 R7977-A-01: " +
        `login, messages both ways, a REPORT, by ${name} (${scheme === "msrp" ? "ws" : "wss"})`
      const chat: Body = (world) =>
        Effect.gen(function*() {
          const { peer } = yield* open(world)
          const uri = partyOf(world, "alice")
          const alice = yield* world.login({ peer, uri })
          const relay = parseUri(alice.usePath)!
          assert.deepStrictEqual(
            [relay.transport, relay.port, relay.scheme],
            ["tcp", world.relay.sockets[0]!.port, world.scheme]
          )
          peer.write(send({ to: alice.usePath, from: uri }))
          assert.strictEqual((yield* peer.next).status, 200)
          const bob = yield* byTcp(world)
          const { bobUri } = yield* world.join(alice, bob)
          const forth = { to: `${alice.usePath} ${bobUri}`, from: uri }
          peer.write(send({ ...forth, messageId: "a1", body: "Hallo", headers: ["Success-Report: yes"] }))
          assert.strictEqual((yield* peer.next).status, 200)
          const got = yield* bob.next
          assert.strictEqual(got.body?.toString(), "Hallo")
          bob.answer(got)
          bob.write(
            request("REPORT", {
              to: got.from,
              from: bobUri,
              headers: ["Message-ID: a1", "Byte-Range: 1-5/5", "Status: 000 200 OK"]
            })
          )
          const report = yield* peer.next
          assert.deepStrictEqual([report.method, header(report, "Status")], ["REPORT", "000 200 OK"])
          bob.write(send({ to: `${alice.usePath} ${uri}`, from: bobUri, messageId: "b1", body: "Na so was" }))
          assert.strictEqual((yield* bob.next).status, 200)
          const back = yield* peer.next
          assert.strictEqual(back.body?.toString(), "Na so was")
          peer.answer(back)
          yield* peer.quiet
        })
      it.effect(title, () => Effect.provide(play(scoped(chat), { by: "ws", scheme, plaintextAuth: "always" }), layer))
    }
  }

  it.effect("R7977-5.1-01: without TLS nobody logs in where that is not allowed", () =>
    Effect.provide(
      play(
        scoped((world) =>
          Effect.gen(function*() {
            const raw = yield* rawWebSocket(world)
            raw.write(wsFrame(BINARY, request("AUTH", { to: world.uri, from: world.party() })))
            assert.include((yield* raw.next).payload.toString(), " 403 ")
            assert.strictEqual(yield* raw.closes, 1008)
          })
        ),
        { by: "ws", plaintextAuth: "never" }
      ),
      layer
    ))

  both("R7977-8.1-01: the ws URI of the relay, with a user in it, is the relay", (world) =>
    Effect.gen(function*() {
      const raw = yield* rawWebSocket(world)
      const uri = `${world.scheme}://alice@localhost:${world.socket.port};ws`
      raw.write(wsFrame(BINARY, request("AUTH", { to: uri, from: partyOf(world, "alice") })))
      assert.include((yield* raw.next).payload.toString(), " 401 ")
    }))

  both("R7977-5.1-08: a next hop by WebSocket that has not come by itself is 481", (world) =>
    Effect.gen(function*() {
      const { peer } = yield* peerByPackage(world)
      const alice = yield* world.login({ peer, uri: partyOf(world, "alice") })
      peer.write(send({ to: `${alice.usePath} msrps://peer.invalid:443/s;ws`, from: alice.uri, body: "x" }))
      assert.strictEqual((yield* peer.next).status, 481)
    }))

  both(
    "R7977-5.3.1-11: who has not logged in by WebSocket reaches a session's owner, and nobody else",
    (world) =>
      Effect.gen(function*() {
        const { peer } = yield* peerByPackage(world)
        const alice = yield* world.login({ peer, uri: partyOf(world, "alice") })
        const { peer: bob, socket } = yield* peerByPackage(world)
        yield* world.join(alice, bob)
        bob.write(send({ to: `${alice.usePath} msrp://c.invalid:9/c;tcp`, from: world.party(), body: "x" }))
        assert.strictEqual((yield* bob.next).status, 403)
        const closed = once(socket, "close")
        socket.close(1000, "done")
        assert.strictEqual((yield* Effect.promise(() => closed))[0], 1000)
      })
  )
})
