/** Bad input is normal input: whatever a stranger or a client sends, the relay lives on and keeps nothing. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { parseUri } from "../src/protocol/Uri.ts"
import { Transport } from "../src/Transport.ts"
import { fuzzLimit, generator } from "./support/generator.ts"
import { makeWorld, Peer, request, response, send, until } from "./support/harness.ts"

/** Frames in all; more on demand. */
const FRAMES = Number(process.env["MSRP_TEST_FUZZ"] ?? 20_000)
const SEED = Number(process.env["MSRP_TEST_SEED"] ?? 20_261_123)
const FRAMES_PER_CONNECTION = 25

/** In each body. */
const HIDDEN = "hidden-in-the-body"

/** With somebody who traces all users, and one who listens to what happens. */
const OBSERVED = Math.ceil(FRAMES / 5)

it.effect.each([[FRAMES, "nobody"], [OBSERVED, "an operator"]] as const)(
  `R4976-9.3-01 R4976-9.4-10 R4975-9-70: %i mutated frames from strangers, clients and relays, seen by %s (seed ${SEED})`,
  ([count, who]) =>
    Effect.gen(function*() {
      const random = generator(SEED)
      const world = yield* makeWorld({
        scheme: "msrps",
        listen: [{ scheme: "msrps", host: "*", port: 2855 }],
        uris: [parseUri("msrps://relay.example.com:2855;tcp")!],
        nextHops: { allow: ["0.0.0.0/0"] },
        digest: { freePerUser: 1e9, freePerAddress: 1e9 },
        limits: { unsuccessful: 1000 }
      })
      const outer = world.network!.node({ names: ["outer.example.net"], certificate: ["outer.example.net"] })
      /** A relay whose certificate proves its name. */
      const connectRelay = Effect.suspend(() => {
        const peer = new Peer(world)
        world.peers.push(peer)
        const to = { scheme: "msrps", host: "relay.example.com", port: 2855 } as const
        return Effect.as(outer.connect(to, peer.accept), peer)
      })
      const victim = yield* world.listen
      const carol = yield* world.login({ username: "carol" })
      const mutate = (frame: Buffer): Buffer => {
        let octets = frame
        for (let edits = random(4); edits > 0; edits--) {
          const at = random(octets.length)
          const kind = random(5)
          if (kind === 0) {
            octets = Buffer.from(octets)
            octets[at] = random(256)
          } else if (kind === 1) octets = Buffer.concat([octets.subarray(0, at), octets.subarray(at + random(30))])
          else if (kind === 2) {
            octets = Buffer.concat([octets.subarray(0, at), Buffer.from([random(256)]), octets.subarray(at)])
          } else if (kind === 3) {
            octets = Buffer.concat([octets.subarray(0, at), octets.subarray(random(octets.length))])
          } else octets = Buffer.concat([octets, octets.subarray(at)])
          if (octets.length === 0) {
            return frame
          }
        }
        return octets
      }

      const seen = { frames: 0, events: 0 }
      const secrets = [HIDDEN, parseUri(carol.usePath)!.sessionId!]
      const leaks: Array<string> = []
      const sees = (what: unknown): void => {
        const text = JSON.stringify(what)
        if (secrets.some((secret) => text.includes(secret))) leaks.push(text)
      }
      if (who !== "nobody") {
        world.relay.operator.listen((event) => {
          seen.events++
          sees(event)
        })
        yield* world.relay.trace({ users: "*" }).pipe(
          Stream.runForEach((frame) =>
            Effect.sync(() => {
              seen.frames++
              sees(frame)
            })
          ),
          Effect.forkScoped
        )
      }

      const connections: Array<Peer> = []
      for (let sent = 0; sent < count; sent += FRAMES_PER_CONNECTION) {
        const role = random(3)
        const owner = role === 0 ? yield* world.login() : undefined
        const peer = owner?.peer ?? (role === 1 ? yield* connectRelay : yield* world.connect)
        peer.onFrame = () => {}
        connections.push(peer)
        const from = owner?.uri ??
          (role === 1 ? `msrps://outer.example.net:2855/r${sent};tcp ${world.party()}` : world.party())
        const session = random(2) === 0 ? carol.usePath : owner?.usePath ?? world.uri.replace(";tcp", "/none;tcp")
        const to = `${session} ${random(2) === 0 ? carol.uri : from}`
        if (owner !== undefined) secrets[2] = parseUri(owner.usePath)!.sessionId!
        const body = Buffer.concat([
          Buffer.from(Array.from({ length: random(60) }, () => random(256))),
          Buffer.from(HIDDEN)
        ])
        const frames = [
          () => send({ to, from, messageId: "fuzz", body, flag: "$+#".charAt(random(3)) }),
          () => send({ to, from, messageId: "long", range: "1-*/9000", body: Buffer.alloc(random(9000), 45) }),
          () =>
            request("AUTH", {
              to: world.uri,
              from,
              headers: [
                "Authorization: Digest username=\"alice\", realm=\"x\", nonce=\"y\", nc=00000001, qop=auth, cnonce=\"z\", response=\"0\"",
                "Expires: 9"
              ]
            }),
          () =>
            request("REPORT", { to, from, headers: ["Message-ID: fuzz", "Byte-Range: 1-5/5", "Status: 000 200 OK"] }),
          () => request("NICKNAME", { to, from, headers: ["Use-Nickname: \"x\""] }),
          () => response(session, from, "abcdefgh", "200 OK")
        ]
        for (let i = 0; i < FRAMES_PER_CONNECTION; i++) peer.write(mutate(frames[random(frames.length)]!()))
        if (random(4) === 0) peer.connection.destroy()
        for (let turn = 0; turn < 5; turn++) yield* Effect.yieldNow
        if (connections.length % 16 === 0) {
          for (const one of connections.splice(0)) one.connection.destroy()
          yield* until(() => world.relay.gauges().connections <= 1, "the end of those connections")
        }
      }
      for (const one of connections) one.connection.destroy()
      yield* until(() => world.relay.gauges().connections <= 1, "the end of all connections")
      for (const one of world.errors) assert.fail(one)
      assert.deepStrictEqual(leaks, [])
      if (who !== "nobody") {
        assert.isAbove(seen.frames, count / FRAMES_PER_CONNECTION)
        assert.isAbove(seen.events, count / FRAMES_PER_CONNECTION)
      }
      assert.isFalse(carol.peer.isClosed)
      assert.deepStrictEqual(victim.peers, [])
      assert.strictEqual(world.relay.gauges().sessions, 1)
      // The relay still does its work.
      carol.peer.onFrame = undefined
      carol.peer.frames.length = 0
      carol.peer.connection.destroy()
      yield* TestClock.adjust("2 minutes")
      yield* world.pair()
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest({ seed: SEED }))),
  fuzzLimit(FRAMES)
)
