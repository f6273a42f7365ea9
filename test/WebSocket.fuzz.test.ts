/** WebSockets as anybody may send them: broken heads of HTTP, frames, masks, lengths, and MSRP in them that is broken too. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parseUri } from "../src/protocol/Uri.ts"
import { Transport } from "../src/Transport.ts"
import { fuzzLimit, generator } from "./support/generator.ts"
import { makeWorld, request, response, send, until } from "./support/harness.ts"
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  headOf,
  LINES,
  peerByHand,
  peerByPackage,
  PING,
  PONG,
  RawSocket,
  rawWebSocket,
  TEXT,
  wsFrame
} from "./support/webSockets.ts"

/** Messages in all; more on demand. */
const MESSAGES = Number(process.env["MSRP_TEST_FUZZ"] ?? 20_000)
const SEED = Number(process.env["MSRP_TEST_SEED"] ?? 20_261_128)
const MESSAGES_PER_CONNECTION = 25

const HIDDEN = "hidden-in-the-body"

it.effect(
  `R4976-9.3-01 R6455-4.2-01 R6455-5.5-01 R7977-5.1-03: ${MESSAGES} mutated messages on WebSockets that are mutated too (seed ${SEED})`,
  () =>
    Effect.gen(function*() {
      const random = generator(SEED)
      const world = yield* makeWorld({
        by: "ws",
        plaintextAuth: "always",
        relayPeers: "none",
        digest: { freePerUser: 1e9, freePerAddress: 1e9 },
        limits: { unsuccessful: 1000 }
      })
      const { peer: carolPeer } = yield* peerByPackage(world)
      const carol = yield* world.login({ username: "carol", peer: carolPeer })
      const sessionId = parseUri(carol.usePath)!.sessionId!

      const mutate = (octets: Buffer, most: number): Buffer => {
        let out = octets
        for (let edits = random(most + 1); edits > 0 && out.length > 0; edits--) {
          const at = random(out.length)
          const kind = random(5)
          if (kind === 0) {
            out = Buffer.from(out)
            out[at] = random(256)
          } else if (kind === 1) {
            out = Buffer.from(out)
            out[at]! ^= 1 << random(8)
          } else if (kind === 2) out = Buffer.concat([out.subarray(0, at), out.subarray(at + random(30))])
          else if (kind === 3) out = Buffer.concat([out.subarray(0, at), Buffer.from([random(256)]), out.subarray(at)])
          else out = Buffer.concat([out, out.subarray(at)])
        }
        return out
      }

      /** A message as frames: in fragments, with control frames between, and now and then with a frame that is not right. */
      const framed = (message: Buffer): Buffer => {
        const frames: Array<Buffer> = []
        let at = 0
        do {
          const end = random(3) === 0 ? Math.min(message.length, at + random(200)) : message.length
          frames.push(
            wsFrame(
              at === 0 && frames.length === 0 ? [TEXT, BINARY][random(2)]! : CONTINUATION,
              message.subarray(at, end),
              {
                fin: random(60) === 0 ? random(2) === 0 : end === message.length,
                masked: random(200) !== 0,
                rsv: random(200) === 0 ? random(8) : 0,
                ...(random(200) === 0 ? { extended: 8 as const } : {})
              }
            )
          )
          at = end
          if (random(6) === 0) frames.push(wsFrame([PING, PONG][random(2)]!, Buffer.alloc(random(140), 120)))
          if (random(300) === 0) frames.push(wsFrame(CLOSE, Buffer.from([random(20), random(256), random(256)])))
          if (random(300) === 0) frames.push(wsFrame(random(16), "x"))
        } while (at < message.length)
        return Buffer.concat(frames)
      }

      let opened = 0
      const batch: Array<RawSocket> = []
      for (let sent = 0; sent < MESSAGES; sent += MESSAGES_PER_CONNECTION) {
        const isOwner = random(4) === 0
        const from = world.party()
        let usePath = world.uri.replace(";tcp", "/none;tcp")
        let raw: RawSocket
        if (isOwner) {
          raw = yield* rawWebSocket(world)
          const { peer } = yield* peerByHand(world, undefined, raw)
          usePath = (yield* world.login({ peer, uri: from })).usePath
        } else {
          raw = new RawSocket(world)
          const head = random(3) === 0 ? mutate(Buffer.from(headOf()), 4) : Buffer.from(headOf(LINES))
          raw.write(head)
        }
        raw.onFrame = () => {}
        batch.push(raw)
        const session = random(2) === 0 ? carol.usePath : usePath
        const to = `${session} ${random(2) === 0 ? carol.uri : from}`
        const body = Buffer.concat([
          Buffer.from(Array.from({ length: random(60) }, () => random(256))),
          Buffer.from(HIDDEN)
        ])
        const messages = [
          () => send({ to, from, messageId: "fuzz", body, flag: "$+#".charAt(random(3)) }),
          () => send({ to, from, messageId: "long", range: "1-*/9000", body: Buffer.alloc(random(9000), 45) }),
          () => send({ to, from }),
          () =>
            request("REPORT", { to, from, headers: ["Message-ID: fuzz", "Byte-Range: 1-5/5", "Status: 000 200 OK"] }),
          () => request("AUTH", { to: world.uri, from, headers: ["Expires: 9"] }),
          () => response(session, from, "abcdefgh", "200 OK"),
          () => Buffer.concat([send({ to, from, body: "one" }), send({ to, from, body: "two" })]),
          () => Buffer.alloc(0)
        ]
        for (let i = 0; i < MESSAGES_PER_CONNECTION; i++) {
          const message = mutate(messages[random(messages.length)]!(), random(3) === 0 ? 3 : 0)
          const octets = framed(message)
          raw.socket.write(random(20) === 0 ? mutate(octets, 2) : octets)
          if (random(4) === 0) yield* Effect.yieldNow
        }
        if (random(4) === 0) raw.socket.destroy()
        else raw.socket.end()
        if (batch.length < 16 && sent + MESSAGES_PER_CONNECTION < MESSAGES) continue
        // Whatever they sent, the relay does not keep them.
        yield* until(() => batch.every(({ closed, ended }) => closed || ended), "the end of all of them")
        opened += batch.filter(({ head }) => head.startsWith("HTTP/1.1 101 ")).length
        for (const { socket } of batch.splice(0)) socket.destroy()
        yield* until(() => world.relay.gauges().connections <= 1, "the end of those connections")
        for (const one of world.errors) assert.fail(one)
        world.peers.splice(1)
        const log = world.log.splice(0).join("\n")
        for (const secret of [HIDDEN, sessionId]) assert.notInclude(log, secret)
      }
      assert.isAbove(opened, MESSAGES / MESSAGES_PER_CONNECTION / 2)
      assert.isFalse(carolPeer.isClosed)
      assert.strictEqual(world.relay.gauges().sessions, 1)
      // The relay still does its work, for her too.
      carolPeer.frames.length = 0
      yield* carolPeer.quiet
      yield* world.pair()
      yield* world.done
    }).pipe(Effect.scoped, Effect.provide(Transport.layerNode())),
  fuzzLimit(MESSAGES)
)
