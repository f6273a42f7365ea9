/** Bounds on what requests without an answer hold in memory. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { parseUri } from "../../../src/protocol/Uri.ts"
import {
  header,
  type Message,
  type Owner,
  send,
  summary,
  until,
  type World,
  type WorldOptions
} from "../../support/harness.ts"
import { type Body, simulated } from "../../support/simulated.ts"

const played = simulated()
const scenario = (title: string, options: WorldOptions, body: Body): void => played(title, body, options)

/** Octets of a From-Path that nobody has shown before. */
const PATH = 7000
let paths = 0
const fromPath = (uri: string): string =>
  `${uri} msrp://${`${++paths}.`.padEnd(240, "x")}.invalid:9/${"x".repeat(1600)};tcp`
    .concat(` msrp://x.invalid:9/${"y".repeat(1900)};tcp`.repeat(3)).slice(0, PATH - 4).concat(";tcp")

/** SENDs one by one, each with a new From-Path, until its sender is not read any more, or all are sent. */
const flood = (world: World, { peer, uri, usePath }: Owner, to: string, count: number, more: Partial<Message> = {}) =>
  Effect.gen(function*() {
    for (let i = 0; i < count; i++) {
      peer.write(send({
        to: `${usePath} ${to}`,
        from: fromPath(uri),
        ...more
      }))
      yield* world.network!.settled
    }
  })

describe("requests without an answer", () => {
  scenario(
    "R4976-9.3-06 R4976-9.3-04: the paths that they hold are counted, whoever goes beyond waits, and nothing is lost",
    { limits: { unanswered: 20 * PATH }, uris: [parseUri("msrp://localhost:2855;tcp")!] },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const carol = yield* world.login({ username: "carol" })
        yield* flood(world, alice, bobUri, 60)
        assert.isAbove(bob.frames.length, 15)
        assert.isBelow(bob.frames.length, 25)
        assert.strictEqual(world.relay.counters.unansweredOverLimit, 1)
        assert.isFalse(alice.peer.closed_)
        // Nobody else waits.
        carol.peer.write(send({ to: carol.usePath, from: carol.uri }))
        assert.strictEqual(summary(yield* carol.peer.next), "200 | $")
        // With the answers it goes on.
        let arrived = 0
        for (; arrived < 60; arrived++) bob.answer(yield* bob.next)
        assert.strictEqual((yield* alice.peer.take(60)).filter(({ status }) => status === 200).length, 60)
        yield* bob.quiet
      })
  )

  scenario(
    "R4976-9.3-06 R4976-6.4.1-50: who never answers makes them fail, and the sender goes on",
    { limits: { unanswered: 20 * PATH } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        // Long chunks, with what is told of them, are held as well.
        yield* flood(world, alice, bobUri, 60, { body: "x".repeat(4000), range: "1-*/4000" })
        const first = bob.frames.length
        assert.isBelow(first, 25)
        yield* TestClock.adjust("30 seconds")
        yield* world.network!.settled
        assert.isAbove(bob.frames.length, first)
        assert.isBelow(bob.frames.length, 60)
        const reports = alice.peer.frames.filter(({ method }) => method === "REPORT")
        assert.strictEqual(reports.length, first)
        assert.isTrue(reports.every((report) => header(report, "Status")!.startsWith("000 408")))
      })
  )

  scenario(
    "R4976-9.3-06 R4976-9.3-07: the path of a REPORT counts for each that may come, also for one who does not read it",
    { limits: { unanswered: 20 * PATH } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const from = fromPath(alice.uri)
        yield* flood(world, alice, bobUri, 60, { from, failureReport: "partial", body: "x" })
        assert.isAbove(bob.frames.length, 15)
        assert.isBelow(bob.frames.length, 25)
        world.network!.configure({ window: 1000 })
        alice.peer.connection.pause()
        for (const frame of bob.frames.splice(0)) bob.answer(frame, "403 No")
        yield* world.network!.settled
        assert.isBelow(world.relay.gauges().bufferedOctets, 50 * PATH)
        alice.peer.connection.resume()
        yield* until(() => bob.frames.length > 0, "the rest")
      })
  )

  scenario(
    "R4976-9.3-06: what others send to a user holds them, and nothing that he sends",
    { limits: { unansweredOfUser: 20 * PATH } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const second = yield* world.login()
        const { bob: stranger, bobUri: strangerUri } = yield* world.join(second)
        const to = second.usePath
        for (let i = 0; i < 60; i++) {
          const from = fromPath(strangerUri)
          stranger.write(send({ to: `${to} ${second.uri}`, from, failureReport: "partial", body: "x" }))
          yield* world.network!.settled
        }
        assert.isBelow(second.peer.frames.length, 25)
        for (const body of ["first", "second"]) {
          alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body }))
          yield* world.network!.settled
          assert.strictEqual(bob.frames.length, 1, body)
          bob.answer(bob.frames.pop()!)
          yield* world.network!.settled
        }
        assert.strictEqual((yield* alice.peer.take(2)).filter(({ status }) => status === 200).length, 2)
        yield* TestClock.adjust("30 seconds")
        yield* TestClock.adjust("30 seconds")
      })
  )

  scenario(
    "R4976-9.3-06: those of a user count on all his connections, and not for others",
    { limits: { unansweredOfUser: 40 * PATH } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const others = [yield* world.login(), yield* world.login()] as const
        const peers = [yield* world.join(others[0]), yield* world.join(others[1])] as const
        const carol = yield* world.login({ username: "carol" })
        const { bob: dave, bobUri: daveUri } = yield* world.join(carol)
        // What is expected to be answered is bounded for each receiver already.
        const partial = { failureReport: "partial", body: "x" }
        yield* flood(world, alice, bobUri, 30, partial)
        assert.strictEqual(bob.frames.length, 30)
        for (const [i, other] of others.entries()) {
          const there = peers[i]!
          yield* flood(world, other, there.bobUri, 30, partial)
          assert.isAtMost(there.bob.frames.length, i === 0 ? 12 : 2)
        }
        assert.strictEqual(world.relay.counters.unansweredOverLimit, 2)
        yield* flood(world, carol, daveUri, 30, partial)
        assert.strictEqual(dave.frames.length, 30)
        for (const frame of bob.frames) bob.answer(frame)
        yield* until(() => peers.every((there) => there.bob.frames.length > 12), "the rest")
      })
  )
})
