/** What a new connection is closed for before its first success, and what that of another relay is not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { zeroCounters } from "../../../src/relay/Counters.ts"
import { Probation } from "../../../src/relay/inbound/Probation.ts"
import { defaultRelayLimits, limitsWith } from "../../../src/relay/Limits.ts"
import type { Shared } from "../../../src/relay/Shared.ts"
import { Timers } from "../../../src/relay/Timers.ts"
import { send } from "../../support/harness.ts"
import { connectFrom, end, grantedThrough, machine, options } from "../../support/relays.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated(options)

const FROM = "msrps://outer.example.net:2855/s1;tcp msrp://carol.invalid:9/c;tcp"
const refused = (from: string) =>
  send({ to: "msrps://relay.example.com:2855/nobody;tcp msrp://x.invalid:9/x;tcp", from, body: "x" })

describe("a new connection of another relay", () => {
  scenario("R4976-6.3-37: is not closed for what its clients send in vain", (world) =>
    Effect.gen(function*() {
      const link = yield* connectFrom(world, machine(world, "outer.example.net"))
      for (let i = 0; i < 20; i++) {
        link.write(refused(FROM))
        assert.strictEqual((yield* link.next).status, 481)
      }
      for (let i = 0; i < 20; i++) assert.strictEqual((yield* world.auth(link, FROM)).status, 401)
      // Malformed by whoever is behind it.
      for (let i = 0; i < 20; i++) {
        link.write(send({ to: world.uri, from: FROM, range: "nonsense", body: "x" }))
        assert.strictEqual((yield* link.next).status, 400)
      }
      end(world, yield* grantedThrough(world, link, FROM))
    }), { limits: { unsuccessful: 3 } })

  for (const odd of ["msrp://c%zz.invalid:9/a", "c d", "msrp://c.invalid:9/c;tcp ".repeat(17)]) {
    scenario(
      `R4976-6.3-37: is not closed for a client at ${odd.slice(0, 30)}, although that is all that has come`,
      (world) =>
        Effect.gen(function*() {
          const link = yield* connectFrom(world, machine(world, "outer.example.net"))
          for (let i = 0; i < 20; i++) {
            link.write(refused(`${FROM.split(" ")[0]} ${odd.trim()}`))
            assert.strictEqual((yield* link.next).status, 400)
          }
          // Over a limit as well.
          link.write(send({
            to: world.uri,
            from: `${FROM.split(" ")[0]} ${odd.trim()}`,
            headers: [`X: ${"x".repeat(9000)}`]
          }))
          assert.strictEqual((yield* link.next).status, 413)
          end(world, yield* grantedThrough(world, link, FROM))
        }),
      { limits: { unsuccessful: 3 } }
    )
  }

  scenario("R4976-6.3-37: is not closed for how much they send at a time", (world) =>
    Effect.gen(function*() {
      const link = yield* connectFrom(world, machine(world, "outer.example.net"))
      const many = Array.from({ length: 50 }, () => refused(FROM))
      // Beside AUTHs under way, and more than there may be.
      const challenge = yield* world.challenge(link, FROM)
      for (let i = 0; i < 2; i++) {
        yield* Effect.forkChild(
          world.auth(link, FROM, world.authorization(challenge, { password: "x" })),
          { startImmediately: true }
        )
      }
      link.write(Buffer.concat(many))
      yield* TestClock.adjust("2 seconds")
      yield* TestClock.adjust("2 seconds")
      assert.isFalse(link.isClosed)
      assert.strictEqual(world.relay.counters.probationsFailed, 0)
    }), { limits: { probationOctets: 500, auths: 1 }, digest: { freePerUser: 0 } })

  scenario("R4976-6.1-21: has 30 seconds for a success, as everybody has", (world) =>
    Effect.gen(function*() {
      const link = yield* connectFrom(world, machine(world, "outer.example.net"))
      yield* world.auth(link, FROM)
      yield* TestClock.adjust("30 seconds")
      yield* link.ends
    }))

  scenario(
    "R4976-6.1-22: is closed for what nobody behind it has sent: a client may have a certificate, too",
    (world) =>
      Effect.gen(function*() {
        const own = "msrps://outer.example.net:2855/s1;tcp"
        for (const from of [own, FROM.replace("outer", "inner")]) {
          const link = yield* connectFrom(world, machine(world, "outer.example.net"))
          for (let i = 0; i < 3; i++) {
            link.write(refused(from))
            assert.strictEqual((yield* link.next).status, 481)
          }
          yield* link.ends
        }
      }),
    { limits: { unsuccessful: 3 } }
  )

  scenario(
    "R4976-6.1-22: is one like others where no relay of its name is admitted",
    (world) =>
      Effect.gen(function*() {
        const link = yield* connectFrom(world, machine(world, "outer.example.net"))
        for (let i = 0; i < 3; i++) {
          link.write(refused(FROM))
          assert.strictEqual((yield* link.next).status, 481)
        }
        yield* link.ends
      }),
    { relayPeers: ["inner.example.org"], limits: { unsuccessful: 3 } }
  )

  scenario(
    "R4976-6.4.1-13 R4976-6.1-21: has proved itself when the relay itself leads a session there",
    (world) =>
      Effect.gen(function*() {
        const link = yield* connectFrom(world, machine(world, "outer.example.net"))
        link.write(refused(FROM))
        assert.strictEqual((yield* link.next).status, 481)
        const alice = yield* world.login({ uri: "msrps://alice.invalid:9/a;tcp" })
        yield* TestClock.adjust("10 seconds")
        alice.peer.write(send({ to: `${alice.usePath} ${FROM}`, from: alice.uri, body: "hi" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const sent = yield* link.next
        // Its probation would be over.
        yield* TestClock.adjust("20 seconds")
        assert.isFalse(link.isClosed)
        link.answer(sent)
        yield* link.quiet
        world.sessions.end(world.sessions.findUnsafe(parseUri(alice.usePath)!.sessionId!)!)
        yield* TestClock.adjust("30 seconds")
        yield* link.quiet
        assert.isFalse(link.isClosed)
        assert.strictEqual(world.relay.counters.probationsFailed, 0)
        assert.strictEqual(world.relay.gauges().timers, 0)
      })
  )
})

it("R4976-6.3-37 R4976-9.3-06: a connection keeps little and brings few bad requests in probation, unless it is that of a relay", () => {
  const ends = (isOfRelay: boolean, brings: (probation: Probation) => void): ReadonlyArray<string> => {
    const log: Array<string> = []
    let now = 0
    const timers = new Timers(() => now, () => {})
    const limits = limitsWith(timers, defaultRelayLimits)
    const probation = new Probation({ limits, counters: zeroCounters(), turn: { now: 0 } } as unknown as Shared, {
      inUse: () => false,
      proved: () => void log.push("proved"),
      finish: (reason) => void log.push(reason),
      fail: (reason) => void log.push(reason)
    })
    probation.start()
    if (isOfRelay) probation.relayProved()
    brings(probation)
    now = limits.probation.millis
    timers.expire()
    return log
  }
  const { probationOctets, unsuccessful } = defaultRelayLimits
  const refused = (times: number) => (probation: Probation): void => {
    for (let i = 0; i < times; i++) probation.refused()
  }
  const keeps = (octets: number) => (probation: Probation): void => probation.keeps(octets)
  const challenged = (times: number) => (probation: Probation): void => {
    for (let i = 0; i < times; i++) probation.challenged()
  }
  const EARLY = "too many requests without success in probation"
  const LATE = "no successful request in probation"
  assert.deepStrictEqual(ends(false, keeps(probationOctets)), [LATE])
  assert.deepStrictEqual(ends(false, keeps(probationOctets + 1)), ["too much in probation", LATE])
  assert.deepStrictEqual(ends(true, keeps(probationOctets + 1)), [LATE])
  assert.deepStrictEqual(ends(false, refused(unsuccessful - 1)), [LATE])
  assert.deepStrictEqual(ends(false, refused(unsuccessful)), [EARLY, LATE])
  assert.deepStrictEqual(ends(true, refused(unsuccessful)), [LATE])
  // Each login begins with a challenge, which is counted apart.
  const each = (probation: Probation): void => {
    refused(unsuccessful - 1)(probation)
    challenged(unsuccessful - 1)(probation)
  }
  assert.deepStrictEqual(ends(false, each), [LATE])
  assert.deepStrictEqual(ends(false, challenged(unsuccessful)), [EARLY, LATE])
  // It is over with the first success.
  const succeeds = (probation: Probation): void => {
    probation.succeeded()
    probation.succeeded()
    refused(unsuccessful)(probation)
    keeps(probationOctets + 1)(probation)
  }
  assert.deepStrictEqual(ends(false, succeeds), ["proved"])
})
