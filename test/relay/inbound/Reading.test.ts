import { assert, it } from "@effect/vitest"
import { Kind } from "../../../src/protocol/Head.ts"
import { zeroCounters } from "../../../src/relay/Counters.ts"
import { HopSessions } from "../../../src/relay/HopSessions.ts"
import { Reading, type ReadingOwner } from "../../../src/relay/inbound/Reading.ts"
import type { Others } from "../../../src/relay/inbound/Sharing.ts"
import { defaultRelayLimits, limitsWith } from "../../../src/relay/Limits.ts"
import type { Outbox } from "../../../src/relay/outbound/Outbox.ts"
import type { WaitingFlow } from "../../../src/relay/route/FlowControl.ts"
import { HoldBudget } from "../../../src/relay/route/HoldBudget.ts"
import { HopRoutes } from "../../../src/relay/route/HopRoutes.ts"
import type { Pace } from "../../../src/relay/route/Pace.ts"
import type { Session } from "../../../src/relay/Session.ts"
import type { Shared } from "../../../src/relay/Shared.ts"
import { Timers } from "../../../src/relay/Timers.ts"
import type { Connection } from "../../../src/transport/Connection.ts"

const ownerWith = (routes: Others, outbox: Partial<Outbox> = {}): ReadingOwner => ({
  outbound: { load: { share: (limit) => limit }, outbox: outbox as Outbox, transactions: { isAwaited: false } },
  routes,
  sessions: new HopSessions(),
  held() {}
})
const make = () => {
  const turn = { now: 1000 }
  return { turn, reading: new Reading({ turn } as Shared, ownerWith(new HopRoutes())) }
}
const limited = () => {
  const turn = { now: 1000 }
  const timers = new Timers(() => turn.now, () => {})
  const limits = limitsWith(timers, defaultRelayLimits)
  const counters = zeroCounters()
  const reading = new Reading({ counters, limits, turn } as unknown as Shared, ownerWith(new HopRoutes()))
  return { counters, limits, reading, timers, turn }
}
const route = (only?: Kind) => ({ fromRelay: false, only, sessions: [] })

it("R4976-6.4.1-13: a connection is behind while it is held and until it has read what arrived meanwhile, but not in a pause for others", () => {
  const { reading, turn } = make()
  assert.isFalse(reading.isBehind)
  reading.hold()
  turn.now += 60_000
  assert.isTrue(reading.isBehind)
  reading.release()
  turn.now += 1999
  assert.isTrue(reading.isBehind)
  turn.now++
  assert.isFalse(reading.isBehind)
  reading.stop()
  assert.isFalse(reading.isBehind)
  reading.go()
  assert.isFalse(reading.isBehind)
})

it("R4976-9.3-05: a shared connection is held for a user for a minute at most, and keeps no timer after its end", () => {
  const turn = { now: 1000 }
  const timers = new Timers(() => turn.now, () => {})
  const limits = limitsWith(timers, defaultRelayLimits)
  const others = { any: false, anyWithout: () => others.any, onMore: () => {} }
  const reading = new Reading({ turn, limits } as Shared, ownerWith(others))
  const wait = (millis: number) => {
    turn.now += millis
    timers.expire()
  }
  reading.connected({ pause: () => {}, resume: () => {} } as Connection)
  reading.uses(route(), undefined)
  reading.holdFor({})
  wait(60_000)
  assert.isFalse(reading.sharing.severalSessions)
  others.any = true
  wait(59_999)
  assert.isFalse(reading.sharing.severalSessions)
  wait(1)
  assert.isTrue(reading.sharing.severalSessions)
  wait(2000)
  assert.isFalse(reading.isBehind)
  assert.strictEqual(timers.running, 0)
  const user = {}
  reading.holdFor(user)
  reading.close()
  assert.strictEqual(timers.running, 0)
  reading.releaseFor(user)
  reading.holdFor(user)
  assert.strictEqual(timers.running, 0)
})

it("R4976-9.3-05: a held connection is not searched for others because of one more route of the session that it is held for", () => {
  const turn = { now: 1000 }
  const limits = limitsWith(new Timers(() => turn.now, () => {}), defaultRelayLimits)
  let searches = 0
  const others: Others = {
    anyWithout: () => {
      searches++
      return false
    },
    onMore: () => {}
  }
  const reading = new Reading({ turn, limits, counters: { held: 0 } } as unknown as Shared, ownerWith(others))
  const [used, other] = [[{} as Session], [{} as Session]]
  reading.uses({ ...route(), sessions: used }, undefined)
  reading.flows.full(
    { failing: false, user: { holdBudget: new HoldBudget() }, isSilent: () => false } as unknown as WaitingFlow
  )
  const before = searches
  assert.isAbove(before, 0)
  for (let i = 0; i < 10; i++) others.onMore(used)
  assert.strictEqual(searches, before)
  others.onMore(other)
  assert.isAbove(searches, before)
})

it("is held for each user once, and keeps no timer when it is held for none any more", () => {
  const turn = { now: 1000 }
  const timers = new Timers(() => turn.now, () => {})
  const limits = limitsWith(timers, defaultRelayLimits)
  const reading = new Reading({ turn, limits } as Shared, ownerWith(new HopRoutes()))
  reading.connected({ pause: () => {}, resume: () => {} } as Connection)
  const [one, other] = [{}, {}]
  assert.deepStrictEqual([one, one, other].map((user) => reading.holdFor(user)), [true, false, true])
  reading.releaseFor(one)
  reading.releaseFor(one)
  assert.deepStrictEqual([reading.unread, timers.running], [true, 1])
  reading.releaseFor(other)
  assert.deepStrictEqual([reading.unread, timers.running], [false, 0])
})

it("goes on when the last reason against it has ended, first with what was read and then with what the transport has", () => {
  const { reading } = make()
  const log: Array<string> = []
  const note = (what: string) => () => void log.push(what)
  reading.connected({ pause: note("pause"), resume: note("resume"), deliver: note("deliver") } as unknown as Connection)
  reading.onGo = note("what was read")
  reading.stop()
  reading.stop()
  reading.hold()
  reading.go()
  assert.deepStrictEqual([log.splice(0), reading.mayGoOn], [["pause"], false])
  reading.go()
  assert.deepStrictEqual([log.splice(0), reading.mayGoOn], [["what was read"], true])
  reading.release()
  assert.deepStrictEqual(log.splice(0), ["resume"])
  reading.stop()
  reading.go()
  assert.deepStrictEqual(log, ["pause", "what was read", "resume", "deliver"])
})

it("R4976-9.3-06: is not read while its peer leaves too many answers unread, of which another relay may leave more, until it has taken half", () => {
  const turn = { now: 1000 }
  const limits = limitsWith(new Timers(() => turn.now, () => {}), defaultRelayLimits)
  for (const fromRelay of [false, true]) {
    const outbox = { open: true, waitingOctets: 0 }
    const reading = new Reading({ turn, limits } as Shared, ownerWith(new HopRoutes(), outbox))
    const most = fromRelay ? limits.relay : limits.responses
    // The route of an AUTH tells it, too.
    reading.uses({ ...route(Kind.Auth), fromRelay }, undefined)
    const waits = (octets: number): boolean => {
      outbox.waitingOctets = octets
      reading.answered()
      reading.moved()
      return reading.readsNoAnswers
    }
    assert.deepStrictEqual([most, most + 1, most / 2 + 1, most / 2].map(waits), [false, true, true, false])
    waits(most + 1)
    // Its own receivers do not wait for it because of that.
    assert.isFalse(reading.unread)
    outbox.open = false
    assert.isFalse(waits(most + 1))
    reading.answered()
    assert.isFalse(reading.readsNoAnswers, "nothing is written any more")
  }
})

it("is held for what waits once in a row, and is shared anew once a minute: each of both may concern thousands", () => {
  const { reading } = make()
  let joined = 0
  reading.flows.othersJoin = () => void joined++
  for (const one of [route(), route(), route(), route()]) reading.uses(one, undefined)
  assert.strictEqual(joined, 1)
  let held = 0
  const other = new Reading({ turn: { now: 0 } } as Shared, { ...ownerWith(new HopRoutes()), held: () => void held++ })
  other.hold()
  other.hold()
  assert.strictEqual(held, 1)
})

it("answers late what comes from another relay, or on a shared connection, once a quarter of what may wait does", () => {
  const { limits, reading } = limited()
  const late = (fromRelay: boolean, octets: number) =>
    reading.answersLate({ fromRelay, octets, user: { share: (limit: number) => limit } } as unknown as WaitingFlow)
  const quarter = limits.session / 4
  assert.deepStrictEqual([late(true, quarter), late(true, quarter + 1), late(false, quarter + 1)], [false, true, false])
  reading.uses(route(), undefined)
  reading.uses(route(), undefined)
  assert.isTrue(late(false, quarter + 1))
})

it("is not read until the slowest of its sessions may go on, and then at once when it leaves", () => {
  const { counters, reading, timers, turn } = limited()
  const spend = (until: number): void => reading.slowdown.spend({ spend: () => until } as unknown as Pace, 1, 1)
  const goesOnAt = (): number => {
    while (!reading.mayGoOn) {
      turn.now += 100
      timers.expire()
    }
    return turn.now
  }
  spend(3000)
  spend(2000)
  assert.strictEqual(goesOnAt(), 3000)
  spend(3000)
  assert.isTrue(reading.mayGoOn)
  spend(5000)
  spend(6000)
  reading.slowdown.end()
  assert.isTrue(reading.mayGoOn)
  spend(9000)
  assert.deepStrictEqual([reading.mayGoOn, timers.running, counters.paced], [true, 0, 2])
})
