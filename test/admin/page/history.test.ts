import { assert, describe, it } from "vitest"
import { History, rangeOf } from "../../../src/admin/page/history.ts"
import type { StatusSample, StatusSamples } from "../../../src/admin/status/Shapes.ts"

const sample = (time: number, sessions = time): StatusSample => ({
  time,
  sessions,
  connections: null,
  messagesIn: null,
  messagesOut: null,
  octetsIn: null,
  octetsOut: null,
  loopDelay: null,
  backendDelay: null
})

const samples = (...times: ReadonlyArray<number>): StatusSamples => {
  const none = times.map(() => null)
  return {
    time: times,
    sessions: times,
    connections: none,
    messagesIn: none,
    messagesOut: none,
    octetsIn: none,
    octetsOut: none,
    loopDelay: none,
    backendDelay: none
  }
}

describe("the history that the charts show", () => {
  it("is as wide as what there is, from two minutes to the whole window", () => {
    assert.deepStrictEqual(rangeOf([], 900), [-120, 0])
    assert.deepStrictEqual(rangeOf([5000, 5010], 900), [4890, 5010])
    assert.deepStrictEqual(rangeOf([5000, 5300], 900), [5000, 5300])
    assert.deepStrictEqual(rangeOf([5000, 6300], 900), [5400, 6300])
  })

  it("is the server's, then what has come since, without what is too old", () => {
    const history = new History()
    history.begin(samples(2000, 4000))
    history.add(sample(4000, 99), 10_000)
    history.add(sample(6000), 10_000)
    assert.deepStrictEqual(history.columns(["sessions"], 2000), [[2, 4, 6], [2000, 4000, 6000]])
    history.add(sample(13_000), 10_000)
    assert.deepStrictEqual(history.columns(["sessions"], 2000), [[4, 6, 13], [4000, 6000, 13_000]])
  })

  it("has after a loss of the connection what the server knows, and a gap where nobody knows", () => {
    const history = new History()
    history.begin(samples(2000))
    history.begin(samples(2000, 4000, 6000))
    assert.deepStrictEqual(history.columns(["sessions", "loopDelay"], 2000), [
      [2, 4, 6],
      [2000, 4000, 6000],
      [null, null, null]
    ])
    history.add(sample(20_000), 100_000)
    assert.deepStrictEqual(history.columns(["sessions"], 2000), [[2, 4, 6, 8, 20], [2000, 4000, 6000, null, 20_000]])
  })

  it("of a relay that was started anew is that of the new one", () => {
    const history = new History()
    history.begin(samples(2000, 4000))
    history.begin(samples(50_000))
    assert.deepStrictEqual(history.columns(["sessions"], 2000), [[50], [50_000]])
  })
})
