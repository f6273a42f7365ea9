/** Limits and rules that change while the relay runs: what they do to sessions that there are, and to those that come. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { heardIn, of } from "../support/events.ts"
import { collect, send } from "../support/harness.ts"
import { pattern } from "../support/Recorder.ts"
import { connectFrom, end, grantedThrough, machine, options } from "../support/relays.ts"
import { simulated } from "../support/simulated.ts"

const scenario = simulated({}, {})

describe("while sessions go on", () => {
  scenario(
    "a rate counts for those that there are, and is gone again, and nothing is lost",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const frames = collect(bob)
        const burst = (count: number) => {
          for (let i = 0; i < count; i++) {
            alice.peer.write(
              send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, failureReport: "no", body: "hi" })
            )
          }
          return world.network!.settled
        }
        yield* burst(100)
        assert.lengthOf(frames, 100)
        world.change({ limits: { requestRate: 10 } })
        yield* TestClock.adjust("1 second")
        yield* burst(100)
        // Ten, and the one that shows that it is too much.
        assert.lengthOf(frames, 111)
        world.change({ limits: { requestRate: 50 } })
        yield* TestClock.adjust("1 second")
        assert.isAbove(frames.length, 140)
        world.change({ limits: {} })
        yield* TestClock.adjust("1 second")
        yield* burst(500)
        yield* TestClock.adjust("1 second")
        assert.lengthOf(frames, 700)
      })
  )

  simulated(options)(
    "R4976-6.3-32: a relay that is not admitted any more is a stranger with its next request",
    (world) =>
      Effect.gen(function*() {
        const carol = "msrps://outer.example.net:2855/c;tcp msrp://carol.invalid:9/c;tcp"
        const outer = yield* connectFrom(world, machine(world, "outer.example.net"))
        const usePath = yield* grantedThrough(world, outer, carol)
        const bob = yield* world.login()
        for (const [relayPeers, status] of [["all", 200], [["*.example.net"], 200], ["none", 403]] as const) {
          world.change({ relayPeers })
          yield* world.network!.settled
          outer.write(send({ to: `${usePath} ${bob.usePath} ${bob.uri}`, from: carol, body: "hi" }))
          assert.strictEqual((yield* outer.next).status, status)
          if (status === 200) bob.peer.answer(yield* bob.peer.next)
        }
        end(world, usePath)
      })
  )

  simulated(options)(
    "a relay that is not let in: whether it is its certificate, or what is admitted",
    (world) =>
      Effect.gen(function*() {
        const heard = heardIn(world)
        const attempt = Effect.fnUntraced(function*(names: ReadonlyArray<string>) {
          const outer = yield* connectFrom(world, machine(world, "outer.example.net", names))
          const from = "msrps://outer.example.net:2855/c;tcp msrp://carol.invalid:9/c;tcp"
          assert.strictEqual((yield* world.auth(outer, from)).status, 403)
          return of(heard, "login failed").at(-1)!.fields["reason"]
        })
        const unknown = "an AUTH through a peer that is not an admitted relay"
        assert.strictEqual(yield* attempt([]), "an AUTH through a peer without a trusted certificate")
        assert.strictEqual(yield* attempt(["elsewhere.example.net"]), unknown)
        world.change({ relayPeers: ["*.example.org"] })
        assert.strictEqual(yield* attempt(["outer.example.net"]), unknown)
      })
  )

  scenario("any number of changes loses nothing of what passes", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const frames = collect(bob)
      for (let i = 0; i < 200; i++) {
        alice.peer.write(
          send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: `msg.${i}`, body: "x".repeat(500) })
        )
        world.change({
          authExpires: 60 + i,
          nextHops: { deny: ["192.0.2.0/24"] },
          relayPeers: i % 2 === 0 ? "none" : "all",
          limits: {
            turn: 20_000 + i,
            output: 4096 + i * 100,
            transactions: 16 + i % 8,
            stall: 1 + i % 5,
            session: 4096 + i * 100,
            octetRate: i % 3 === 0 ? Infinity : 10_000_000,
            unanswered: 100_000 + i,
            unansweredOfUser: 100_000 + i,
            closing: 1 + i % 3
          },
          sessions: { maxSessions: 1 + i % 2, maxSessionsPerUser: 1 },
          digest: { nonceExpire: 1000 + i, freePerUser: i % 3 }
        })
        if (i % 20 === 0) yield* world.network!.settled
      }
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(
        frames.map(({ headers }) => headers.find(([name]) => name === "Message-ID")?.[1]),
        Array.from({ length: 200 }, (_, i) => `msg.${i}`)
      )
      const answers = yield* alice.peer.take(200)
      assert.isTrue(answers.every(({ status }) => status === 200))
    }))

  scenario(
    "R4976-6.4.3-01 R4976-9.3-04: what waits where less may wait now is passed on, and nothing is left of it",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const frames = collect(bob)
        bob.connection.pause()
        const body = pattern(300_000)
        alice.peer.write(
          send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, range: `1-*/${body.length}`, body })
        )
        yield* world.network!.settled
        assert.isAbove(world.relay.gauges().parkedOctets, 60_000)
        world.change({ limits: { relay: 50_000 } })
        bob.connection.resume()
        yield* world.network!.settled
        assert.isTrue(Buffer.concat(frames.map((frame) => frame.body!)).equals(body))
        assert.deepStrictEqual(alice.peer.frames.splice(0).map(({ method, status }) => [method, status]), [["", 200]])
        assert.strictEqual(world.relay.gauges().parkedOctets, 0)
      })
  )

  scenario("limits of what there is count for what comes, and close nobody", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login()
      yield* world.login({ username: "carol" })
      const refused = (username: string) =>
        Effect.map(Effect.exit(world.login({ username })), ({ _tag }) => _tag === "Failure")
      world.change({ sessions: { maxSessions: 2 } })
      assert.isTrue(yield* refused("carol"))
      world.change({ sessions: { maxSessionsPerUser: 2 } })
      yield* world.login()
      assert.isTrue(yield* refused("alice"))
      world.change({ sessions: {}, limits: { connections: 1 } })
      assert.strictEqual(world.relay.gauges().sessions, 3)
      assert.isFalse(alice.peer.isClosed)
    }))
})
