/** Which requests may be answered, and since when. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Conditions } from "../../../src/relay/Conditions.ts"
import { zeroCounters } from "../../../src/relay/Counters.ts"
import { defaultRelayLimits, limitsWith } from "../../../src/relay/Limits.ts"
import { CLOSED } from "../../../src/relay/Loss.ts"
import type { Expectation } from "../../../src/relay/outbound/Expectation.ts"
import type { Origin } from "../../../src/relay/outbound/Origin.ts"
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

  it("fails them in the order in which they end, and last the one that is still being written", () => {
    const ids = Array.from({ length: 40 }, (_, i) => `id${i}`)
    const written = request("written", 0)
    transactions.forget(written)
    transactions.began(written)
    written.endsAt = 0
    for (const id of ids) request(id, 10)
    assert.strictEqual([...transactions.lost(0, CLOSED)].length, 41)
    assert.deepStrictEqual(told, [...ids, "written"].map((id) => `${id} 408`))
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
