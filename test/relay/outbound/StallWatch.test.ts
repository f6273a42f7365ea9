import { assert, it } from "@effect/vitest"
import type { Limits } from "../../../src/relay/Limits.ts"
import type { Outbox } from "../../../src/relay/outbound/Outbox.ts"
import { StallWatch } from "../../../src/relay/outbound/StallWatch.ts"
import { Timers } from "../../../src/relay/Timers.ts"
import type { Turn } from "../../../src/relay/Turn.ts"

const SECOND = 1000

const make = () => {
  const turn = { now: 0 }
  const timers = new Timers(() => turn.now, () => {})
  const outbox = { pending: 100, taken: 0 }
  /** The times since which the peer is silent, of each stall. */
  const stalls: Array<number> = []
  const peer = { isAlive: false }
  const watch = new StallWatch({
    shared: { limits: { stall: timers.queue(30 * SECOND) } as Limits, turn: turn as Turn },
    outbox: outbox as Outbox,
    stalled: (since) => {
      stalls.push(since)
      return peer.isAlive
    }
  })
  const pass = (seconds: number): void => {
    turn.now += seconds * SECOND
    // Once more: what comes in after a long pause has a turn before.
    for (let i = 0; i < 2; i++) timers.expire()
  }
  return { outbox, pass, peer, stalls, timers, watch }
}

it("a peer has stalled that has taken nothing for the limit, also of a write that is under way", () => {
  const { outbox, pass, stalls, timers, watch } = make()
  watch.arm()
  pass(29)
  outbox.taken = 1
  pass(1)
  assert.deepStrictEqual(stalls, [])
  pass(29)
  assert.deepStrictEqual(stalls, [])
  pass(1)
  assert.deepStrictEqual([stalls, timers.running], [[30 * SECOND], 0])
})

it("a completed write begins the limit anew, and ends it if nothing more waits", () => {
  const { outbox, pass, stalls, timers, watch } = make()
  watch.moved()
  assert.strictEqual(timers.running, 0)
  watch.arm()
  pass(29)
  watch.moved()
  pass(29)
  assert.deepStrictEqual([stalls, timers.running], [[], 1])
  outbox.pending = 0
  watch.moved()
  assert.strictEqual(timers.running, 0)
})

it("a peer that sends something is watched again; one to which nothing waits is not", () => {
  const { outbox, pass, peer, stalls, timers, watch } = make()
  peer.isAlive = true
  watch.arm()
  pass(30)
  pass(30)
  assert.deepStrictEqual([stalls, timers.running], [[0, 30 * SECOND], 1])
  outbox.pending = 0
  pass(30)
  assert.deepStrictEqual([stalls.length, timers.running], [2, 0])
})
