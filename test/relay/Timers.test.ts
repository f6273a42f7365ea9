import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as TestClock from "effect/testing/TestClock"
import { clockTimers } from "../../src/relay/edge/ClockTimers.ts"
import { stopTimer, Timed, Timeout, Timers } from "../../src/relay/Timers.ts"

const make = Effect.gen(function*() {
  const timers = clockTimers(yield* Clock.Clock, yield* FiberSet.makeRuntime<never, void, never>())
  const log: Array<string> = []
  class Entry extends Timed {
    readonly name: string
    readonly onExpiry: (() => void) | undefined
    constructor(name: string, onExpiry?: () => void) {
      super()
      this.name = name
      this.onExpiry = onExpiry
    }
    override expired(): void {
      log.push(`${this.name} ${timers.now()}`)
      this.onExpiry?.()
    }
  }
  return { timers, log, timed: (name: string, onExpiry?: () => void) => new Entry(name, onExpiry) }
})

describe("Timers", () => {
  it.effect("expire at their deadline, not a millisecond before, each once", () =>
    Effect.gen(function*() {
      const { log, timed, timers } = yield* make
      const queue = timers.queue(1000)
      queue.start(timed("a"))
      yield* TestClock.adjust(400)
      queue.start(timed("b"))
      queue.start(timed("c"))
      yield* TestClock.adjust(599)
      assert.deepStrictEqual(log, [])
      assert.strictEqual(timers.running, 3)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(log, ["a 1000"])
      yield* TestClock.adjust(10_000)
      assert.deepStrictEqual(log, ["a 1000", "b 1400", "c 1400"])
      assert.strictEqual(timers.running, 0)
    }))

  it.effect("a short one wakes before a long one that was started first", () =>
    Effect.gen(function*() {
      const { log, timed, timers } = yield* make
      const long = timers.queue(60_000)
      const short = timers.queue(5)
      long.start(timed("long"))
      yield* TestClock.adjust(1)
      short.start(timed("short"))
      yield* TestClock.adjust(5)
      assert.deepStrictEqual(log, ["short 6"])
      yield* TestClock.adjust(59_994)
      assert.deepStrictEqual(log, ["short 6", "long 60000"])
    }))

  it.effect("stopped ones never expire, wherever they stand; started again, they wait anew", () =>
    Effect.gen(function*() {
      const { log, timed, timers } = yield* make
      const queue = timers.queue(100)
      const all = ["a", "b", "c", "d"].map((name) => timed(name))
      for (const one of all) queue.start(one)
      const [a, b, , d] = all
      stopTimer(b)
      stopTimer(b)
      stopTimer(d)
      yield* TestClock.adjust(50)
      queue.start(a!)
      queue.start(d!)
      assert.strictEqual(timers.running, 3)
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(log, ["c 100", "a 150", "d 150"])
    }))

  it.effect("may move from one queue to another", () =>
    Effect.gen(function*() {
      const { log, timed, timers } = yield* make
      const one = timed("one")
      timers.queue(100).start(one)
      timers.queue(300).start(one)
      assert.strictEqual(timers.running, 1)
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(log, ["one 300"])
    }))

  it.effect("what expires may start and stop others, itself included", () =>
    Effect.gen(function*() {
      const { log, timed, timers } = yield* make
      const queue = timers.queue(100)
      const other = timed("stopped by the first")
      let rounds = 0
      const again: Timed = timed("again", () => {
        stopTimer(other)
        if (++rounds < 3) queue.start(again)
      })
      queue.start(again)
      queue.start(other)
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(log, ["again 100", "again 200", "again 300"])
      assert.strictEqual(timers.running, 0)
    }))

  it.effect("R4976-6.4.1-57: go by the monotonic clock; time that is set anew on the wall changes nothing", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const wall = (): never => assert.fail("the time of day is of no concern")
      const { log, timed, timers } = yield* Effect.provideService(make, Clock.Clock, {
        sleep: (duration) => clock.sleep(duration),
        monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
        monotonicTimeNanos: clock.monotonicTimeNanos,
        currentTimeMillisUnsafe: wall,
        currentTimeMillis: Effect.sync(wall),
        currentTimeNanosUnsafe: wall,
        currentTimeNanos: Effect.sync(wall)
      })
      timers.queue(1000).start(timed("a"))
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(log, ["a 1000"])
    }))
})

it("the next deadline is the earliest of all kinds, whichever kind was there first", () => {
  for (const kinds of [[1000, 60_000], [60_000, 1000]]) {
    let now = 0
    const alarms: Array<number> = []
    const timers = new Timers(() => now, (deadline) => void alarms.push(deadline))
    const [first, second] = kinds.map((millis) => timers.queue(millis))
    const short = kinds[0] === 1000 ? first! : second!
    for (const queue of [first!, second!]) queue.start(new Timeout(() => {}))
    now = 500
    short.start(new Timeout(() => {}))
    now = 1000
    timers.expire()
    assert.strictEqual(alarms.at(-1), 1500)
  }
})

it("those that are over together expire some at a time, and keep none of another kind waiting", () => {
  let now = 0
  let alarm = Infinity
  const timers = new Timers(() => now, (deadline) => {
    alarm = deadline
  })
  const [many, other] = [timers.queue(1000), timers.queue(2000)]
  const expired: Array<string> = []
  for (let i = 0; i < 10_000; i++) many.start(new Timeout(() => expired.push("one of many")))
  other.start(new Timeout(() => expired.push("another")))
  // The machine was stopped.
  now = 60_000
  let most = 0
  for (let before = 0; alarm <= now; before = expired.length) {
    alarm = Infinity
    timers.expire()
    most = Math.max(most, expired.length - before)
  }
  assert.isAtMost(most, 257)
  assert.isBelow(expired.indexOf("another"), 300)
  assert.deepStrictEqual([expired.length, timers.running, alarm], [10_001, 0, Infinity])
})

it("what is over since the machine was stopped may still be ended by what came in meanwhile", () => {
  let now = 0
  let alarm = Infinity
  const expired: Array<string> = []
  const timers = new Timers(() => now, (deadline) => {
    alarm = deadline
  })
  const queue = timers.queue(1000)
  const [answered, unanswered] = ["answered", "unanswered"].map((name) => new Timeout(() => expired.push(name)))
  queue.start(answered!)
  queue.start(unanswered!)
  now = 60_000
  timers.expire()
  assert.deepStrictEqual([expired, alarm], [[], now])
  // Its answer is read.
  stopTimer(answered)
  now += 3
  timers.expire()
  assert.deepStrictEqual(expired, ["unanswered"])
})

it("where every turn takes seconds they expire nevertheless", () => {
  let now = 0
  const timers = new Timers(() => now, () => {})
  const expired: Array<number> = []
  timers.queue(1000).start(new Timeout(() => expired.push(now)))
  for (let turn = 0; turn < 3; turn++) {
    now += 5000
    timers.expire()
  }
  assert.deepStrictEqual(expired, [10_000])
})

describe("a limit that gets another time", () => {
  it.effect("counts for what is started from then on; what runs keeps its own", () =>
    Effect.gen(function*() {
      const { log, timed, timers } = yield* make
      const before = timers.queue(1000)
      before.start(timed("old"))
      const shorter = timers.retimed(before, 300)
      shorter.start(timed("short"))
      assert.strictEqual(timers.retimed(shorter, 300), shorter)
      yield* TestClock.adjust(300)
      // Back again while the first one still runs.
      const again = timers.retimed(shorter, 1000)
      again.start(timed("again"))
      assert.strictEqual(timers.running, 2)
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(log.map((line) => line.split(" ")[0]), ["short", "old", "again"])
      assert.strictEqual(timers.running, 0)
    }))

  it("that it had before counts again, also when other limits change meanwhile", () => {
    let now = 0
    const timers = new Timers(() => now, () => {})
    const expired: Array<number> = []
    const before = timers.queue(1000)
    before.start(new Timeout(() => {}))
    const again = timers.retimed(timers.retimed(before, 300), 1000)
    assert.strictEqual(again, before)
    now = 1000
    timers.expire()
    timers.retimed(timers.queue(50), 60)
    again.start(new Timeout(() => expired.push(now)))
    now = 2000
    timers.expire()
    assert.deepStrictEqual(expired, [2000])
  })

  it.effect("leaves nothing behind, however often", () =>
    Effect.gen(function*() {
      const { timed, timers } = yield* make
      let queue = timers.queue(10)
      for (let i = 0; i < 100; i++) {
        queue = timers.retimed(queue, 20 + i % 2)
        queue.start(timed("one"))
      }
      assert.isAtMost(timers.queues, 3)
      yield* TestClock.adjust(30)
      assert.strictEqual(timers.running, 0)
      for (let i = 0; i < 100; i++) queue = timers.retimed(queue, 100 + i)
      assert.isAtMost(timers.queues, 2)
    }))
})
