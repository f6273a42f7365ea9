import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { DelayedAnswer } from "../../../src/relay/route/DelayedAnswer.ts"
import type { Way } from "../../../src/relay/route/Way.ts"
import { Timers } from "../../../src/relay/Timers.ts"
import { collect, type Frame, header, send, type World } from "../../support/harness.ts"
import { pattern } from "../../support/Recorder.ts"
import { sharedConnection } from "../../support/sessions.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated()

/** Octets of a message, and messages: more than there may be without an answer, and than wait before 200s are delayed. */
const OCTETS = 3500
const MESSAGES = 60

/** Ids of the messages that are answered 200, and those that are reported, in the order in which that comes. */
const outcomes = (frames: ReadonlyArray<Frame>) => ({
  accepted: frames.filter(({ status }) => status === 200).map(({ id }) => id),
  reported: frames.filter(({ method }) => method === "REPORT").map((frame) => header(frame, "Message-ID")!)
})

/** Alice writes more to Bob, who answers nothing, than is answered at once, on a connection that her other session uses. */
const delayed = Effect.fnUntraced(function*(world: World, long: boolean) {
  const { alice, bob, bobUri, other, second } = yield* sharedConnection(world)
  const ids: Array<string> = []
  const got: Array<Frame> = []
  bob.onFrame = (frame) => void got.push(frame)
  const frames = collect(alice.peer)
  collect(other.bob)
  const message = (from: string, to: string, body: Buffer): void => {
    const id = `message${ids.length}`
    ids.push(id)
    alice.peer.write(send({ id, messageId: id, from, to, range: `1-*/${body.length}`, body }))
  }
  message(second.uri, `${second.usePath} ${other.bobUri}`, pattern(10))
  for (let i = 0; i < MESSAGES; i++) message(alice.uri, `${alice.usePath} ${bobUri}`, pattern(OCTETS))
  if (long) message(alice.uri, `${alice.usePath} ${bobUri}`, pattern(10_000))
  yield* world.network!.settled
  return { bob, frames, got, ids }
})

for (const long of [false, true]) {
  scenario(
    `R4976-6.4.1-01: is sent before its sender gives the request up, however slow the receiver, and once (${
      long ? "a long chunk as well" : "whole requests"
    })`,
    (world) =>
      Effect.gen(function*() {
        const { frames, ids } = yield* delayed(world, long)
        assert.isBelow(outcomes(frames).accepted.length, ids.length)
        yield* TestClock.adjust("19999 millis")
        yield* world.network!.settled
        assert.isBelow(outcomes(frames).accepted.length, ids.length)
        yield* TestClock.adjust("1 millis")
        yield* world.network!.settled
        assert.deepStrictEqual(outcomes(frames), { accepted: ids, reported: [] })
        // Nobody answers what is sent then either: each has one REPORT, and no other 200.
        yield* TestClock.adjust("30 seconds")
        yield* TestClock.adjust("30 seconds")
        const { accepted, reported } = outcomes(frames)
        assert.deepStrictEqual(accepted, ids)
        assert.deepStrictEqual(reported.toSorted(), ids.slice(1).toSorted())
      })
  )
}

scenario(
  "R4976-6.4.1-01: is sent with its request when the receiver answers sooner, and not again later",
  (world) =>
    Effect.gen(function*() {
      const { bob, frames, got, ids } = yield* delayed(world, true)
      yield* TestClock.adjust("5 seconds")
      collect(bob)
      for (const frame of got.splice(0)) bob.answer(frame)
      yield* world.network!.settled
      assert.deepStrictEqual(outcomes(frames), { accepted: ids, reported: [] })
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(outcomes(frames), { accepted: ids, reported: [] })
    })
)

it("R4976-6.4.1-01: is given once, and holds no timer and no memory after that", () => {
  let now = 0
  const timers = new Timers(() => now, () => {})
  const given: Array<string> = []
  const way = {
    accept: (tid: Buffer) => void given.push(tid.toString()),
    target: { shared: { limits: { delayed: timers.queue(20_000) } } }
  } as unknown as Way
  const [early, late] = ["early", "late"].map((tid) => new DelayedAnswer(way, Buffer.from(tid)))
  early!.give()
  assert.deepStrictEqual([given, timers.running], [["early"], 1])
  now = 20_000
  // Once more: what comes in after a long pause has a turn before.
  for (let i = 0; i < 2; i++) timers.expire()
  for (const one of [early!, late!]) one.give()
  assert.deepStrictEqual([given, timers.running], [["early", "late"], 0])
})
