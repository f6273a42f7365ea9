import { assert, describe, it } from "vitest"
import { makeDefer, MOST_READS, READS } from "../../src/transport/Defer.ts"

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const tick = () => new Promise<void>((resolve) => process.nextTick(resolve))
const never = (error: unknown): void => {
  throw error
}

describe("makeDefer", () => {
  it("runs tasks later, in their order, and what they ask for after that", async () => {
    const defer = makeDefer(never)
    const done: Array<string> = []
    defer(() => {
      done.push("first")
      defer(() => void done.push("third"))
    })
    defer(() => void done.push("second"))
    assert.deepStrictEqual(done, [])
    await turn()
    await turn()
    assert.deepStrictEqual(done, ["first", "second", "third"])
  })

  it("goes on after a task that threw", async () => {
    const failures: Array<unknown> = []
    const defer = makeDefer((error) => void failures.push(error))
    const done: Array<string> = []
    defer(() => {
      throw new Error("a task")
    })
    defer(() => void done.push("next"))
    await turn()
    assert.deepStrictEqual(done, ["next"])
    assert.strictEqual(failures.length, 1)
  })

  it("runs tasks between reads when there are very many, before the event loop gets to its next turn", async () => {
    const defer = makeDefer(never)
    let ran = false
    let turned = false
    setImmediate(() => void (turned = true))
    defer(() => void (ran = true))
    for (let i = 1; i < READS; i++) defer.read()
    await tick()
    assert.isFalse(ran)
    defer.read()
    await tick()
    assert.isTrue(ran)
    assert.isFalse(turned)
  })

  it("tells when who is read should wait for the next turn, in which all may be read again", async () => {
    const defer = makeDefer(never)
    for (let i = 0; i < MOST_READS; i++) assert.isFalse(defer.read())
    assert.isTrue(defer.read())
    let went = false
    defer.nextTurn(() => void (went = true))
    await tick()
    assert.isFalse(went)
    await turn()
    assert.isTrue(went)
    assert.isFalse(defer.read())
  })
})
