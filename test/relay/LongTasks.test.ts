import { assert, beforeEach, describe, it } from "vitest"
import { LongTasks } from "../../src/relay/LongTasks.ts"
import { Turn } from "../../src/relay/Turn.ts"

describe("LongTasks", () => {
  let deferred: Array<() => void>
  let tasks: LongTasks
  let turn: Turn
  const log: Array<string> = []
  /** Runs what is deferred, in at most so many turns. */
  const run = (bound = 1000): void => {
    for (let turns = 0; deferred.length > 0 && turns < bound; turns++) for (const task of deferred.splice(0)) task()
  }

  beforeEach(() => {
    log.length = 0
    deferred = []
    turn = new Turn(() => 0, (task) => void deferred.push(task), 1_000_000)
    tasks = new LongTasks(turn)
  })

  it("takes the first step of a task at once, and a bounded number of steps of all tasks in each turn", () => {
    let taken = 0
    const long = function*(steps: number): Generator<void> {
      for (let i = 0; i < steps; i++) {
        taken++
        yield
      }
    }
    for (let i = 0; i < 100; i++) tasks.steps(long(100), () => void log.push("done"))
    assert.isTrue(tasks.isStepping)
    assert.strictEqual(taken, 64 + 99)
    assert.strictEqual(log.length, 0)
    let most = 0
    for (let before = taken; deferred.length > 0; before = taken) {
      run(1)
      most = Math.max(most, taken - before)
    }
    assert.isAtMost(most, 64 + 99)
    assert.deepStrictEqual([taken, log.length, tasks.isStepping], [10_000, 100, false])
    tasks.steps(long(3), () => void log.push("short"))
    assert.strictEqual(log.at(-1), "short")
  })

  it("handles many items in slices, one in each turn, and then calls what follows", () => {
    const done: Array<number> = []
    tasks.slices(Array.from({ length: 1000 }, (_, i) => i), (i) => void done.push(i), () => void log.push("then"))
    run(1)
    assert.strictEqual(done.length, 64)
    assert.deepStrictEqual(log, [])
    run()
    assert.strictEqual(new Set(done).size, 1000)
    assert.deepStrictEqual(log, ["then"])
  })

  it("waits for none of a thousand connections that never stop: the relay ends in time beside them", () => {
    for (let i = 0; i < 1000; i++) {
      const goOn = (): void => {
        turn.cost += 1_000_000
        turn.continues({ goOn }, 0, "much")
      }
      turn.continues({ goOn }, 0, "much")
    }
    tasks.slices(Array.from({ length: 1000 }, (_, i) => i), () => {}, () => void log.push("then"))
    run(50)
    assert.deepStrictEqual(log, ["then"])
  })

  it("does the rest if one item or step throws, and what follows", () => {
    const done: Array<number> = []
    const each = (i: number): void => {
      if (i % 50 === 7) throw new Error("a defect")
      done.push(i)
    }
    const defects = (): number => {
      let thrown = 0
      while (deferred.length > 0) {
        try {
          run()
        } catch {
          thrown++
        }
      }
      return thrown
    }
    tasks.slices(Array.from({ length: 100 }, (_, i) => i), each, () => void log.push("items"))
    assert.strictEqual(defects(), 2)
    assert.deepStrictEqual([done.length, log], [98, ["items"]])
    const throws = function*(at: number): Generator<void> {
      for (let i = 0; i < at; i++) yield
      throw new Error("a defect")
    }
    assert.throws(() => tasks.steps(throws(3), () => void log.push("few steps")))
    tasks.steps(throws(100), () => void log.push("steps"))
    assert.isTrue(tasks.isStepping)
    assert.strictEqual(defects(), 1)
    assert.deepStrictEqual(log, ["items", "few steps", "steps"])
    assert.isFalse(tasks.isStepping)
  })
})
