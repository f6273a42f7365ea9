import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Outbox } from "../../../src/relay/outbound/Outbox.ts"
import { Flow } from "../../../src/relay/route/Flow.ts"
import { Stream } from "../../../src/relay/route/Stream.ts"
import { broken, defects } from "../../support/broken.ts"
import { collect, type Frame, header, send, type World } from "../../support/harness.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated({ limits: { output: 20_000 } }, { window: 8192 })

const kinds = (frames: ReadonlyArray<Frame>) =>
  frames.map(({ method, status }) => method === "" ? String(status) : method)

const OCTETS = 200_000

/** Alice and Carol send Bob a message each, of which more waits for him than he may have without an answer. */
const large = Effect.fnUntraced(function*(world: World, reads: boolean) {
  const { alice, bob, bobUri } = yield* world.pair()
  const carol = yield* world.login({ username: "carol" })
  const { bobUri: daveUri } = yield* world.join(carol, bob)
  const unanswered: Array<Frame> = []
  bob.onFrame = (frame) => void unanswered.push(frame)
  if (!reads) bob.connection.pause()
  const told = ([["alice", alice, bobUri], ["carol", carol, daveUri]] as const).map(([messageId, owner, to]) => {
    const { peer, uri, usePath } = owner
    const body = "x".repeat(OCTETS)
    peer.write(send({ to: `${usePath} ${to}`, from: uri, messageId, range: `1-*/${OCTETS}`, body }))
    return collect(peer)
  })
  yield* world.network!.settled
  assert.isAbove(world.relay.gauges().parkedOctets, 2 * 50_000)
  /** Whether Bob's connection has failed, nothing waits for him any more, and both were told that he has not got all. */
  const failed = () => {
    assert.deepStrictEqual(defects(world), ["Error: a defect"])
    assert.isTrue(bob.isClosed)
    assert.strictEqual(world.relay.gauges().parkedOctets, 0)
    for (const frames of told) {
      const reports = frames.filter(({ method }) => method === "REPORT").map((frame) => header(frame, "Status"))
      assert.include(reports, "000 408 Request Timeout")
    }
  }
  return { bob, failed, unanswered }
})

/** The next octets of Alice's message are not written. */
const breaks = Effect.suspend(() => {
  let isNext = true
  return broken(Stream.prototype, "write", ({ messageId }) => {
    if (!isNext || messageId !== "alice") return false
    isNext = false
    return true
  })
})

describe("a defect while it writes what waits", () => {
  scenario(
    "fails the connection, of which all hear who wait for it, when its peer takes octets",
    (world) =>
      Effect.gen(function*() {
        const { bob, failed } = yield* large(world, false)
        yield* breaks
        bob.connection.resume()
        yield* world.network!.settled
        failed()
      })
  )

  scenario("does the same when its peer answers", (world) =>
    Effect.gen(function*() {
      const { bob, failed, unanswered } = yield* large(world, true)
      yield* breaks
      for (const frame of unanswered) if (frame.method === "SEND") bob.answer(frame)
      yield* world.network!.settled
      failed()
    }))

  scenario("does the same when the connection was just made", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login()
      const { uri } = yield* world.listen
      const told = collect(alice.peer)
      yield* broken(Flow.prototype, "give", () => true)
      alice.peer.write(send({ to: `${alice.usePath} ${uri}`, from: alice.uri, messageId: "hers", body: "x" }))
      yield* world.network!.settled
      assert.deepStrictEqual(defects(world), ["Error: a defect"])
      assert.deepStrictEqual(kinds(told), ["200", "REPORT"])
    }))
})

scenario(
  "a defect while octets are handed over fails the connection, of which all hear who wait for answers from there",
  (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const told = collect(alice.peer)
      let flushes = 0
      // The first is that of her 200.
      yield* broken(Outbox.prototype, "flush", () => ++flushes === 2)
      alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: "hers", body: "x" }))
      yield* world.network!.settled
      assert.deepStrictEqual(defects(world), ["Error: a defect"])
      assert.isTrue(bob.isClosed)
      assert.deepStrictEqual(kinds(told), ["200", "REPORT"])
    })
)

describe("a defect while a request is passed on at once", () => {
  let isNext = true
  const once = (): boolean => {
    const is = isNext
    isNext = false
    return is
  }
  const parts = [
    ["a whole request", 1, broken(Outbox.prototype, "copy", once)],
    ["a long chunk", OCTETS, broken(Stream.prototype, "write", once)]
  ] as const
  for (const [what, octets, breaks] of parts) {
    scenario(
      `fails the connection of the receiver of ${what}, and not that of its sender, who hears of it`,
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const told = collect(alice.peer)
          isNext = true
          yield* breaks
          const body = "x".repeat(octets)
          const range = `1-*/${octets}`
          alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: "hers", range, body }))
          yield* world.network!.settled
          assert.deepStrictEqual(defects(world), ["Error: a defect"])
          assert.isTrue(bob.isClosed)
          assert.isFalse(alice.peer.isClosed)
          const report = told.find(({ method }) => method === "REPORT")
          assert.strictEqual(header(report!, "Status"), "000 408 Request Timeout")
        })
    )
  }
})
