import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { type Peer, send, until } from "../support/harness.ts"
import { group, pairOf, reported } from "./group.ts"

/** Few clean-ups, or hours of simulated time take long. */
const seldom = { sessions: { hashSize: 0, cleanupInterval: "1 hour" } } as const

group("P. Connections", ({ scenario, timed }) => {
  timed(
    "R4976-6.1-25 R4976-6.5-02: what was dialled has no probation, and lives as long as a session uses it; who came in, longer",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login({ headers: ["Expires: 3000"] })
        const bob = yield* world.listen
        alice.peer.write(send({ to: `${alice.usePath} ${bob.uri}`, from: alice.uri, failureReport: "no", body: "hi" }))
        const peer = yield* bob.accepted
        yield* peer.next
        yield* TestClock.adjust("50 minutes")
        assert.isFalse(peer.isClosed)
        yield* TestClock.adjust("11 minutes")
        yield* peer.ends
        assert.isFalse(alice.peer.isClosed)
        yield* TestClock.adjust("61 minutes")
        yield* alice.peer.ends
        assert.strictEqual(world.relay.counters.connectionsIdle, 2)
      }),
    seldom
  )

  timed(
    "R4976-6.5-02 R4975-5.4-20: who talks is not idle, nor who has or uses a session",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login({ headers: ["Expires: 40000"] })
        const { bob } = yield* world.join(alice)
        const other = yield* world.login({ headers: ["Expires: 60"] })
        for (let i = 0; i < 10; i++) {
          yield* TestClock.adjust("50 minutes")
          other.peer.write(send({ to: other.usePath, from: other.uri, failureReport: "no" }))
        }
        assert.deepStrictEqual([alice.peer.isClosed, bob.isClosed, other.peer.isClosed], [false, false, false])
        yield* TestClock.adjust("6 hours")
        yield* until(() => alice.peer.isClosed && bob.isClosed && other.peer.isClosed, "the end of all")
      }),
    seldom
  )

  scenario(
    "R4976-6.1-22 R4976-6.1-23: AUTHs without credentials end the probation early, if they are many",
    (world) =>
      Effect.gen(function*() {
        const from = world.party()
        const stranger = yield* world.connect
        for (let i = 0; i < 4; i++) assert.strictEqual((yield* world.auth(stranger, from)).status, 401)
        yield* stranger.ends
        // Who answers his challenges, badly for whatever reason, is not closed for these.
        const clumsy = yield* world.connect
        for (let i = 0; i < 2; i++) {
          const right = world.authorization(yield* world.challenge(clumsy, from))
          assert.strictEqual((yield* world.auth(clumsy, from, `${right}, qop=auth`)).status, 400)
          assert.strictEqual((yield* world.auth(clumsy, from, right, "Expires: 0")).status, 423)
        }
        // And who has proved himself may ask as often as he wants.
        yield* world.login({ peer: clumsy })
        for (let i = 0; i < 10; i++) assert.strictEqual((yield* world.auth(clumsy, from)).status, 401)
      }),
    { limits: { unsuccessful: 4 } }
  )

  scenario(
    "R4976-6.5-03: too many: who has proved nothing goes, the oldest first; then who was not used for longest",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        const waiting: Array<Peer> = []
        for (let i = 0; i < 10; i++) waiting.push(yield* world.connect)
        yield* until(() => waiting.filter((peer) => peer.isClosed).length === 7, "the end of seven")
        assert.deepStrictEqual(waiting.map((peer) => peer.isClosed), [...Array(7).fill(true), ...Array(3).fill(false)])
        assert.strictEqual(world.relay.counters.connectionsTurnedAway, 7)
        alice.peer.write(toBob({ body: "undisturbed" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        bob.answer(yield* bob.next)
      }),
    { limits: { connections: 5 } }
  )

  scenario("R4976-6.5-03: who has a session stays; when all have, the new one goes", (world) =>
    Effect.gen(function*() {
      yield* world.login()
      yield* world.login({ username: "carol" })
      const late = yield* world.connect
      yield* late.ends
    }), { limits: { connections: 2 } })

  scenario("R4976-6.5-03: those in probation have a bound of their own", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login()
      const [one, two] = [yield* world.connect, yield* world.connect]
      const three = yield* world.connect
      yield* one.ends
      yield* world.login({ peer: two, username: "carol" })
      const four = yield* world.connect
      yield* four.quiet
      assert.isFalse(alice.peer.isClosed || two.isClosed || three.isClosed || four.isClosed)
    }), { limits: { connectionsInProbation: 2 } })

  scenario(
    "R4976-6.5-03: those of one address have a bound, and a place that becomes free is free",
    (world) =>
      Effect.gen(function*() {
        const peers = [(yield* world.login()).peer, yield* world.connect]
        const late = yield* world.connect
        yield* late.ends
        for (const peer of peers) yield* peer.quiet
        yield* peers[1]!.close
        yield* until(() => world.relay.gauges().connections === 1, "the end of one")
        yield* world.login()
      }),
    { limits: { connectionsPerAddress: 2 } }
  )

  scenario(
    "R6135-4.2-01 R6135-4.5-02 R4976-6.4-22: nobody is dialled who cannot be; who connects in is reached there",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        for (const [index, uri] of ["msrp://192.0.2.1:9/b;tcp", "msrp://bob.invalid:2855/b;tcp"].entries()) {
          alice.peer.write(
            send({ to: `${alice.usePath} ${uri}`, from: alice.uri, messageId: `early.${index}`, body: "x" })
          )
          assert.strictEqual((yield* alice.peer.next).status, 408)
          alice.peer.write(
            send({
              to: `${alice.usePath} ${uri}`,
              from: alice.uri,
              messageId: `early.${index}`,
              failureReport: "partial",
              body: "x"
            })
          )
          assert.strictEqual(reported(yield* alice.peer.next), "000 408 | 1-1/1")
          assert.deepStrictEqual([world.relay.counters.dialsFailed, world.relay.gauges().connections], [0, 1 + index])
          const bob = yield* world.connect
          bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: uri }))
          assert.strictEqual((yield* bob.next).status, 200)
          alice.peer.answer(yield* alice.peer.next)
          alice.peer.write(send({ to: `${alice.usePath} ${uri}`, from: alice.uri, failureReport: "no", body: "x" }))
          assert.strictEqual((yield* bob.next).to, uri)
          if (index === 0) {
            yield* bob.close
            yield* world.connect
            yield* until(() => world.relay.gauges().connections === 2, "his leave")
          }
        }
      })
  )

  scenario(
    "R4975-5.4-24 R4975-5.4-23: who closes his side still hears what was answered, and then his session is over",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toAlice, toBob } = yield* pairOf(world)
        const bodies = Array.from({ length: 50 }, (_, i) => `${i}`.padStart(400, "."))
        const messages = (to: typeof toBob) =>
          Buffer.concat(bodies.map((body, i) => to({ messageId: `last.${i}`, body })))
        // First the owner of the session, then somebody who has none.
        alice.peer.write(messages(toBob))
        assert.deepStrictEqual((yield* bob.take(50)).map(({ body }) => body!.toString()), bodies)
        alice.peer.connection.end()
        assert.deepStrictEqual((yield* alice.peer.take(50)).map(({ status }) => status), Array(50).fill(200))
        yield* alice.peer.ends
        bob.write(messages(toAlice))
        assert.deepStrictEqual((yield* bob.take(50)).map(({ status }) => status), Array(50).fill(481))
        bob.connection.end()
        yield* bob.ends
      })
  )

  scenario("R4976-9.3-03: a client makes so many connections at a time and no more", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login()
      const listeners = yield* Effect.all(Array.from({ length: 5 }, () => world.listen))
      alice.peer.write(
        Buffer.concat(listeners.map(({ uri }) => send({ to: `${alice.usePath} ${uri}`, from: alice.uri, body: "x" })))
      )
      assert.deepStrictEqual((yield* alice.peer.take(5)).map(({ status }) => status), [200, 200, 200, 408, 408])
      for (const { accepted } of listeners.slice(0, 3)) {
        const peer = yield* accepted
        peer.answer(yield* peer.next)
      }
      alice.peer.write(send({ to: `${alice.usePath} ${listeners[4]!.uri}`, from: alice.uri, body: "x" }))
      assert.strictEqual((yield* alice.peer.next).status, 200)
      const last = yield* listeners[4]!.accepted
      last.answer(yield* last.next)
    }), { limits: { dials: 3 } })
})
