import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { strongestChallenge } from "../../src/protocol/digest/Challenge.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import type { LocalSocket } from "../../src/Transport.ts"
import { header, headers, Peer, request, send, summary, until } from "../support/harness.ts"
import { group } from "./group.ts"

group("Q. TLS", ({ timed }) => {
  timed(
    "R4975-6-05: nobody uses an msrps URI on a connection without TLS, and with TLS any is good",
    (world) =>
      Effect.gen(function*() {
        const [plain, secure] = world.relay.uris.map(({ text }) => text) as [string, string]
        const connectBy = (socket: LocalSocket) => {
          const peer = new Peer(world)
          world.peers.push(peer)
          return Effect.as(world.transport.connect(socket, peer.accept), peer)
        }
        const bare = yield* connectBy(world.relay.sockets[0]!)
        const encrypted = yield* connectBy(world.relay.sockets[1]!)
        const auth = (peer: Peer, to: string) =>
          Effect.suspend(() => {
            peer.write(request("AUTH", { to, from: "msrps://somebody.invalid:9/s;tcp" }))
            return Effect.map(peer.next, ({ status }) => status)
          })
        assert.deepStrictEqual(
          [
            yield* auth(bare, secure),
            yield* auth(bare, plain),
            yield* auth(encrypted, secure),
            yield* auth(encrypted, plain)
          ],
          [403, 401, 401, 401]
        )
        // A session URI as well, whoever has it.
        const uri = world.party()
        encrypted.write(request("AUTH", { to: secure, from: uri }))
        const challenge = strongestChallenge(headers(yield* encrypted.next, "WWW-Authenticate"))!
        encrypted.write(
          request("AUTH", { to: secure, from: uri, headers: [world.authorization(challenge, { uri: secure })] })
        )
        const usePath = header(yield* encrypted.next, "Use-Path")!
        world.secrets.add(parseUri(usePath)!.sessionId!)
        assert.match(usePath, /^msrps:/)
        const to = `${usePath} ${uri}`
        for (const method of ["SEND", "NICKNAME", "AUTH"]) {
          bare.write(request(method, { to, from: "msrp://bob.invalid:9/b;tcp" }))
          assert.strictEqual(summary(yield* bare.next), "403 | $")
        }
        yield* encrypted.quiet
        const bob = yield* connectBy(world.relay.sockets[1]!)
        bob.write(send({ to, from: "msrp://bob.invalid:9/b;tcp", body: "hi" }))
        assert.strictEqual((yield* bob.next).status, 200)
        encrypted.answer(yield* encrypted.next)
      }),
    { listen: [{ scheme: "msrp", host: "localhost", port: 0 }, { scheme: "msrps", host: "localhost", port: 0 }] }
  )

  timed("R4976-9.2-27: a certificate of an endpoint is no login", (world) =>
    Effect.gen(function*() {
      const node = world.network!.node({ names: ["alice.example.com"], certificate: ["alice.example.com"] })
      const peer = new Peer(world)
      world.peers.push(peer)
      yield* node.connect({ scheme: "msrps", host: "relay.example.com", port: 2855 }, peer.accept)
      const uri = "msrps://alice.example.com:2855/a;tcp"
      assert.strictEqual((yield* world.auth(peer, uri)).status, 401)
      const { usePath } = yield* world.login({ peer, uri })
      peer.write(send({ to: usePath, from: uri }))
      assert.strictEqual((yield* peer.next).status, 200)
      // Nor does it make her connection that of a relay: her session is good on no other one, and ends with it.
      const again = new Peer(world)
      world.peers.push(again)
      yield* node.connect({ scheme: "msrps", host: "relay.example.com", port: 2855 }, again.accept)
      again.write(send({ to: usePath, from: uri }))
      assert.strictEqual((yield* again.next).status, 403)
      yield* peer.close
      yield* until(() => world.relay.gauges().sessions === 0, "the end of the session")
      again.write(send({ to: usePath, from: uri }))
      assert.strictEqual((yield* again.next).status, 481)
    }), {
    scheme: "msrps",
    listen: [{ scheme: "msrps", host: "*", port: 2855 }],
    uris: [parseUri("msrps://relay.example.com:2855;tcp")!]
  })
})
