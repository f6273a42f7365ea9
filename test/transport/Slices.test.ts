import { assert, describe, it } from "vitest"
import { makeSlices } from "../../src/transport/Slices.ts"

describe("makeSlices", () => {
  it("runs tasks in their order, some in each turn, also those that come meanwhile", () => {
    let turns: Array<() => void> = []
    const later = makeSlices((task) => void turns.push(task))
    const turn = (): void => {
      const tasks = turns
      turns = []
      assert.isAtMost(tasks.length, 1, "it is deferred once")
      for (const task of tasks) task()
    }
    const done: Array<number> = []
    for (let i = 0; i < 40; i++) {
      later(() => {
        done.push(i)
        if (i === 0) later(() => void done.push(40))
      })
    }
    assert.deepStrictEqual(done, [])
    turn()
    assert.strictEqual(done.length, 16)
    for (let i = 0; i < 5; i++) turn()
    assert.deepStrictEqual(done, Array.from({ length: 41 }, (_, i) => i))
    later(() => void done.push(41))
    turn()
    assert.strictEqual(done.at(-1), 41)
  })

  it("runs one in each turn while many wait for something else", () => {
    const turns: Array<() => void> = []
    let busy = true
    const later = makeSlices((task) => void turns.push(task), () => busy)
    let done = 0
    for (let i = 0; i < 40; i++) later(() => void done++)
    turns.shift()!()
    turns.shift()!()
    assert.strictEqual(done, 2)
    busy = false
    turns.shift()!()
    assert.strictEqual(done, 18)
  })
})
