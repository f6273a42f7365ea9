import { assert, describe, it } from "vitest"
import { Conditions } from "../../src/relay/Conditions.ts"
import { Turn } from "../../src/relay/Turn.ts"

/** The turns pass when `pass` is called. */
const make = () => {
  const tasks: Array<() => void> = []
  const awaited = new Conditions(new Turn(() => 0, (task) => void tasks.push(task), 1000))
  return {
    awaited,
    pass: () => {
      while (tasks.length > 0) tasks.shift()!()
    }
  }
}

describe("what is waited for", () => {
  it("is looked at once in a turn, however much has ended in it, and never without anybody who waits", () => {
    const { awaited, pass } = make()
    let looks = 0
    let left = 2
    let ended = 0
    awaited.look()
    pass()
    awaited.until(() => {
      looks++
      return left === 0
    }, () => ended++)
    assert.isTrue(awaited.any)
    pass()
    assert.deepStrictEqual([looks, ended], [1, 0])
    left = 1
    for (let i = 0; i < 100; i++) awaited.look()
    pass()
    assert.deepStrictEqual([looks, ended], [2, 0])
    left = 0
    awaited.look()
    assert.strictEqual(ended, 0)
    pass()
    assert.deepStrictEqual([looks, ended, awaited.any], [3, 1, false])
    awaited.look()
    pass()
    assert.strictEqual(looks, 3)
  })

  it("is told to each of several, and not to who has given up", () => {
    const { awaited, pass } = make()
    const ended: Array<string> = []
    let over = false
    awaited.until(() => over, () => ended.push("one"))
    const giveUp = awaited.until(() => over, () => ended.push("two"))
    awaited.until(() => over, () => ended.push("three"))
    giveUp()
    assert.isTrue(awaited.any)
    over = true
    awaited.look()
    pass()
    assert.deepStrictEqual(ended, ["one", "three"])
    assert.isFalse(awaited.any)
  })

  it("may be waited for again by who is told", () => {
    const { awaited, pass } = make()
    let rounds = 0
    const again = (): void => {
      if (++rounds < 3) awaited.until(() => true, again)
    }
    awaited.until(() => true, again)
    pass()
    assert.deepStrictEqual([rounds, awaited.any], [3, false])
  })
})
