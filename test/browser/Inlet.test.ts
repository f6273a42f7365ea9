/** What waits for a page to be taken, and how much that may be. */
import { assert, describe, it } from "vitest"
import { Inlet } from "../../src/browser/Inlet.ts"

const entries = (count: number, received: number): Inlet<{ readonly received: number }> => {
  const inlet = new Inlet<{ readonly received: number }>()
  for (let i = 0; i < count; i++) inlet.put({ received })
  return inlet
}

describe("Inlet", () => {
  it("is full when 1000 messages wait, or 8 MiB", () => {
    assert.isFalse(entries(999, 1).isFull)
    assert.isTrue(entries(1000, 0).isFull)
    assert.isFalse(entries(8, 1_048_575).isFull)
    assert.isTrue(entries(8, 1_048_576).isFull)
  })

  it("is not full any more when one was taken, and has no room for what was taken before it came", async () => {
    const inlet = entries(1000, 7)
    const iterator = inlet[Symbol.asyncIterator]()
    await iterator.next()
    assert.deepStrictEqual([inlet.isFull, inlet.octets], [false, 999 * 7])

    const empty = entries(0, 0)
    const next = empty[Symbol.asyncIterator]().next()
    empty.put({ received: 8_388_608 })
    assert.deepStrictEqual([(await next).value?.received, empty.octets], [8_388_608, 0])
  })

  it("gives each entry to one reader, in order, and to leave one takes nothing from the others", async () => {
    const inlet = new Inlet<{ readonly received: number }>()
    const [left, stays] = [inlet[Symbol.asyncIterator](), inlet[Symbol.asyncIterator]()]
    for (let received = 1; received <= 3; received++) inlet.put({ received })
    assert.strictEqual((await left.next()).value?.received, 1)
    await left.return!()
    assert.isTrue((await left.next()).done)
    assert.strictEqual((await stays.next()).value?.received, 2)
    assert.strictEqual((await stays.next()).value?.received, 3)
    const waiting = stays.next()
    assert.deepStrictEqual(inlet.end(), [])
    assert.isTrue((await waiting).done)
    inlet.put({ received: 4 })
    assert.isTrue((await stays.next()).done)
  })

  it("counts what has come by now of what is still coming", () => {
    const inlet = new Inlet<{ received: number }>()
    const coming = { received: 0 }
    inlet.put(coming)
    coming.received = 8 * 1024 ** 2 - 1
    assert.isFalse(inlet.isFull)
    inlet.put({ received: 1 })
    assert.isTrue(inlet.isFull)
  })

  it("gives back what nobody took when it ends", () => {
    assert.lengthOf(entries(3, 1).end(), 3)
  })
})
