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

describe("what is waited for", () => {
  it("is looked at once in a turn, however much has ended in it, and never without anybody who waits", () => {
    const { conditions, pass } = make()
    let looks = 0
    let left = 2
    let ended = 0
    conditions.check()
    pass()
    conditions.until(() => {
      looks++
      return left === 0
    }, () => ended++)
    assert.isTrue(conditions.any)
    pass()
    assert.deepStrictEqual([looks, ended], [1, 0])
    left = 1
    for (let i = 0; i < 100; i++) conditions.check()
    pass()
    assert.deepStrictEqual([looks, ended], [2, 0])
    left = 0
    conditions.check()
    assert.strictEqual(ended, 0)
    pass()
    assert.deepStrictEqual([looks, ended, conditions.any], [3, 1, false])
    conditions.check()
    pass()
    assert.strictEqual(looks, 3)
  })

  it("is told to each of several, and not to who has given up", () => {
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

  it("may be waited for again by who is told", () => {
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
