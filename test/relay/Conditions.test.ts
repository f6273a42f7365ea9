import { assert, describe, it } from "vitest"
import { Conditions } from "../../src/relay/Conditions.ts"
import { Turn } from "../../src/relay/Turn.ts"

/** The turns pass when `pass` is called. */
const make = () => {
  const tasks: Array<() => void> = []
  const conditions = new Conditions(new Turn(() => 0, (task) => void tasks.push(task), 1000))
  return {
    conditions,
    pass: () => {
      while (tasks.length > 0) tasks.shift()!()
    }
  }
}

describe("Conditions", () => {
  it("are checked once in a turn, however much has ended in it, and not at all if nothing waits", () => {
    const { conditions, pass } = make()
    let checks = 0
    let left = 2
    let ended = 0
    conditions.check()
    pass()
    conditions.until(() => {
      checks++
      return left === 0
    }, () => ended++)
    assert.isTrue(conditions.any)
    pass()
    assert.deepStrictEqual([checks, ended], [1, 0])
    left = 1
    for (let i = 0; i < 100; i++) conditions.check()
    pass()
    assert.deepStrictEqual([checks, ended], [2, 0])
    left = 0
    conditions.check()
    assert.strictEqual(ended, 0)
    pass()
    assert.deepStrictEqual([checks, ended, conditions.any], [3, 1, false])
    conditions.check()
    pass()
    assert.strictEqual(checks, 3)
  })

  it("call back for each of several waits, but not for a cancelled one", () => {
    const { conditions, pass } = make()
    const ended: Array<string> = []
    let over = false
    conditions.until(() => over, () => ended.push("one"))
    const giveUp = conditions.until(() => over, () => ended.push("two"))
    conditions.until(() => over, () => ended.push("three"))
    giveUp()
    assert.isTrue(conditions.any)
    over = true
    conditions.check()
    pass()
    assert.deepStrictEqual(ended, ["one", "three"])
    assert.isFalse(conditions.any)
  })

  it("may be waited for again in the callback", () => {
    const { conditions, pass } = make()
    let rounds = 0
    const again = (): void => {
      if (++rounds < 3) conditions.until(() => true, again)
    }
    conditions.until(() => true, again)
    pass()
    assert.deepStrictEqual([rounds, conditions.any], [3, false])
  })
})
