import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parseUri } from "../../src/protocol/Uri.ts"
import { Peer, send } from "../support/harness.ts"
import { group } from "./group.ts"

group("Q. TLS", ({ timed }) => {
  timed("R4976-9.2-27: a certificate of an endpoint is no login", (world) =>
    Effect.gen(function*() {
      const node = world.network!.node({ names: ["alice.example.com"], certificate: ["alice.example.com"] })
      const peer = new Peer(world)
      world.peers.push(peer)
      yield* node.connect({ scheme: "msrps", host: "relay.example.com", port: 2855 }, peer.accept)
      const uri = "msrps://alice.example.com:2855/a;tcp"
      assert.strictEqual((yield* world.auth(peer, uri)).status, 401)
      const { usePath } = yield* world.login({ peer, uri })
      // Nor does it make her connection that of a relay: her session ends with it.
      peer.write(send({ to: usePath, from: uri }))
      assert.strictEqual((yield* peer.next).status, 200)
    }), {
    scheme: "msrps",
    listen: [{ scheme: "msrps", host: "*", port: 2855 }],
    uris: [parseUri("msrps://relay.example.com:2855;tcp")!]
  })
})
