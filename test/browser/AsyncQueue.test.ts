/** What waits for a page to be taken, and how much that may be. */
import { assert, describe, it } from "vitest"
import { AsyncQueue } from "../../src/browser/AsyncQueue.ts"

const entries = (count: number, received: number): AsyncQueue<{ readonly received: number }> => {
  const queue = new AsyncQueue<{ readonly received: number }>()
  for (let i = 0; i < count; i++) queue.put({ received })
  return queue
}

describe("AsyncQueue", () => {
  it("is full when 1000 messages wait, or 8 MiB", () => {
    assert.isFalse(entries(999, 1).isFull)
    assert.isTrue(entries(1000, 0).isFull)
    assert.isFalse(entries(8, 1_048_575).isFull)
    assert.isTrue(entries(8, 1_048_576).isFull)
  })

  it("is not full any more when one was taken, and has no room for what was taken before it came", async () => {
    const queue = entries(1000, 7)
    const iterator = queue[Symbol.asyncIterator]()
    await iterator.next()
    assert.deepStrictEqual([queue.isFull, queue.octets], [false, 999 * 7])

    const empty = entries(0, 0)
    const next = empty[Symbol.asyncIterator]().next()
    empty.put({ received: 8_388_608 })
    assert.deepStrictEqual([(await next).value?.received, empty.octets], [8_388_608, 0])
  })

  it("gives each entry to one reader, in order, and to leave one takes nothing from the others", async () => {
    const queue = new AsyncQueue<{ readonly received: number }>()
    const [left, stays] = [queue[Symbol.asyncIterator](), queue[Symbol.asyncIterator]()]
    for (let received = 1; received <= 3; received++) queue.put({ received })
    assert.strictEqual((await left.next()).value?.received, 1)
    await left.return!()
    assert.isTrue((await left.next()).done)
    assert.strictEqual((await stays.next()).value?.received, 2)
    assert.strictEqual((await stays.next()).value?.received, 3)
    const waiting = stays.next()
    assert.deepStrictEqual(queue.end(), [])
    assert.isTrue((await waiting).done)
    queue.put({ received: 4 })
    assert.isTrue((await stays.next()).done)
  })

  it("counts what has come by now of what is still coming", () => {
    const queue = new AsyncQueue<{ received: number }>()
    const coming = { received: 0 }
    queue.put(coming)
    coming.received = 8 * 1024 ** 2 - 1
    assert.isFalse(queue.isFull)
    queue.put({ received: 1 })
    assert.isTrue(queue.isFull)
  })

  it("gives back what nobody took when it ends", () => {
    assert.lengthOf(entries(3, 1).end(), 3)
  })
})
