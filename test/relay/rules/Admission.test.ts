/** Which connection is closed when there are too many: one that the relay has dialled before others. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Admission, type Admitted } from "../../../src/relay/rules/Admission.ts"
import type { Shared } from "../../../src/relay/Shared.ts"
import { header, type Owner, request, send, until, type World } from "../../support/harness.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated({ plaintextAuth: "always" })

const REPORTED = ["Message-ID: m1", "Byte-Range: 1-1/1", "Status: 000 200 OK"]

const dials = Effect.fnUntraced(function*(world: World, { peer, uri, usePath }: Owner) {
  const hop = yield* world.listen
  peer.write(send({ to: `${usePath} ${hop.uri}`, from: uri, body: "hi" }))
  assert.strictEqual((yield* peer.next).status, 200)
  const there = yield* hop.accepted
  return there
})

describe("when there are too many connections", () => {
  scenario(
    "R4976-6.5-03 R4976-9.3-06: a next hop replaces no connection that came in",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const strangers = [yield* world.connect, yield* world.connect]
        const idle = yield* world.login({ username: "carol" })
        // Nor is one needed any more whose session has ended.
        world.sessions.end(world.sessions.findUnsafe(/\/([^/;]+);tcp$/.exec(idle.usePath)![1]!)!)
        for (let i = 0; i < 3; i++) {
          const refused = yield* dials(world, alice)
          assert.strictEqual(header(yield* alice.peer.next, "Status")?.slice(0, 7), "000 408")
          yield* until(() => refused.isClosed, "its end")
        }
        for (const peer of [alice.peer, idle.peer, ...strangers]) yield* peer.quiet
        assert.strictEqual(world.relay.counters.connectionsTurnedAway, 3)
      }),
    { limits: { connections: 4 } }
  )

  scenario(
    "R4976-6.5-03: a next hop that no session uses is closed for a client that logs in; one in use is not",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const used = yield* dials(world, alice)
        used.answer(yield* used.next)
        const gone = yield* world.login()
        const useless = yield* dials(world, gone)
        useless.answer(yield* useless.next)
        yield* until(() => world.relay.gauges().transactions === 0, "the answers")
        yield* gone.peer.close
        yield* world.network!.settled
        const waiting = yield* world.connect
        yield* waiting.quiet
        const carol = yield* world.login({ username: "carol" })
        yield* until(() => useless.isClosed, "its end")
        assert.isFalse(used.isClosed || waiting.isClosed || carol.peer.isClosed || alice.peer.isClosed)
        // Then those who have proved nothing, one after the other.
        const late = yield* world.connect
        yield* until(() => waiting.isClosed || late.isClosed, "the end of one")
        assert.isFalse(used.isClosed)
        yield* used.quiet
      }),
    { limits: { connections: 4 } }
  )

  scenario(
    "R4976-6.5-03 R4976-9.3-06: strangers who have sent a REPORT to a session take no place from a client that logs in",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const strangers = yield* Effect.all([world.connect, world.connect, world.connect])
        for (const stranger of strangers) {
          const [to, from] = [`${alice.usePath} ${alice.uri}`, world.party()]
          stranger.write(request("REPORT", { to, from, headers: REPORTED }))
          yield* alice.peer.next
        }
        const carol = yield* world.login({ username: "carol" })
        yield* until(() => strangers[0].isClosed, "the end of the first")
        for (const peer of [alice.peer, carol.peer, strangers[2]]) yield* peer.quiet
      }),
    { limits: { connections: 4 } }
  )

  scenario(
    "R4976-6.5-03: a next hop may take the place of another one that no session uses",
    (world) =>
      Effect.gen(function*() {
        const [alice, gone] = [yield* world.login(), yield* world.login()]
        const useless = yield* dials(world, gone)
        useless.answer(yield* useless.next)
        yield* until(() => world.relay.gauges().transactions === 0, "the answer")
        world.sessions.end(world.sessions.findUnsafe(/\/([^/;]+);tcp$/.exec(gone.usePath)![1]!)!)
        const there = yield* dials(world, alice)
        there.answer(yield* there.next)
        yield* until(() => useless.isClosed, "its end")
        yield* alice.peer.quiet
      }),
    { limits: { connections: 3 } }
  )
})

it("R4976-6.5-03: the connection that goes is the one that was not used for longest, not the one that came first", () => {
  const limits = { connections: 2, connectionsInProbation: 10, connectionsPerAddress: 10 }
  const shared = { limits, counters: { connectionsTurnedAway: 0 }, turn: { now: 9 }, networkOf: (host: string) => host }
  const admission = new Admission(shared as unknown as Shared)
  const closed: Array<string> = []
  const enters = (name: string, lastUsed: number) => {
    const hop = {
      connection: { inbound: true, remote: { host: name, port: 1 } },
      probation: { active: true },
      lastUsed,
      lapsed: false,
      unusedSince: undefined,
      inUse: () => false,
      finish: () => {},
      fail: () => closed.push(name)
    }
    admission.entered(hop as unknown as Admitted)
    hop.probation.active = false
    admission.proved(hop as unknown as Admitted)
    return hop
  }
  const first = enters("first", 1)
  enters("second", 2)
  first.lastUsed = 3
  enters("third", 4)
  assert.deepStrictEqual(closed, ["second"])
})

it("R4976-6.5-03: the time for which no session uses a next hop begins again when one has used it meanwhile", () => {
  const limits = { transaction: { millis: 30_000 }, unused: 60, connections: 2 }
  const turn = { now: 0, tick: () => {} }
  const tasks = { slices: (all: Iterable<unknown>, task: (one: unknown) => void) => [...all].forEach(task) }
  const counters = { connectionsIdle: 0 }
  const shared = { limits, counters, turn, tasks, phase: "serving", networkOf: (host: string) => host }
  const admission = new Admission(shared as unknown as Shared)
  const closed: Array<string> = []
  let used = false
  const hop = {
    connection: { inbound: false, remote: { host: "198.51.100.1", port: 1 } },
    probation: { active: false },
    lastUsed: 0,
    lapsed: false,
    unusedSince: undefined,
    inUse: () => used,
    finish: (reason: string) => closed.push(`${turn.now}: ${reason}`)
  }
  admission.entered(hop as unknown as Admitted)
  const looks = (...seconds: ReadonlyArray<number>) => {
    for (const one of seconds) {
      turn.now = one * 1000
      admission.closeIdle(Infinity)
    }
  }
  looks(0, 59)
  used = true
  looks(59)
  used = false
  looks(61, 120)
  assert.deepStrictEqual(closed, [])
  looks(121)
  assert.deepStrictEqual(closed, ["121000: no session uses it"])
})

describe("R4976-9.3-06: exactly as many as allowed are admitted", () => {
  const make = (limits: { readonly connectionsPerAddress: number; readonly connectionsInProbation: number }) => {
    const counters = { connectionsTurnedAway: 0 }
    const networkOf = (address: string): string => address.split("/")[0]!
    const shared = { counters, limits: { connections: 100, ...limits }, networkOf, turn: { now: 0 } }
    const admission = new Admission(shared as unknown as Shared)
    const closed: Array<string> = []
    const enters = (name: string, host: string) => {
      const connection = { inbound: true, remote: { host, port: 1 } } as Admitted["connection"]
      const probation = { active: true }
      const hop: Admitted = {
        connection,
        probation,
        lastUsed: 0,
        lapsed: false,
        unusedSince: undefined,
        inUse: () => false,
        finish: () => {},
        fail: () => void closed.push(name)
      }
      admission.entered(hop)
      return {
        leaves: () => admission.left(hop),
        proves: () => {
          probation.active = false
          admission.proved(hop)
        }
      }
    }
    return { closed, counters, enters }
  }

  it("of one network, until one of them leaves; that one has proved itself makes no room", () => {
    const { closed, counters, enters } = make({ connectionsPerAddress: 3, connectionsInProbation: 100 })
    const first = enters("first", "a/1")
    for (const name of ["second", "third"]) enters(name, "a/2").proves()
    enters("elsewhere", "b/1")
    assert.deepStrictEqual(closed, [])
    const fourth = enters("fourth", "a/3")
    assert.deepStrictEqual([closed, counters.connectionsTurnedAway], [["fourth"], 1])
    fourth.leaves()
    enters("fifth", "a/1")
    assert.deepStrictEqual(closed, ["fourth", "fifth"])
    first.leaves()
    // The fifth counts until its connection is gone.
    enters("sixth", "a/1")
    assert.deepStrictEqual(closed, ["fourth", "fifth", "sixth"])
  })

  it("in probation; beyond that, the oldest of the network with most of them goes", () => {
    const { closed, enters } = make({ connectionsPerAddress: 100, connectionsInProbation: 3 })
    enters("proved", "b/1").proves()
    enters("lone", "a/1")
    for (const name of ["older", "newer"]) enters(name, "b/1")
    assert.deepStrictEqual(closed, [])
    enters("another", "c/1")
    assert.deepStrictEqual(closed, ["older"])
  })
})
