import { assert, describe, it } from "vitest"
import { type Sender, Turns } from "../../../src/relay/outbound/Turns.ts"

const sender = (source: object, session: object = {}): Sender => ({
  source,
  session,
  give: () => false,
  fails: () => []
})

describe("Turns", () => {
  for (
    const [what, others] of [
      ["connections", { source: {}, session: {} }],
      ["sessions of one connection", { source: undefined, session: {} }]
    ] as const
  ) {
    it(`go round the ${what} first, then round the senders of each`, () => {
      const turns = new Turns()
      const [source, session] = [{}, {}]
      const many = Array.from({ length: 700 }, () => sender(source, session))
      const alone = sender(others.source ?? source, others.session)
      for (const each of many) turns.add(each)
      turns.add(alone)
      const went: Array<Sender> = []
      for (let i = 0; i < 1400; i++) {
        const next = turns.next()
        went.push(next)
        turns.add(next)
      }
      assert.strictEqual(went.filter((each) => each === alone).length, 700)
      assert.isTrue(went.filter((each) => each !== alone).every((each, i) => each === many[i]))
    })
  }

  it("leave out who is removed", () => {
    const turns = new Turns()
    const [a, b, c] = [sender({}), sender({}), sender({})]
    for (const each of [a, b, c]) turns.add(each)
    turns.remove(b)
    turns.remove(b)
    assert.deepStrictEqual([turns.next(), turns.next()], [a, c])
    assert.isTrue(turns.empty)
    turns.add(a)
    turns.add(b)
    assert.deepStrictEqual(turns.takeAll(), [a, b])
    assert.isTrue(turns.empty)
  })
})
