import { assert, describe, it } from "vitest"
import { FairQueue, type Sender } from "../../../src/relay/outbound/FairQueue.ts"

const sender = (source: object, session: object = {}): Sender => ({
  source,
  session,
  give: () => false,
  fails: () => []
})

/** The connection, or session, of many. */
const common = {}

describe("FairQueue", () => {
  for (
    const [what, others] of [
      ["connections", { source: {}, session: {} }],
      ["sessions of one connection", { source: undefined, session: {} }]
    ] as const
  ) {
    it(`go round the ${what} first, then round the senders of each`, () => {
      const queue = new FairQueue()
      const [source, session] = [{}, {}]
      const many = Array.from({ length: 700 }, () => sender(source, session))
      const alone = sender(others.source ?? source, others.session)
      for (const each of many) queue.add(each)
      queue.add(alone)
      const went: Array<Sender> = []
      for (let i = 0; i < 1400; i++) {
        const next = queue.next()
        went.push(next)
        queue.add(next)
      }
      assert.strictEqual(went.filter((each) => each === alone).length, 700)
      assert.isTrue(went.filter((each) => each !== alone).every((each, i) => each === many[i]))
    })
  }

  it("leave out a sender that was removed", () => {
    const queue = new FairQueue()
    const [a, b, c] = [sender({}), sender({}), sender({})]
    for (const each of [a, b, c]) queue.add(each)
    queue.remove(b)
    queue.remove(b)
    assert.deepStrictEqual([queue.next(), queue.next()], [a, c])
    assert.isTrue(queue.empty)
    queue.add(a)
    queue.add(b)
    assert.deepStrictEqual(queue.takeAll(), [a, b])
    assert.isTrue(queue.empty)
  })

  for (
    const [what, sessionOf] of [
      ["one session", () => common],
      ["as many sessions", () => ({})]
    ] as const
  ) {
    it(`take turns and are removed one by one, also a quarter of a million senders of ${what}`, () => {
      const queue = new FairQueue()
      const many = Array.from({ length: 250_000 }, () => sender(common, sessionOf()))
      for (const each of many) queue.add(each)
      // The order is not that in which they are removed.
      for (let i = 0; i < 1000; i++) queue.add(queue.next())
      for (const each of many) queue.remove(each)
      assert.isTrue(queue.empty)
    })
  }
})
