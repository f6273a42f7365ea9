import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { parseUri } from "../../src/protocol/Uri.ts"
import { header, Peer, request, send, until, type World } from "../support/harness.ts"
import { group, pairOf } from "./group.ts"

/** A connection by TCP, beside those by WebSocket. */
const byTcp = (world: World) => {
  const peer = new Peer(world)
  world.peers.push(peer)
  return Effect.as(world.transport.connect(world.relay.sockets[0]!, peer.accept), peer)
}

/** What a peer on a WebSocket gets, message by message. */
const messagesOf = (peer: Peer): ReadonlyArray<string> => {
  const messages: Array<string> = []
  let open: Array<Buffer> = []
  const bytes = peer.bytes
  Object.assign(peer, {
    bytes: (chunk: Buffer, last?: boolean): void => {
      open.push(Buffer.from(chunk))
      if (last === true) {
        messages.push(Buffer.concat(open).toString("latin1"))
        open = []
      }
      bytes(chunk)
    }
  })
  return messages
}

const isOneFrame = (text: string): boolean => {
  const id = /^MSRP (\S+) /.exec(text)?.[1]
  return id !== undefined && new RegExp(`(^|\r\n)-------${id}[$+#]\r\n$`).test(text) &&
    (text.match(/^MSRP /gm)?.length ?? 0) === 1
}

group("T. WebSocket", ({ timed }) => {
  timed(
    "R7977-5.2.2-10 R7977-5.2.2-11 R7977-A-01: who has come by WebSocket gets a URI by which others connect by TCP, and is bound by his connection",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const uri = parseUri(alice.usePath)!
        assert.strictEqual(uri.transport, "tcp")
        assert.strictEqual(uri.port, world.relay.sockets[0]!.port)
        assert.notStrictEqual(uri.port, world.socket.port)
        // Somebody by TCP writes to her; what she writes goes through that URI, on her WebSocket.
        const bob = yield* byTcp(world)
        const { bobUri } = yield* world.join(alice, bob)
        alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hello" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        assert.strictEqual((yield* bob.next).body?.toString(), "hello")
      }),
    { by: "ws" }
  )

  timed("R7977-8.1-01: an AUTH for the relay's ws URI is for the relay", (world) =>
    Effect.gen(function*() {
      const peer = yield* world.connect
      const to = world.uri.replace("://", "://alice@").replace(";tcp", ";ws")
      peer.write(request("AUTH", { to, from: world.party("alice") }))
      assert.strictEqual((yield* peer.next).status, 401)
    }), { by: "ws" })

  timed(
    "R7977-5.1-02 R7977-5.1-20: each message of the relay is one frame, and each frame one message",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const messages = messagesOf(peer)
        const alice = yield* world.login({ peer })
        const { bob, bobUri } = yield* world.join(alice)
        for (let i = 0; i < 20; i++) {
          bob.write(
            send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, messageId: `m${i}`, body: "x".repeat(i * 100) })
          )
        }
        yield* bob.take(20)
        const got = yield* alice.peer.take(20)
        assert.isTrue(got.every(({ method }) => method === "SEND"))
        assert.isAbove(messages.length, 20)
        assert.deepStrictEqual(messages.filter((text) => !isOneFrame(text)), [])
      }),
    { by: "ws" }
  )

  timed(
    "R7977-5.1-05 R7977-5.1-06 R7977-5.1-07: a long message of a peer by TCP comes in chunks, each a message, and one of any length goes out",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const messages = messagesOf(peer)
        const alice = yield* world.login({ peer })
        const bob = yield* byTcp(world)
        const { bobUri } = yield* world.join(alice, bob)
        const body = Buffer.alloc(300_000, "0123456789")
        bob.write(
          send({
            to: `${alice.usePath} ${alice.uri}`,
            from: bobUri,
            messageId: "long",
            body,
            range: `1-*/${body.length}`
          })
        )
        assert.strictEqual((yield* bob.next).status, 200)
        const parts: Array<Buffer> = []
        let start = 1
        for (let flag = "+"; flag === "+";) {
          const frame = yield* alice.peer.next
          assert.match(header(frame, "Byte-Range")!, new RegExp(`^${start}-`))
          assert.isAtMost(frame.body!.length, 65_536)
          parts.push(frame.body!)
          start += frame.body!.length
          flag = frame.flag
          alice.peer.answer(frame)
        }
        assert.isTrue(Buffer.concat(parts).equals(body))
        assert.deepStrictEqual(messages.filter((text) => !isOneFrame(text)), [])
        alice.peer.write(
          send({
            to: `${alice.usePath} ${bobUri}`,
            from: alice.uri,
            messageId: "back",
            body,
            range: `1-*/${body.length}`
          })
        )
        assert.strictEqual((yield* alice.peer.next).status, 200)
        let octets = 0
        while (octets < body.length) {
          const frame = yield* bob.next
          octets += frame.body!.length
          bob.answer(frame)
        }
      }),
    { by: "ws" }
  )

  timed(
    "R7977-5.1-03: two frames in a message, or half of one, end the connection, and nothing of it is passed on",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        for (const octets of ["both", "half"]) {
          const { bob, bobUri } = yield* world.join(alice)
          const one = send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, messageId: "bad", body: "x" })
          const message = octets === "both" ? Buffer.concat([one, one]) : one.subarray(0, one.length - 3)
          bob.connection.write(message, () => {}, [message.length])
          yield* bob.ends
        }
        yield* alice.peer.quiet
        assert.isTrue(world.log.some((line) => line.includes(`reason="more than a frame in a message"`)))
        assert.isTrue(world.log.some((line) => line.includes(`reason="not a whole frame in a message"`)))
      }),
    { by: "ws" }
  )

  timed(
    "R7977-6-02: a SEND without a body keeps its sender's connection, and goes no further",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        alice.peer.write(send({ to: alice.usePath, from: alice.uri }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
      }),
    { by: "ws" }
  )

  timed(
    "R7977-5.1-08: nobody is dialled by WebSocket: a next hop that has not come by itself is 481",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        for (const [scheme, transport] of [["msrps", "ws"], ["msrp", "ws"], ["msrps", "WS"], ["msrps", "dc"]]) {
          // Somebody is there, and would be reached by TCP.
          const bob = yield* world.listen
          const uri = bob.uri.replace(/^msrps?/, scheme!).replace(";tcp", `;${transport}`)
          for (const method of ["SEND", "NICKNAME"]) {
            alice.peer.write(request(method, { to: `${alice.usePath} ${uri}`, from: alice.uri }))
            assert.strictEqual((yield* alice.peer.next).status, 481)
          }
          assert.deepStrictEqual([bob.peers.length, world.relay.counters.connectionsDialled], [0, 0])
        }
      }),
    { by: "ws" }
  )

  timed(
    "R7977-5.1-09: who has opened a WebSocket and brings nothing for 30 seconds is closed",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        yield* TestClock.adjust("29 seconds")
        assert.isFalse(peer.isClosed)
        yield* TestClock.adjust("1 second")
        yield* until(() => peer.isClosed, "the end")
      }),
    { by: "ws" }
  )

  timed(
    "R7977-5.1-01: an AUTH on a WebSocket without TLS is refused where it is not allowed",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        peer.write(request("AUTH", { to: world.uri, from: world.party() }))
        assert.strictEqual((yield* peer.next).status, 403)
        yield* peer.ends
      }),
    { by: "ws", plaintextAuth: "never" }
  )

  timed(
    "R7977-5.3.1-10 R7977-5.3.1-11 R7977-7-04: who uses a session has logged in by AUTH; who knows its URI may write to its owner",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri, toAlice } = yield* pairOf(world)
        bob.write(toAlice({ body: "hi", messageId: "m1" }))
        assert.strictEqual((yield* bob.next).status, 200)
        assert.strictEqual((yield* alice.peer.next).method, "SEND")
        // He has no session, so he sends to nobody else.
        bob.write(send({ to: `${alice.usePath} msrp://c.invalid:9/c;tcp`, from: bobUri, body: "x" }))
        assert.strictEqual((yield* bob.next).status, 403)
      }),
    { by: "ws" }
  )

  timed("R6455-5.5-02: when a client closes, its sessions are over", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login()
      const { bob, bobUri } = yield* world.join(alice)
      alice.peer.connection.end()
      yield* until(() => alice.peer.isClosed, "the end")
      bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "x" }))
      assert.strictEqual((yield* bob.next).status, 481)
    }), { by: "ws" })
})
