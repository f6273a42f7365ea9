/** The bound on the output that waits for one user, or for one other relay, on all connections. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { MAX_OUTPUT_OF_USER, OutputLoads } from "../../src/relay/OutputLoads.ts"
import { type Owner, type Peer, request, send, type World } from "../support/harness.ts"
import { pattern } from "../support/Recorder.ts"
import { simulated } from "../support/simulated.ts"

const scenario = simulated({ limits: { responses: 1_048_576 } }, { window: 65_536 })

const REPORTED = ["Message-ID: m1", "Byte-Range: 1-1/1", "Status: 000 200 OK"]

/** Octets of answers that are asked for on each connection: more than may wait there. */
const ASKED = 1_500_000

/** Octets of a URI that is so long that few answers fill the memory. */
const LONG = 1500
const from = `msrp://localhost:9/${"x".repeat(LONG)};tcp`

/** Sends requests whose answers are long, and reads none of them. Returns how many. */
const ask = Effect.fnUntraced(function*(world: World, peer: Peer, usePath: string) {
  peer.connection.pause()
  const to = `${usePath.replace(/[^/]*;/, "nobody;")} msrp://localhost:9/x;tcp`
  const frames = Array.from({ length: ASKED / LONG }, () => request("NICKNAME", { to, from }))
  peer.write(...frames)
  yield* world.network!.settled
  return frames.length
})

/** Octets of output that wait. */
const outputOf = (world: World): number => {
  const { bufferedOctets, parkedOctets } = world.relay.gauges()
  return bufferedOctets - parkedOctets
}

scenario(
  "R4976-9.3-06: the more output waits for one user, the less may wait on each connection, and nobody else has less",
  (world) =>
    Effect.gen(function*() {
      const alices: Array<readonly [owner: Owner, asked: number]> = []
      for (let i = 0; i < 24; i++) {
        const owner = yield* world.login({ username: "alice" })
        alices.push([owner, yield* ask(world, owner.peer, owner.usePath)])
      }
      const ofAlice = outputOf(world)
      assert.isAbove(ofAlice, 1.5 * MAX_OUTPUT_OF_USER)
      assert.isBelow(ofAlice, 2.1 * MAX_OUTPUT_OF_USER)
      // Messages count as answers do, and so do those who write to the user.
      const last = yield* world.login({ username: "alice" })
      const { bob, bobUri } = yield* world.join(last)
      last.peer.connection.pause()
      const message = { to: `${last.usePath} ${last.uri}`, from: bobUri, body: pattern(2000), range: "1-2000/2000" }
      for (let i = 0; i < 60; i++) bob.write(send({ ...message, messageId: `${i}.abc`, failureReport: "no" }))
      yield* world.network!.settled
      assert.isBelow(outputOf(world) - ofAlice, 50_000)
      yield* ask(world, bob, last.usePath)
      assert.isBelow(outputOf(world) - ofAlice, 600_000)
      const carol = yield* world.login({ username: "carol" })
      const beside = outputOf(world)
      yield* ask(world, carol.peer, carol.usePath)
      assert.isAbove(outputOf(world) - beside, 1_000_000)
      // Nothing fails for it.
      const [[first, count], ...others] = alices as [typeof alices[number], ...typeof alices]
      for (const [{ peer }] of others) yield* peer.close
      for (const { connection } of [bob, last.peer, first.peer, carol.peer]) connection.resume()
      yield* world.network!.settled
      for (const peer of [bob, first.peer, carol.peer]) {
        assert.lengthOf(peer.frames.filter(({ status }) => status === 481), count)
      }
      assert.lengthOf(last.peer.frames.filter(({ method }) => method === "SEND"), 60)
      assert.strictEqual(outputOf(world), 0)
    })
)

scenario(
  "R4976-9.3-06: strangers at one address whose requests were good once, but who are nobody's peers, share a bound too",
  (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login({ username: "alice" })
      for (let i = 0; i < 20; i++) {
        const stranger = yield* world.connect
        const to = `${alice.usePath} ${alice.uri}`
        stranger.write(request("REPORT", { to, from, headers: REPORTED }))
        yield* alice.peer.next
        yield* ask(world, stranger, alice.usePath)
      }
      assert.isAbove(outputOf(world), MAX_OUTPUT_OF_USER)
      assert.isBelow(outputOf(world), 2.1 * MAX_OUTPUT_OF_USER)
      // The user whom they wrote to has no less for that.
      const before = outputOf(world)
      yield* ask(world, alice.peer, alice.usePath)
      assert.isAbove(outputOf(world) - before, 1_000_000)
    })
)

it("are forgotten with the last connection of a user or a relay", () => {
  const limits = { relay: 1000 }
  const loads = new OutputLoads(limits)
  const alice = { username: "alice", realm: "example.com" }
  const load = loads.ofUser(alice)
  load.begins(0)
  load.begins(MAX_OUTPUT_OF_USER)
  assert.strictEqual(loads.ofUser(alice), load)
  assert.strictEqual(load.share(100), 100)
  load.octets *= 2
  assert.strictEqual(load.share(100), 25)
  load.ends(load.octets)
  assert.strictEqual(load.share(100), 100)
  const relay = loads.ofRelay("alice\nexample.com")
  assert.notStrictEqual(relay, load)
  relay.begins(2000)
  assert.strictEqual(relay.share(100), 25)
  // A reload of the settings changes the limit of relays that are connected.
  limits.relay = 4000
  assert.strictEqual(relay.share(100), 100)
  limits.relay = 1000
  assert.strictEqual(loads.size, 2)
  load.ends(0)
  relay.ends(2000)
  assert.strictEqual(loads.size, 0)
})
