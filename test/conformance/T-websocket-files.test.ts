/** Files by WebSocket over real sockets: through every kind of listener, and to a browser's tab that does not read. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { Transport } from "../../src/Transport.ts"
import { makeWorld, PASSWORDS, until, type World } from "../support/harness.ts"
import { ca, localhost } from "../support/pki.ts"
import { pattern, turns } from "../support/Recorder.ts"

const MiB = 1_048_576
const SIZE = 64 * MiB

const layer = Layer.merge(Transport.layerNode({ tls: { ...localhost, ca } }), Codec.layer)

const kinds = ["tcp", "tls", "ws", "wss"] as const
type Kind = (typeof kinds)[number]

/** A relay that listens by all of them. */
const world = makeWorld({
  plaintextAuth: "always",
  // The clients here have the certificate of the relay.
  relayPeers: "none",
  listen: kinds.map((kind) => ({
    scheme: kind === "tcp" || kind === "ws" ? "msrp" : "msrps",
    transport: kind === "ws" || kind === "wss" ? "ws" : "tcp",
    host: "localhost",
    port: 0
  }))
})

const connect = ({ relay }: World, kind: Kind, options: Partial<Client.ConnectOptions> = {}) =>
  Client.connect({ ...relay.sockets[kinds.indexOf(kind)]!, collect: "digest", ...options })

/** The owner of a session, and one who writes to him. */
const pair = Effect.fnUntraced(function*(world: World, [one, other]: readonly [Kind, Kind]) {
  const [owner, peer] = [yield* connect(world, one), yield* connect(world, other)]
  const own = world.relay.uris.find(({ scheme, transport }) =>
    scheme === (owner.connection.secure ? "msrps" : "msrp") && transport === owner.connection.transport
  )!
  const grant = yield* owner.auth({ relay: own, username: "alice", password: PASSWORDS["alice"]! })
  return {
    owner: { client: owner, toPath: [...grant.usePath, peer.uri] },
    peer: { client: peer, toPath: Client.peerPath(grant, owner.uri) }
  }
})

const octets = pattern(MiB)

/** A file; it tells how many of its octets were taken. */
const file = (size: number, taken: (octets: number) => void = () => {}) =>
  Stream.range(1, size / MiB).pipe(
    Stream.map((i) => Buffer.concat([octets.subarray(i * 997), octets.subarray(0, i * 997)])),
    Stream.tap(({ length }) => Effect.sync(() => taken(length)))
  )

const hashOf = Effect.fnUntraced(function*(size: number) {
  const hash = createHash("sha256")
  yield* Stream.runForEach(file(size), (piece) => Effect.sync(() => hash.update(piece)))
  return hash.digest("hex")
})

interface Party {
  readonly client: Client.Client
  readonly toPath: Client.Path
}

/** Sends a file in one chunk, and sees that it arrives and is reported. */
const deliver = Effect.fnUntraced(function*(from: Party, to: Party, size: number) {
  const sent = yield* from.client.send({
    toPath: from.toPath,
    body: file(size),
    size,
    chunkSize: Infinity,
    successReport: true
  })
  const { length, sha256 } = yield* to.client.messages.take
  assert.deepStrictEqual([length, sha256], [size, yield* hashOf(size)])
  const report = yield* from.client.reports.take
  assert.deepStrictEqual([report.messageId, report.status], [sent.messageId, 200])
})

describe("64 MiB in one chunk", () => {
  const ways: ReadonlyArray<readonly [Kind, Kind]> = [["ws", "tcp"], ["tls", "wss"]]
  for (const way of ways) {
    it.effect(
      `R7977-5.1-05 R7977-5.1-06 R7977-5.1-07 R5547-8.7-01: there and back between ${way.join(" and ")}`,
      () =>
        Effect.gen(function*() {
          const { owner, peer } = yield* pair(yield* world, way)
          yield* deliver(peer, owner, SIZE)
          yield* deliver(owner, peer, SIZE)
        }).pipe(Effect.scoped, Effect.provide(layer)),
      120_000
    )
  }
})

it.effect(
  "R4976-9.3-04 R4976-9.3-05: a tab that does not read holds up its sender, not the relay and not others, and gets all when it reads",
  () =>
    Effect.gen(function*() {
      const all = yield* world
      const { owner, peer } = yield* pair(all, ["ws", "tcp"])
      const others = yield* pair(all, ["wss", "tls"])
      // A first message: who has sent nothing yet has no way.
      yield* peer.client.send({ toPath: peer.toPath, body: "hello" })
      yield* owner.client.messages.take
      yield* owner.client.pause
      let taken = 0
      const sending = yield* Effect.forkChild(peer.client.send({
        toPath: peer.toPath,
        body: file(SIZE, (octets) => taken += octets),
        size: SIZE,
        chunkSize: Infinity
      }))
      // What the system holds is full when nothing moves any more.
      for (let before = -1; taken !== before || taken === 0;) {
        before = taken
        yield* turns(2000)
      }
      assert.isBelow(taken, SIZE)
      const { bufferedOctets } = all.relay.gauges()
      assert.isAbove(bufferedOctets, 0)
      assert.isBelow(bufferedOctets, 1_000_000)
      for (let i = 0; i < 20; i++) {
        yield* others.peer.client.send({ toPath: others.peer.toPath, body: `${i}` })
        yield* others.owner.client.send({ toPath: others.owner.toPath, body: octets.subarray(0, 100_000) })
        assert.strictEqual((yield* others.owner.client.messages.take).length, `${i}`.length)
        assert.strictEqual((yield* others.peer.client.messages.take).length, 100_000)
      }
      yield* until(() => all.relay.gauges().bufferedOctets <= bufferedOctets, "the end of what others sent")
      yield* owner.client.resume
      const { length, sha256 } = yield* owner.client.messages.take
      assert.deepStrictEqual([length, sha256], [SIZE, yield* hashOf(SIZE)])
      yield* Fiber.join(sending)
    }).pipe(Effect.scoped, Effect.provide(layer)),
  120_000
)
