/** A relay that goes out of service, comes back, or ends: what happens to existing and to new connections. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Transport } from "../../../src/Transport.ts"
import {
  header,
  makeWorld,
  type Owner,
  type Peer,
  request,
  send,
  until,
  type World,
  type WorldOptions
} from "../../support/harness.ts"
import { pattern } from "../../support/Recorder.ts"
import { play, simulated } from "../../support/simulated.ts"
import { withTimeOfDay } from "../../support/timeOfDay.ts"

const scenario = simulated()

/** A SEND from one party to the other, which arrives and is answered. */
const passes = Effect.fnUntraced(function*(from: Peer, to: Peer, octets: Buffer) {
  from.write(octets)
  assert.strictEqual((yield* from.next).status, 200)
  const frame = yield* to.next
  assert.strictEqual(frame.method, "SEND")
  to.answer(frame)
})

const toBob = ({ uri, usePath }: Owner, bobUri: string, body = "to bob"): Buffer =>
  send({ to: `${usePath} ${bobUri}`, from: uri, body })
const toOwner = ({ uri, usePath }: Owner, bobUri: string, body = "to the owner"): Buffer =>
  send({ to: `${usePath} ${uri}`, from: bobUri, body })

const endSession = ({ sessions }: World, { usePath }: Owner): void =>
  sessions.end(sessions.findUnsafe(/\/([^/;]+);tcp$/.exec(usePath)![1]!)!)

/** Drains; says whether that has come to its end. */
const draining = Effect.fnUntraced(function*({ relay }: World) {
  const fiber = yield* Effect.forkChild(relay.drain, { startImmediately: true })
  assert.strictEqual(relay.phase(), "draining")
  return { fiber, over: () => fiber.pollUnsafe() !== undefined }
})

const messages = ({ log }: World): ReadonlyArray<string> =>
  log.flatMap((line) =>
    /message="?(draining|drained|serving again|the time limit ended sessions)"?/.exec(line)?.[1] ?? []
  )

describe("a relay that drains", () => {
  scenario(
    "refuses an AUTH with 408, and closes connections without a session",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const early = yield* world.connect
        const challenge = yield* world.challenge(early, world.party())
        const { fiber } = yield* draining(world)
        for (const peer of [yield* world.connect, early]) {
          const authorization = world.authorization(challenge)
          const answer = yield* world.auth(peer, world.party(), ...(peer === early ? [authorization] : []))
          assert.strictEqual(`${answer.status} ${answer.comment}`, "408 Going Out Of Service")
          yield* peer.ends
        }
        // Who has a session gets no other one, and keeps that.
        assert.strictEqual((yield* world.auth(alice.peer, alice.uri)).status, 408)
        yield* passes(bob, alice.peer, toOwner(alice, bobUri))
        yield* alice.peer.close
        yield* Fiber.join(fiber)
      })
  )

  scenario(
    "passes on what live sessions send, both ways, also to and from new connections",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const carol = yield* world.login({ username: "carol" })
        const { fiber, over } = yield* draining(world)
        yield* passes(alice.peer, bob, toBob(alice, bobUri))
        yield* passes(bob, alice.peer, toOwner(alice, bobUri))
        // A peer that connects, and one that the relay connects to.
        const joined = yield* world.join(carol)
        yield* passes(carol.peer, joined.bob, toBob(carol, joined.bobUri))
        const listening = yield* world.listen
        alice.peer.write(toBob(alice, listening.uri))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const dialled = yield* listening.accepted
        dialled.answer(yield* dialled.next)
        yield* alice.peer.close
        yield* world.network!.settled
        assert.isFalse(over())
        yield* passes(joined.bob, carol.peer, toOwner(carol, joined.bobUri))
        yield* carol.peer.close
        yield* Fiber.join(fiber)
        assert.strictEqual(world.relay.phase(), "draining")
        assert.deepStrictEqual(messages(world), ["draining", "drained"])
        assert.isTrue(world.log.some((line) => line.includes("draining") && line.includes("sessions=2")))
      }),
    { nextHops: { allow: ["localhost"] } }
  )

  const ends: ReadonlyArray<readonly [string, (world: World, alice: Owner) => Effect.Effect<void>]> = [
    ["whose connection closes", (_, { peer }) => peer.close],
    ["that is ended by its repository", (world, alice) => Effect.sync(() => endSession(world, alice))],
    // And a whole pass of the clean-up.
    ["whose time is over", () => TestClock.adjust("160 seconds")]
  ]
  for (const [what, end] of ends) {
    scenario(`has drained with the end of a last session ${what}`, (world) =>
      Effect.gen(function*() {
        const { alice } = yield* world.pair()
        const { fiber, over } = yield* draining(world)
        yield* TestClock.adjust("99 seconds")
        assert.isFalse(over())
        yield* end(world, alice)
        yield* Fiber.join(fiber)
      }), { authExpires: 100 })
  }

  for (const answer of ["413 Stop", "200 OK"]) {
    scenario(
      `has not drained while a request waits for its answer, which is ${answer}`,
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const { fiber, over } = yield* draining(world)
          bob.write(toOwner(alice, bobUri))
          assert.strictEqual((yield* bob.next).status, 200)
          const frame = yield* alice.peer.next
          endSession(world, alice)
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual([world.relay.gauges().sessions, over()], [0, false])
          alice.peer.answer(frame, answer)
          yield* Fiber.join(fiber)
          if (answer !== "200 OK") assert.strictEqual(header(yield* bob.next, "Status"), `000 ${answer}`)
        })
    )
  }

  scenario("does not wait for an answer whose sender is gone", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const carol = yield* world.login({ username: "carol" })
      const { bob: dave, bobUri: daveUri } = yield* world.join(carol)
      const { fiber, over } = yield* draining(world)
      // The sender to alice goes, the sender to carol stays.
      bob.write(toOwner(alice, bobUri))
      dave.write(toOwner(carol, daveUri))
      assert.deepStrictEqual([(yield* bob.next).status, (yield* dave.next).status], [200, 200])
      yield* alice.peer.next
      const frame = yield* carol.peer.next
      endSession(world, alice)
      endSession(world, carol)
      yield* bob.close
      yield* world.network!.settled
      assert.deepStrictEqual([world.relay.gauges().transactions, over()], [2, false])
      carol.peer.answer(frame, "413 Stop")
      yield* Fiber.join(fiber)
      assert.strictEqual(header(yield* dave.next, "Status"), "000 413 Stop")
      assert.strictEqual(world.relay.gauges().transactions, 1)
    }))

  scenario("grants no session for an AUTH that was being decided", (world) =>
    Effect.gen(function*() {
      const from = world.party()
      const peer = yield* world.connect
      const authorization = world.authorization(yield* world.challenge(peer, from))
      slow.gate = yield* Deferred.make<void>()
      peer.write(request("AUTH", { to: world.uri, from, headers: [authorization] }))
      yield* until(() => slow.waits, "the decision")
      yield* world.relay.drain
      yield* Deferred.succeed(slow.gate, undefined)
      assert.strictEqual((yield* peer.next).status, 408)
      assert.strictEqual(world.relay.gauges().sessions, 0)
    }), {
    repo: (memory) => ({
      ...memory,
      create: (session) =>
        Effect.suspend(() => {
          slow.waits = true
          return slow.gate === undefined ? Effect.void : Deferred.await(slow.gate)
        }).pipe(Effect.andThen(memory.create(session)))
    })
  })
  const slow: { gate: Deferred.Deferred<void> | undefined; waits: boolean } = { gate: undefined, waits: false }

  scenario(
    "closes a connection that no session uses any more after half a minute without traffic",
    (world) =>
      Effect.gen(function*() {
        const { alice } = yield* world.pair()
        const carol = yield* world.login({ username: "carol" })
        const left = yield* world.join(carol)
        yield* carol.peer.close
        yield* draining(world)
        yield* TestClock.adjust("29 seconds")
        assert.isFalse(left.bob.isClosed)
        yield* TestClock.adjust("31 seconds")
        yield* left.bob.ends
        assert.isFalse(alice.peer.isClosed)
      })
  )

  it.effect("reports when its phase began, also if the time of day is changed", () =>
    withTimeOfDay((set) =>
      play((world) =>
        Effect.gen(function*() {
          yield* world.pair()
          yield* draining(world)
          yield* TestClock.adjust("1 minute")
          set(-7_200_000)
          assert.strictEqual((yield* Clock.currentTimeMillis) - world.relay.phaseSince(), 60_000)
        })
      )
    ).pipe(Effect.provide(Transport.layerTest())))

  scenario(
    "serves again when draining is undone, which ends the wait for its end",
    (world) =>
      Effect.gen(function*() {
        const { alice } = yield* world.pair()
        const { fiber } = yield* draining(world)
        const since = world.relay.phaseSince()
        yield* TestClock.adjust("3 seconds")
        yield* world.relay.undrain
        yield* world.relay.undrain
        yield* Fiber.join(fiber)
        assert.deepStrictEqual([world.relay.phase(), world.relay.phaseSince() - since], ["serving", 3000])
        assert.deepStrictEqual(messages(world), ["draining", "serving again"])
        const again = yield* world.login({ peer: alice.peer })
        assert.notStrictEqual(again.usePath, alice.usePath)
        yield* Effect.forkChild(world.relay.close)
        yield* until(() => alice.peer.isClosed, "the end")
        yield* world.relay.undrain
        yield* world.relay.drain
        assert.strictEqual(world.relay.phase(), "stopping")
      })
  )
})

/** A world whose relay has a scope of its own, and the end of that. */
const ending = Effect.fnUntraced(function*(options: WorldOptions) {
  const scope = yield* Scope.make()
  const world = yield* Effect.provideService(makeWorld(options), Scope.Scope, scope)
  const end = Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
  return { end, world }
})

describe("the end of a relay's scope", () => {
  const ended = (
    title: string,
    drain: number,
    body: (parts: Effect.Success<ReturnType<typeof ending>>) => Effect.Effect<void, unknown, Scope.Scope | Transport>
  ): void =>
    it.effect(title, () =>
      Effect.gen(function*() {
        const parts = yield* ending({ limits: { drain } })
        yield* body(parts)
        yield* parts.world.done
      }).pipe(Effect.provide(Transport.layerTest())))

  ended("takes no time without connections", 30, ({ end, world }) =>
    Effect.gen(function*() {
      yield* Fiber.join(yield* end)
      assert.deepStrictEqual(messages(world), [])
    }))

  ended(
    "takes no time when all senders are gone and only their receiver has not answered",
    30,
    (parts) =>
      Effect.gen(function*() {
        const { end, world } = parts
        const { alice, bob, bobUri } = yield* world.pair()
        alice.peer.write(toBob(alice, bobUri))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* bob.next
        yield* alice.peer.close
        yield* world.network!.settled
        assert.strictEqual(world.relay.gauges().transactions, 1)
        const closing = yield* end
        yield* until(() => bob.isClosed, "the end")
        yield* Fiber.join(closing)
        assert.deepStrictEqual(messages(world), [])
      })
  )

  ended("R4976-6.4.1-13: sends what still waits for a connection", 0, ({ end, world }) =>
    Effect.gen(function*() {
      const alice = yield* world.login()
      const bob = yield* world.listen
      world.network!.configure({ latency: 50 })
      alice.peer.write(toBob(alice, bob.uri))
      yield* TestClock.adjust(50)
      assert.isAbove(world.relay.gauges().parkedOctets, 0)
      const closing = yield* end
      yield* TestClock.adjust(400)
      assert.deepStrictEqual(alice.peer.frames.map(({ method, status }) => method || status), [200])
      const peer = yield* bob.accepted
      const frame = yield* peer.next
      assert.strictEqual(String(frame.body), "to bob")
      peer.answer(frame)
      yield* TestClock.adjust(1000)
      yield* Fiber.join(closing)
    }))

  ended("waits for live sessions, and no longer than for them", 30, ({ end, world }) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const closing = yield* end
      yield* TestClock.adjust("29 seconds")
      yield* passes(alice.peer, bob, toBob(alice, bobUri))
      yield* alice.peer.close
      yield* until(() => bob.isClosed, "the end")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(messages(world), ["draining", "drained"])
      assert.isTrue(world.log.some((line) => line.includes("draining") && line.includes("seconds=30")))
    }))

  ended("is not taken back while it drains", 30, ({ end, world }) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const closing = yield* end
      yield* TestClock.adjust("1 second")
      yield* world.relay.undrain
      assert.strictEqual(world.relay.phase(), "draining")
      yield* TestClock.adjust("28 seconds")
      yield* passes(alice.peer, bob, toBob(alice, bobUri))
      yield* TestClock.adjust("1 second")
      yield* until(() => bob.isClosed && alice.peer.isClosed, "the end")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(messages(world), ["draining", "the time limit ended sessions"])
    }))

  ended(
    "takes as long as the limit was when it began, even if the limit changes",
    10,
    ({ end, world }) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        world.change({ limits: { drain: 30 } })
        const closing = yield* end
        for (const drain of [1, 3600]) {
          world.change({ limits: { drain } })
          yield* TestClock.adjust("14 seconds")
          yield* passes(alice.peer, bob, toBob(alice, bobUri))
        }
        yield* TestClock.adjust("2 seconds")
        yield* until(() => bob.isClosed && alice.peer.isClosed, "the end")
        yield* Fiber.join(closing)
        assert.isTrue(world.log.some((line) => line.includes("draining") && line.includes("seconds=30")))
      })
  )

  ended(
    "can be undone when its only caller was interrupted",
    30,
    ({ world }) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const waiting = yield* Effect.forkChild(world.relay.end, { startImmediately: true })
        yield* Fiber.interrupt(waiting)
        yield* world.relay.undrain
        yield* passes(alice.peer, bob, toBob(alice, bobUri))
        assert.deepStrictEqual(messages(world), ["draining", "serving again"])
      })
  )

  ended(
    "ends a long chunk with an end-line and a REPORT when the time is over (R4976-9.3-09)",
    30,
    ({ end, world }) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const MIB = 1_048_576
        const parts: Array<string> = []
        let octets = 0
        bob.onFrame = (frame) => {
          octets += frame.body!.length
          parts.push(frame.flag)
          if (frame.flag === "+") bob.answer(frame)
        }
        const whole = send({
          to: `${alice.usePath} ${bobUri}`,
          from: alice.uri,
          range: `1-*/${MIB}`,
          body: pattern(MIB)
        })
        alice.peer.write(whole.subarray(0, MIB / 2))
        const closing = yield* end
        yield* TestClock.adjust("29 seconds")
        alice.peer.write(whole.subarray(MIB / 2, MIB - 10_000))
        yield* world.network!.settled
        assert.isFalse(bob.isClosed)
        yield* TestClock.adjust("1 second")
        assert.isFalse(bob.isClosed)
        yield* TestClock.adjust("1 second")
        const report = yield* alice.peer.next
        yield* until(() => bob.isClosed && alice.peer.isClosed, "the end")
        yield* Fiber.join(closing)
        assert.deepStrictEqual([parts.at(-1), bob.partial.length], ["#", 0])
        assert.isAbove(octets, MIB / 2)
        assert.strictEqual(header(report, "Status"), "000 408 Request Timeout")
        // What is reported is what came last: all before that was answered.
        assert.match(header(report, "Byte-Range")!, new RegExp(`^\\d+-${octets}/${MIB}$`))
        assert.deepStrictEqual(messages(world), ["draining", "the time limit ended sessions"])
        assert.isTrue(
          world.log.some((line) => line.includes("time limit ended sessions") && line.includes("sessions=1"))
        )
      })
  )

  for (const answers of [true, false]) {
    ended(
      `loses nothing of what it has accepted: it is ${answers ? "delivered" : "reported"}`,
      0,
      ({ end, world }) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const accepted = new Set<string>()
          for (let i = 0; i < 50; i++) {
            const messageId = `way.${i}`
            alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId, body: "on its way" }))
            accepted.add(messageId)
          }
          const got: Array<string> = []
          bob.onFrame = (frame) => {
            got.push(header(frame, "Message-ID")!)
            if (answers) bob.answer(frame)
          }
          const told: Array<string> = []
          alice.peer.onFrame = (frame) => {
            if (frame.method === "REPORT") told.push(`${header(frame, "Message-ID")} ${header(frame, "Status")}`)
          }
          yield* until(() => got.length > 0, "the first one")
          const closing = yield* end
          if (!answers) yield* TestClock.adjust("1 second")
          yield* until(() => bob.isClosed && alice.peer.isClosed, "the end")
          yield* Fiber.join(closing)
          const reported = Array.from(accepted, (id) => `${id} 000 408 Request Timeout`)
          assert.deepStrictEqual(got, [...accepted])
          assert.deepStrictEqual(told, answers ? [] : reported)
        })
    )
  }

  scenario(
    "does not wait for requests that have failed, also if nothing is reported of them",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const second = yield* world.login({ peer: alice.peer })
        const { bob, bobUri } = yield* world.join(second)
        world.network!.answer("silent.example", 2855, "Silence")
        const to = `${alice.usePath} msrp://silent.example:2855/s;tcp`
        alice.peer.write(send({ to, from: alice.uri, failureReport: "no", body: pattern(20_000) }))
        alice.peer.write(send({ to: `${second.usePath} ${bobUri}`, from: second.uri, failureReport: "no", body: "x" }))
        alice.peer.write(send({ to, from: alice.uri, failureReport: "no", body: pattern(20_000) }))
        yield* until(() => bob.frames.length === 1, "the message of the other session")
        const closing = yield* Effect.forkChild(world.relay.close)
        const over: Array<boolean> = []
        for (const millis of [1900, 100, 8000]) {
          yield* TestClock.adjust(millis)
          yield* world.network!.settled
          over.push(alice.peer.isClosed)
        }
        assert.deepStrictEqual(over, [false, true, true])
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.join(closing)
      }),
    { limits: { draining: 9, session: 30_000 } }
  )

  ended("may be brought about twice, and comes with `close` before it", 30, ({ end, world }) =>
    Effect.gen(function*() {
      const { alice, bob } = yield* world.pair()
      const closed = yield* Effect.forkChild(Effect.all([world.relay.close, world.relay.close], { concurrency: 2 }))
      yield* until(() => bob.isClosed && alice.peer.isClosed, "the end")
      yield* Fiber.join(closed)
      yield* Fiber.join(yield* end)
      assert.deepStrictEqual([world.relay.phase(), messages(world)], ["stopping", []])
    }))
})
