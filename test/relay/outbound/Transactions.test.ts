/** Which requests may be answered, and since when. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Conditions } from "../../../src/relay/Conditions.ts"
import { zeroCounters } from "../../../src/relay/Counters.ts"
import { defaultRelayLimits, limitsWith } from "../../../src/relay/Limits.ts"
import { CLOSED } from "../../../src/relay/Loss.ts"
import type { Expectation } from "../../../src/relay/outbound/Expectation.ts"
import { NO_ORIGIN, type Origin } from "../../../src/relay/outbound/Origin.ts"
import { Transaction } from "../../../src/relay/outbound/Transaction.ts"
import { Transactions } from "../../../src/relay/outbound/Transactions.ts"
import { Timers } from "../../../src/relay/Timers.ts"
import { Totals } from "../../../src/relay/Totals.ts"
import { Turn } from "../../../src/relay/Turn.ts"

describe("Transactions", () => {
  let now: number
  let timers: Timers
  let turn: Turn
  let totals: Totals
  let outbox: { committed: number }
  let transactions: Transactions
  let told: Array<string>

  beforeEach(() => {
    now = 0
    told = []
    timers = new Timers(() => now, () => {})
    totals = new Totals()
    outbox = { committed: 0 }
    turn = new Turn(() => now, () => {}, defaultRelayLimits.turn)
    const limits = limitsWith(timers, defaultRelayLimits)
    const shared = { conditions: new Conditions(turn), counters: zeroCounters(), limits, totals, turn }
    transactions = new Transactions({ shared, outbox, isBehind: false })
  })

  /** So many octets of it are put in. */
  const request = (id: string, octets: number, expects: Expectation = "every failure"): Transaction => {
    const origin = {
      isThere: true,
      began: () => {},
      silent: () => {},
      ended: () => {},
      report: (_, { status }) => void told.push(`${id} ${status}`)
    } as Pick<Origin, "isThere" | "began" | "silent" | "ended" | "report"> as Origin
    const one = new Transaction(transactions, id, origin, expects)
    outbox.committed += octets
    transactions.expect(one)
    return one
  }
  const find = (id: string): Transaction | undefined => transactions.find(Buffer.from(id), 0, id.length)
  const tick = (millis: number): void => {
    now += millis
    turn.tick()
    timers.expire()
  }

  it("R4976-6.4.1-50: its time begins when the system has taken its last octet", () => {
    request("a", 100)
    request("b", 100)
    tick(60_000)
    transactions.sent(199)
    tick(29_999)
    assert.deepStrictEqual(told, [])
    tick(1)
    assert.deepStrictEqual(told.splice(0), ["a 408"])
    tick(60_000)
    transactions.sent(200)
    tick(30_000)
    assert.deepStrictEqual(told, ["b 408"])
    assert.strictEqual(totals.transactions, 0)
  })

  it("R4976-6.4.1-19: a request that wants only errors is not lost if the system has taken all of it", () => {
    request("taken", 100, "negative answers")
    request("not", 100, "negative answers")
    request("all", 100)
    transactions.sent(199)
    assert.strictEqual([...transactions.lost(199, CLOSED)].length, 3)
    assert.deepStrictEqual(told, ["not 408", "all 408"])
    assert.strictEqual(totals.transactions, 0)
  })

  it("fails them in the order in which they began, and looks at one in each step", () => {
    const ids = Array.from({ length: 40 }, (_, i) => `id${i}`)
    let looks = 0
    for (const id of ids) {
      const one = request(id, 10)
      const { endsAt } = one
      Object.defineProperty(one, "endsAt", { get: () => (looks++, endsAt) })
    }
    request("gone", 10).finish()
    transactions.began(new Transaction(transactions, "written", NO_ORIGIN, "every failure"))
    const steps = transactions.lost(0, CLOSED)[Symbol.iterator]()
    steps.next()
    assert.deepStrictEqual(told, ["id0 408"])
    assert.isBelow(looks, 4)
    let count = 1
    while (steps.next().done !== true) count++
    assert.strictEqual(count, 41)
    assert.deepStrictEqual(told, ids.map((id) => `${id} 408`))
    assert.strictEqual(totals.transactions, 0)
  })

  it("times what is written behind a request that was answered before it was sent, and no chunk before its end", () => {
    const first = request("first", 10)
    const second = request("second", 10)
    first.finish()
    const chunk = new Transaction(transactions, "chunk", NO_ORIGIN, "every failure")
    transactions.began(chunk)
    transactions.sent(20)
    assert.isTrue(second.isRunning)
    transactions.sent(Infinity)
    assert.isFalse(chunk.isRunning)
    outbox.committed = 30
    transactions.ended(chunk)
    transactions.sent(29)
    assert.isFalse(chunk.isRunning)
    transactions.sent(30)
    assert.isTrue(chunk.isRunning)
    assert.strictEqual(timers.running, 2)
  })

  it("has each of thousands timed once that wait behind one another", () => {
    const all = Array.from({ length: 5000 }, (_, i) => request(`${i}`, 1))
    for (let octets = 0; octets <= 5000; octets += 700) transactions.sent(octets)
    assert.strictEqual(timers.running, 4900)
    all[4950]!.finish()
    transactions.sent(5000)
    assert.strictEqual(timers.running, 4999)
    request("next", 1)
    transactions.sent(5001)
    assert.strictEqual(timers.running, 5000)
    assert.isUndefined(find("4950"))
    assert.strictEqual(find("4900"), all[4900])
  })
})
