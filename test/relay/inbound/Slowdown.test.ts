/** For how long a connection is not read because its sessions were too fast. */
import { assert, it } from "vitest"
import { Slowdown } from "../../../src/relay/inbound/Slowdown.ts"
import { Pace } from "../../../src/relay/route/Pace.ts"
import type { Shared } from "../../../src/relay/Shared.ts"
import { Timers } from "../../../src/relay/Timers.ts"

/** One request a second and as many octets, each a second ahead. */
const make = () => {
  const turn = { now: 10_000 }
  const timers = new Timers(() => turn.now, () => {})
  const counters = { paced: 0 }
  const log: Array<string> = []
  const slowdown = new Slowdown(
    { counters, limits: { pace: timers.queue(100) }, turn } as unknown as Shared,
    { stop: () => log.push("stop"), go: () => log.push("go") }
  )
  const pass = (millis: number): void => {
    turn.now += millis
    // Once more: what comes in after a long pause has a turn before.
    for (let i = 0; i < 2; i++) timers.expire()
  }
  return { counters, log, pass, pace: new Pace({ requestRate: 1, octetRate: 1000 }), slowdown, timers }
}

it("stops the reading once, however much too fast, until the last of it is paid for", () => {
  const { counters, log, pace, pass, slowdown, timers } = make()
  slowdown.spend(pace, 1, 0)
  assert.deepStrictEqual(log, [])
  // A frame may be spent in parts.
  slowdown.spend(pace, 1, 0)
  slowdown.spend(pace, 0, 4000)
  assert.deepStrictEqual([log, counters.paced, timers.running], [["stop"], 1, 1])
  pass(1000)
  assert.deepStrictEqual(log, ["stop"])
  pass(1999)
  assert.deepStrictEqual(log, ["stop"])
  pass(101)
  assert.deepStrictEqual([log, timers.running], [["stop", "go"], 0])
  // What it may do is not less after that.
  pass(1000)
  slowdown.spend(pace, 1, 0)
  assert.deepStrictEqual([log.length, counters.paced], [2, 1])
  slowdown.spend(pace, 3, 0)
  assert.deepStrictEqual([log.at(-1), counters.paced], ["stop", 2])
})

it("ends with the connection: what was read is processed then, and stops nothing any more", () => {
  const { log, pace, pass, slowdown, timers } = make()
  slowdown.spend(pace, 5, 0)
  slowdown.end()
  assert.deepStrictEqual([log, timers.running], [["stop", "go"], 0])
  slowdown.spend(pace, 5, 0)
  pass(60_000)
  assert.deepStrictEqual([log, timers.running], [["stop", "go"], 0])
})

it("stops nothing where a connection has ended before anything was too fast", () => {
  const { counters, log, pace, slowdown, timers } = make()
  slowdown.end()
  slowdown.spend(pace, 5, 0)
  assert.deepStrictEqual([log, counters.paced, timers.running], [[], 0, 0])
})
