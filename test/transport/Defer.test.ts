import { assert, describe, it } from "vitest"
import { AGAIN, makeDefer, MOST, READ } from "../../src/transport/Defer.ts"

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

  it("runs each task once, however many turns there are, and what it asks for in the next one", async () => {
    const defer = makeDefer(never)
    const done: Array<number> = []
    const chain = (left: number) => (): void => {
      done.push(left)
      if (left > 0) defer(chain(left - 1))
    }
    defer(chain(4))
    for (let left = 4; left >= 0; left--) {
      await turn()
      assert.deepStrictEqual(done, [4, 3, 2, 1, 0].slice(0, 5 - left))
    }
    await turn()
    assert.strictEqual(done.length, 5)
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

  it("runs those of the next tick once, in order, in spite of one that throws, before other tasks, and what they ask for after that", async () => {
    const failures: Array<unknown> = []
    const defer = makeDefer((error) => void failures.push(error))
    const done: Array<string> = []
    defer(() => void done.push("turn"))
    defer.nextTick(() => {
      done.push("first")
      defer.nextTick(() => void done.push("third"))
    })
    defer.nextTick(() => {
      throw new Error("a task")
    })
    defer.nextTick(() => void done.push("second"))
    assert.deepStrictEqual(done, [])
    await turn()
    assert.deepStrictEqual([done, failures.length], [["first", "second", "third", "turn"], 1])
    defer.nextTick(() => void done.push("later"))
    await tick()
    assert.strictEqual(done.at(-1), "later")
    assert.strictEqual(done.length, 5)
  })

  it("runs tasks between reads when there are very many, before the event loop gets to its next turn", async () => {
    const defer = makeDefer(never)
    let ran = false
    let turned = false
    setImmediate(() => void (turned = true))
    defer(() => void (ran = true))
    for (let i = 1; i < MOST / READ; i++) defer.read(0, true)
    await tick()
    assert.isFalse(ran)
    defer.read(0, true)
    await tick()
    assert.isTrue(ran)
    // And again after as many.
    ran = false
    defer(() => void (ran = true))
    for (let i = 1; i < MOST / READ; i++) defer.read(0, true)
    await tick()
    assert.isFalse(ran)
    defer.read(0, true)
    await tick()
    assert.isTrue(ran)
    assert.isFalse(turned)
  })

  it("tells when who is read should wait for another turn: after many reads, or many octets", async () => {
    const defer = makeDefer(never)
    for (let i = 1; i < MOST / READ; i++) assert.isFalse(defer.read(0, true))
    assert.isTrue(defer.read(0, true))
    // Nothing ends this poll, so it would go on with the others too.
    assert.isTrue(defer.read(0, false))
    let went = false
    defer.nextTurn(() => void (went = true))
    await tick()
    assert.isFalse(went)
    await turn()
    assert.isTrue(went)
    assert.isFalse(defer.read(MOST - 2 * READ, true))
    assert.isTrue(defer.read(0, true))
  })

  it("ends a poll that has had enough, once in each turn, and only who may be read again at once waits for the next", async () => {
    let ended = 0
    const defer = makeDefer(never, () => void ended++)
    for (let i = 1; i < MOST / READ; i++) assert.isFalse(defer.read(0, false))
    assert.strictEqual(ended, 0)
    assert.isFalse(defer.read(0, false))
    assert.strictEqual(ended, 1)
    assert.isTrue(defer.read(MOST, true))
    assert.isFalse(defer.read(0, false))
    assert.strictEqual(ended, 1)
    await turn()
    assert.isFalse(defer.read(MOST - READ, false))
    assert.strictEqual(ended, 2)
  })

  it("has so many read again in a turn who have waited, in their order", async () => {
    const defer = makeDefer(never)
    const went: Array<number> = []
    for (let i = 0; i < 2 * AGAIN + 1; i++) defer.nextTurn(() => void went.push(i))
    for (const all of [AGAIN, 2 * AGAIN, 2 * AGAIN + 1]) {
      await turn()
      assert.strictEqual(went.length, all)
    }
    assert.deepStrictEqual(went, Array.from(went, (_, i) => i))
  })
})
