/** A relay under a name of its own on the simulated network, and other relays that the tests play. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parseUri } from "../../src/protocol/Uri.ts"
import type { Transport, TransportError } from "../../src/Transport.ts"
import { header, Peer, type World, type WorldOptions } from "./harness.ts"

export const RELAY = "msrps://relay.example.com:2855;tcp"

/** Reachable by its name from other machines; it may reach all of them. */
export const options: WorldOptions = {
  scheme: "msrps",
  listen: [{ scheme: "msrps", host: "*", port: 2855 }],
  uris: [parseUri(RELAY)!],
  nextHops: { allow: ["0.0.0.0/0"] }
}

/** A machine of this name, with a certificate for it. */
export const machine = (
  world: World,
  name: string,
  certificate: ReadonlyArray<string> = [name]
): Transport["Service"] => world.network!.node({ names: [name], certificate })

/** A connection from there to the relay. */
export const connectFrom = (world: World, from: Transport["Service"]): Effect.Effect<Peer, TransportError> => {
  const peer = new Peer(world)
  world.peers.push(peer)
  return Effect.as(from.connect({ scheme: "msrps", host: "relay.example.com", port: 2855 }, peer.accept), peer)
}

/** A relay of this name that the relay dials: its connections, in order. `played` is told of each. */
export const listenAs = Effect.fnUntraced(
  function*(world: World, name: string, played: (peer: Peer) => void = () => {}) {
    const peers: Array<Peer> = []
    yield* machine(world, name).listen({ scheme: "msrps", host: name, port: 2855 }, (connection) => {
      const peer = new Peer(world)
      world.peers.push(peer)
      peers.push(peer)
      played(peer)
      return peer.accept(connection)
    })
    return peers
  }
)

/** A session URI for a client behind the relay whose connection it is. `from`: its URI of that relay, and the client's. */
export const grantedThrough = Effect.fnUntraced(function*(world: World, link: Peer, from: string, username = "alice") {
  const challenge = yield* world.challenge(link, from)
  const granted = yield* world.auth(link, from, world.authorization(challenge, { username }))
  assert.strictEqual(granted.status, 200)
  return header(granted, "Use-Path")!.split(" ").at(-1)!
})

/** A session that a relay got outlives its connection. */
export const end = (world: World, ...usePaths: ReadonlyArray<string>): void => {
  for (const one of usePaths) world.sessions.end(world.sessions.findUnsafe(parseUri(one)!.sessionId!)!)
}
