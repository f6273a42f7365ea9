/** The bound on what waits for the receivers of one user, on all connections. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { defaultRelayLimits, limitsWith } from "../../../src/relay/Limits.ts"
import { type CountedSource, Unanswered } from "../../../src/relay/route/Unanswered.ts"
import { MAX_WAITING_OF_USER, UserLoad } from "../../../src/relay/route/UserLoad.ts"
import { Timers } from "../../../src/relay/Timers.ts"
import {
  collect,
  type Frame,
  header,
  type Owner,
  type Peer,
  request,
  send,
  until,
  type World
} from "../../support/harness.ts"
import { pattern } from "../../support/Recorder.ts"
import { options } from "../../support/relays.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated()

/** So high that one connection reaches the bound of the user. */
const HIGH = 12_000_000
const body = pattern(60_000)
const limits = { session: HIGH, connection: HIGH }

interface Pair {
  readonly owner: Owner
  readonly bob: Peer
  readonly bobUri: string
}

const pairOf = Effect.fnUntraced(function*(world: World, username: string) {
  const owner = yield* world.login({ username })
  return { owner, ...(yield* world.join(owner)) }
})

/** Its owner sends until it is held, to a receiver that does not answer. Returns the octets that wait since. */
const fill = Effect.fnUntraced(function*(world: World, { bob, bobUri, owner }: Pair) {
  const before = world.relay.gauges().parkedOctets
  const kept: Array<Frame> = []
  bob.onFrame = (frame) => void kept.push(frame)
  for (let i = 0; i < HIGH; i += 60_000) {
    const message = { messageId: `fill.${i}`, range: "1-60000/60000", body }
    owner.peer.write(send({ to: `${owner.usePath} ${bobUri}`, from: owner.uri, ...message }))
  }
  yield* world.network!.settled
  return { kept, waiting: world.relay.gauges().parkedOctets - before }
})

scenario(
  "R4976-9.3-06: the more waits for the receivers of one user, the less may wait on each of the user's connections, and no other user has less",
  (world) =>
    Effect.gen(function*() {
      const [first, second, third] = [
        yield* pairOf(world, "alice"),
        yield* pairOf(world, "alice"),
        yield* pairOf(world, "alice")
      ]
      const other = yield* pairOf(world, "carol")
      const alone = yield* fill(world, first)
      assert.isAbove(alone.waiting, MAX_WAITING_OF_USER)
      const beside = yield* fill(world, second)
      assert.isBelow(beside.waiting, 0.6 * alone.waiting)
      const others = yield* fill(world, other)
      assert.isAtLeast(others.waiting, alone.waiting)
      // Who has nothing waiting is not held.
      const { bob, bobUri, owner } = third
      const heard = collect(bob)
      owner.peer.write(send({ to: `${owner.usePath} ${bobUri}`, from: owner.uri, messageId: "live", body: "hi" }))
      yield* world.network!.settled
      assert.deepStrictEqual(heard.map((frame) => header(frame, "Message-ID")), ["live"])
      // Those that are held go on when their receivers answer, and nothing fails.
      for (const [{ bob }, { kept }] of [[first, alone], [second, beside], [other, others]] as const) {
        bob.onFrame = (frame) => bob.answer(frame)
        for (const frame of kept) bob.answer(frame)
      }
      yield* until(() => world.relay.gauges().parkedOctets === 0, "all is sent")
      assert.strictEqual(world.relay.counters.lost, 0)
    }),
  { ...options, limits }
)

simulated({ ...options, limits: { ...limits, output: 20_000 } }, { window: 8192 })(
  "R4976-9.3-05: no connection is held for the few REPORTs that wait for a receiver which takes nothing, however much waits for its user elsewhere",
  (world) =>
    Effect.gen(function*() {
      const first = yield* pairOf(world, "alice")
      const { bob, bobUri, owner } = yield* pairOf(world, "alice")
      const { kept } = yield* fill(world, first)
      world.change({ limits: { ...limits, session: 20_000 } })
      bob.connection.pause()
      const to = `${owner.usePath} ${bobUri}`
      const report = { headers: ["Message-ID: 1", "Byte-Range: 1-1/1", "Status: 000 200 OK"] }
      for (let i = 0; i < 1000; i++) owner.peer.write(request("REPORT", { to, from: owner.uri, ...report }))
      // Both receivers are alive, and one answers.
      const alive = send({ to: `${owner.usePath} ${owner.uri}`, from: bobUri, body: "x" })
      for (let i = 0; i < 4; i++) {
        bob.write(alive)
        first.bob.answer(kept.shift()!)
        yield* TestClock.adjust("10 seconds")
        yield* world.network!.settled
      }
      const heard = collect(owner.peer)
      owner.peer.write(send({ to, from: owner.uri, body: "x" }))
      yield* world.network!.settled
      assert.isAbove(world.relay.gauges().parkedOctets, MAX_WAITING_OF_USER)
      assert.lengthOf(heard, 1)
      first.bob.onFrame = (frame) => first.bob.answer(frame)
      for (const frame of kept) first.bob.answer(frame)
      bob.connection.resume()
      yield* world.network!.settled
      yield* TestClock.adjust("30 seconds")
    })
)

it("R4976-9.3-06: all that waits for one user is bounded, whatever the number of his connections", () => {
  const timers = new Timers(() => 0, () => {})
  const inAll = (connections: number): number => {
    const load = new UserLoad(limitsWith(timers, defaultRelayLimits))
    const waiting = Array.from({ length: connections }, () => 0)
    for (let some = true; some;) {
      some = false
      for (let i = 0; i < connections; i++) {
        if (waiting[i]! > load.share(defaultRelayLimits.connection)) continue
        waiting[i]! += 8192
        load.waitingOctets += 8192
        some = true
      }
    }
    return load.waitingOctets / MAX_WAITING_OF_USER
  }
  assert.isBelow(inAll(8), 1.2)
  assert.isBelow(inAll(50), 2)
  assert.isBelow(inAll(1000), 6)
})

it("R4976-9.3-06: holds the connections again, for as long as before, each time that the bound is exceeded", () => {
  const timers = new Timers(() => 0, () => {})
  const limits = limitsWith(timers, defaultRelayLimits)
  const held = new Set<object>()
  const reading = {
    holdFor: (user: object) => held.size < held.add(user).size,
    releaseFor: (user: object) => void held.delete(user)
  }
  const shared = { limits, counters: { unansweredOverLimit: 0 } }
  const by = new Unanswered({ shared, reading } as unknown as CountedSource)
  const user = new UserLoad(limits)
  const one = { octets: 0, at: 0, ahead: 0, sequence: 0, done: false, finish: () => {} }
  const most = limits.unansweredOfUser
  for (let i = 0; i < 2; i++) {
    user.add(most, by)
    assert.deepStrictEqual([held.size, timers.running], [0, 0])
    user.add(1, by)
    assert.deepStrictEqual([held.size, timers.running, user.full], [1, 1, true])
    user.remove(most / 2, one)
    assert.isTrue(user.full)
    user.remove(most / 2 + 1, one)
    assert.deepStrictEqual([held.size, timers.running, user.full, user.octets], [0, 0, false, 0])
  }
})

it("leaves no timer behind where a connection goes while it is held", () => {
  const timers = new Timers(() => 0, () => {})
  const limits = limitsWith(timers, defaultRelayLimits)
  const log: Array<string> = []
  const reading = { hold: () => log.push("hold"), release: () => log.push("release"), sharing: {} }
  const shared = { limits, turn: { now: 0 }, counters: { unansweredOverLimit: 0 } }
  const unanswered = new Unanswered({ shared, reading, number: 1 } as unknown as CountedSource)
  unanswered.add(limits.unanswered + 1)
  assert.deepStrictEqual([log, timers.running], [["hold"], 1])
  unanswered.close()
  assert.strictEqual(timers.running, 0)
})
