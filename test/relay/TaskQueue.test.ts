import { assert, beforeEach, describe, it } from "vitest"
import { LongTasks } from "../../src/relay/LongTasks.ts"
import { TaskQueue } from "../../src/relay/TaskQueue.ts"
import { Turn } from "../../src/relay/Turn.ts"

describe("TaskQueue", () => {
  let deferred: Array<() => void>
  let queue: TaskQueue
  const log: Array<string> = []
  const run = (): void => {
    while (deferred.length > 0) deferred.shift()!()
  }
  const task = function*(name: string, steps: number): Generator<void> {
    for (let i = 0; i < steps; i++) {
      log.push(name)
      yield
    }
  }

  beforeEach(() => {
    log.length = 0
    deferred = []
    const turn = new Turn(() => 0, (one) => void deferred.push(one), 1_000_000)
    queue = new TaskQueue(new LongTasks(turn), () => void log.push("all done"))
  })

  it("takes no more steps in a turn for a thousand tasks than for one, in their order, and then calls what follows once", () => {
    const steps = Array.from({ length: 1000 }, (_, i) => Array<string>(i === 0 ? 100 : 2).fill(String(i))).flat()
    queue.add(task("0", 100))
    for (let i = 1; i < 1000; i++) queue.add(task(String(i), 2))
    assert.lengthOf(log, 64)
    run()
    assert.deepStrictEqual(log.splice(0), [...steps, "all done"])
    queue.add(task("later", 1))
    assert.deepStrictEqual(log, ["later", "all done"])
  })

  it("goes on with the next task that is added if one throws, which is a defect", () => {
    queue.add(task("first", 100))
    queue.add((function*(): Generator<void> {
      throw new Error("a defect")
    })())
    queue.add(task("behind", 1))
    assert.throws(run, "a defect")
    run()
    queue.add(task("next", 1))
    run()
    assert.deepStrictEqual(log.filter((name) => name !== "first"), ["all done", "behind", "next", "all done"])
  })
})
