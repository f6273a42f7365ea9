import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { strongestChallenge } from "../../src/protocol/digest/Challenge.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import type { LocalSocket } from "../../src/Transport.ts"
import { header, headers, Peer, request, send, summary, until } from "../support/harness.ts"
import { machine, options } from "../support/relays.ts"
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

  timed(
    "R4976-6.4-11 R4976-6.4.2-01 R4975-6-05: whom a session with TLS reaches by msrp sends back on that connection, for it alone",
    (world) =>
      Effect.gen(function*() {
        const bobUri = "msrp://bob.example.net:2855/b;tcp"
        const bob = new Peer(world)
        world.peers.push(bob)
        yield* machine(world, "bob.example.net")
          .listen({ scheme: "msrp", host: "bob.example.net", port: 2855 }, bob.accept)
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "Bob?" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const asked = yield* bob.next
        bob.answer(asked)

        const back = { to: asked.from, from: asked.to }
        bob.write(request("REPORT", { ...back, headers: ["Message-ID: msg.1", "Status: 000 200 OK"] }))
        assert.strictEqual(header(yield* alice.peer.next, "Status"), "000 200 OK")
        bob.write(send({ ...back, body: "Alice!" }))
        assert.strictEqual((yield* bob.next).status, 200)
        const answer = yield* alice.peer.next
        assert.strictEqual(answer.body!.toString(), "Alice!")
        alice.peer.answer(answer)

        // The connection was not made for another session, and is none for an AUTH (RFC 4976 §9.2).
        bob.write(request("AUTH", back))
        assert.strictEqual(summary(yield* bob.next), "403 | $")
        bob.write(send({ to: `${carol.usePath} ${carol.uri}`, from: bobUri, body: "Carol!" }))
        assert.strictEqual(summary(yield* bob.next), "403 | $")
        yield* alice.peer.quiet
        yield* carol.peer.quiet
      }),
    options
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
