/** What an operator sees of sessions and connections, what he may do, and whether the numbers are right. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { sessionLabel } from "../../../src/protocol/Ident.ts"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { makeOperator } from "../../../src/relay/edge/Operations.ts"
import { AT_ONCE, ITEMS, MAX_ITEMS } from "../../../src/relay/edge/Scan.ts"
import type { Session } from "../../../src/relay/Session.ts"
import { heardIn, of } from "../../support/events.ts"
import { type Owner, type Peer, send, until, type World } from "../../support/harness.ts"
import { recordOf } from "../../support/records.ts"
import { connectFrom, grantedThrough, machine, options } from "../../support/relays.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated()

const labelOf = ({ usePath }: Owner): string => sessionLabel(parseUri(usePath)!.sessionId!)

const remoteOf = ({ connection: { local: { host, port } } }: Peer): string => `${host}:${port}`

/** Answers all SENDs. */
const answers = (...peers: ReadonlyArray<Peer>): void => {
  for (const peer of peers) {
    peer.onFrame = (frame) => {
      if (frame.method === "SEND") peer.answer(frame)
    }
  }
}

const sessionOf = (world: World, owner: Owner) =>
  world.relay.operator.sessions().items.find(({ session }) => session === labelOf(owner))!

/** A relay with so many sessions, as far as its operator needs one. */
const many = (count: number, now = 0) => {
  const looks = { octets: 0, labels: 0, clock: 0 }
  const book = Array.from({ length: count }, (_, i) => {
    const record = recordOf(`id ${i}`, `user ${i % 1000}`)
    const traffic = { requests: 1 }
    Object.defineProperty(traffic, "octets", {
      enumerable: true,
      get: () => {
        looks.octets++
        return i * 7919 % 50_021 % 500
      }
    })
    const { label } = record
    Object.defineProperty(record, "label", {
      get: () => {
        looks.labels++
        return label
      }
    })
    Object.assign(record, { sent: traffic })
    return { username: record.user, realm: record.realm, record, expiresAt: 1_000_000 + i, ended: false, owner: {} }
  })
  const clock = {
    currentTimeMillisUnsafe: () => now,
    currentTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
    monotonicTimeNanosUnsafe: () => {
      looks.clock++
      return BigInt(now) * 1_000_000n
    }
  }
  const operator = makeOperator({
    switchboard: { book, hops: new Set() },
    sessions: { end: (session: Session) => void Object.assign(session, { ended: true }) },
    history: { of: () => [], recent: [] },
    listen: () => () => {},
    clock
  } as never)
  return { book, looks, operator }
}

describe("operator: pages", () => {
  it("has the oldest first, from an offset on, a hundred unless more are wanted, and never more than a thousand", () => {
    const { operator } = many(5000)
    const page = operator.sessions()
    assert.strictEqual(page.total, 5000)
    assert.lengthOf(page.items, ITEMS)
    assert.deepStrictEqual(page.items.slice(0, 2).map(({ user }) => user), ["user 0", "user 1"])
    assert.strictEqual(operator.sessions({ offset: 4990, limit: 100 }).items.at(-1)?.user, "user 999")
    assert.lengthOf(operator.sessions({ offset: 4990, limit: 100 }).items, 10)
    assert.lengthOf(operator.sessions({ limit: 1_000_000 }).items, MAX_ITEMS)
    for (const query of [{ limit: 0 }, { limit: -5 }, { limit: NaN }, { offset: 5000 }, { offset: Infinity }]) {
      assert.deepStrictEqual(operator.sessions(query), { total: 5000, items: [] })
    }
    assert.strictEqual(operator.sessions({ offset: -7, limit: 1 }).items[0]?.user, "user 0")
  })

  it("goes through all by octets, page by page, with none twice and none left out", () => {
    const { operator } = many(2500)
    const pages = Array.from({ length: 25 }, (_, i) => operator.sessions({ sort: "octets", offset: 100 * i }).items)
    const all = pages.flat()
    assert.strictEqual(new Set(all.map(({ session }) => session)).size, 2500)
    const octets = all.map(({ received, sent }) => sent.octets + received.octets)
    assert.deepStrictEqual(octets, octets.toSorted((a, b) => b - a))
  })

  it("of fifty thousand sessions looks once at the octets of each, and makes only what is on the page", () => {
    const { looks, operator } = many(50_000)
    for (const offset of [0, 25_000, 49_900]) {
      Object.assign(looks, { octets: 0, labels: 0 })
      const { items, total } = operator.sessions({ sort: "octets", limit: 100, offset })
      assert.deepStrictEqual([total, items.length], [50_000, 100])
      // Those of the page are read once more.
      assert.isAtMost(looks.octets, 50_000 + 100)
      assert.strictEqual(looks.labels, 100)
    }
  })

  it("of fifty thousand sessions looks at the clock for those of the page, and at octets only where they count", () => {
    const { looks, operator } = many(50_000)
    for (
      const query of [{ offset: 49_900 }, { user: "user 999" }, { address: "192.0.2.1" }, { sort: "octets" }] as const
    ) {
      Object.assign(looks, { octets: 0, labels: 0, clock: 0 })
      const { items } = operator.sessions(query)
      assert.isAtMost(looks.clock, 1 + 2 * items.length)
      assert.strictEqual(looks.labels, items.length)
      if (!("sort" in query)) assert.strictEqual(looks.octets, items.length)
    }
    looks.clock = 0
    operator.endSession("000000000000")
    operator.endUser("nobody")
    assert.isAtMost(looks.clock, 2)
  })

  it.effect("visits some in each turn, for one caller after the other, and finds what it would find in one turn", () =>
    Effect.gen(function*() {
      const { looks, operator } = many(5000)
      const query = { sort: "octets", offset: 2000 } as const
      const wanted = operator.sessions(query)
      looks.octets = 0
      const asked = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(operator.inTurns.sessions(query)))
      let most = 0
      while (asked.some((one) => one.pollUnsafe() === undefined)) {
        const before = looks.octets
        yield* Effect.yieldNow
        most = Math.max(most, looks.octets - before)
      }
      assert.isAtMost(most, AT_ONCE + ITEMS)
      for (const one of asked) assert.deepStrictEqual(yield* Fiber.join(one), wanted)
    }))

  it.effect("ends the sessions of a user some in each turn", () =>
    Effect.gen(function*() {
      const { book, operator } = many(5000)
      for (const session of book) session.username = "alice"
      const ended = (): number => book.filter((session) => session.ended).length
      const asked = yield* Effect.forkChild(operator.inTurns.endUser("alice"))
      let most = 0
      while (asked.pollUnsafe() === undefined) {
        const before = ended()
        yield* Effect.yieldNow
        most = Math.max(most, ended() - before)
      }
      assert.isAtMost(most, AT_ONCE)
      assert.strictEqual(yield* Fiber.join(asked), 5000)
      assert.strictEqual(ended(), 5000)
    }))

  it("has only those that are valid, of a user, of a realm", () => {
    const { book, operator } = many(3000, 1_000_100)
    assert.strictEqual(operator.sessions().total, 2899)
    book[2999]!.ended = true
    assert.strictEqual(operator.sessions().total, 2898)
    assert.strictEqual(operator.sessions({ user: "user 500" }).total, 3)
    assert.strictEqual(operator.sessions({ user: "user 500", realm: "elsewhere" }).total, 0)
    assert.strictEqual(operator.sessions({ realm: "localhost" }).total, 2898)
  })
})

describe("operator: what the operator sees", () => {
  scenario(
    "a session with its connection, its times and its peer; found by either address",
    (world) =>
      Effect.gen(function*() {
        yield* TestClock.adjust("100 seconds")
        const { alice, bob } = yield* world.pair()
        yield* TestClock.adjust("5 seconds")
        const { failures: _, ...session } = sessionOf(world, alice)
        assert.deepStrictEqual(session, {
          session: labelOf(alice),
          user: "alice",
          realm: "localhost",
          connection: 1,
          remote: remoteOf(alice.peer),
          transport: "tcp",
          listener: `msrp://localhost:${world.socket.port}`,
          since: 100_000,
          expires: 1_900_000,
          peer: remoteOf(bob),
          sent: { requests: 0, octets: 0 },
          received: { requests: 1, octets: 0 }
        })
        const { connections, sessions } = world.relay.operator
        const { host } = bob.connection.local
        assert.strictEqual(sessions({ address: host }).total, 1)
        assert.strictEqual(sessions({ address: "192.0.2.77" }).total, 0)
        assert.strictEqual(
          connections({ address: host }).total,
          world.peers.filter((peer) => peer.connection.local.host === host).length
        )
        const [first, second] = connections().items
        assert.deepStrictEqual(
          { ...first, octetsIn: 0, octetsOut: 0 },
          {
            connection: 1,
            remote: remoteOf(alice.peer),
            transport: "tcp",
            listener: `msrp://localhost:${world.socket.port}`,
            relay: false,
            user: "alice",
            realm: "localhost",
            severalUsers: false,
            since: 100_000,
            sessions: 1,
            octetsIn: 0,
            octetsOut: 0,
            waiting: 0
          }
        )
        assert.strictEqual(first?.octetsOut, alice.peer.length)
        // He writes to alice.
        assert.deepStrictEqual([second?.sessions, second?.connection, second?.user], [0, 2, "alice"])
        bob.write("x".repeat(100))
      })
  )

  scenario("connections with most octets first, and one that the relay made", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login()
      const bob = yield* world.listen
      alice.peer.write(send({ to: `${alice.usePath} ${bob.uri}`, from: alice.uri, body: "x".repeat(5000) }))
      const there = yield* bob.accepted
      answers(there, alice.peer)
      yield* until(() => world.relay.gauges().transactions === 0, "its answer")
      const { items } = world.relay.operator.connections({ sort: "octets" })
      assert.deepStrictEqual(items.map(({ connection }) => connection), [1, 2])
      assert.isUndefined(items[1]!.listener)
      assert.isAbove(items[1]!.octetsOut, 5000)
    }))

  scenario("whose a connection is: nobody's, that of one user, or that of several", (world) =>
    Effect.gen(function*() {
      yield* world.connect
      const whose = (): ReadonlyArray<unknown> =>
        world.relay.operator.connections().items.map(({ realm, severalUsers, user }) => [user, realm, severalUsers])
      assert.deepStrictEqual(whose(), [[undefined, undefined, false]])
      const { peer } = yield* world.login()
      assert.deepStrictEqual(whose()[1], ["alice", "localhost", false])
      yield* world.login({ username: "carol", peer })
      assert.deepStrictEqual(whose()[1], [undefined, undefined, true])
    }))

  scenario("what waits for a receiver that answers nothing, at its connection", (world) =>
    Effect.gen(function*() {
      yield* world.connect
      const { alice, bob, bobUri } = yield* world.pair()
      for (let i = 0; i < 50; i++) {
        bob.write(
          send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, messageId: `m${i}`, body: "x".repeat(10_000) })
        )
      }
      yield* until(() => world.relay.gauges().parkedOctets > 100_000, "what waits for alice")
      const waitingFor = (peer: Peer): number =>
        world.relay.operator.connections().items.find(({ remote }) => remote === remoteOf(peer))!.waiting
      const { bufferedOctets, parkedOctets } = world.relay.gauges()
      assert.isAtLeast(waitingFor(alice.peer), parkedOctets)
      assert.strictEqual(waitingFor(alice.peer) + waitingFor(bob), bufferedOctets)
      const first = (sort: "age" | "waiting") => world.relay.operator.connections({ sort }).items[0]!.connection
      assert.deepStrictEqual([first("age"), first("waiting")], [1, 2])
      answers(alice.peer)
      for (const frame of alice.peer.frames) if (frame.method === "SEND") alice.peer.answer(frame)
      yield* until(() => world.relay.gauges().bufferedOctets === 0, "all of it")
      assert.strictEqual(waitingFor(alice.peer), 0)
    }))

  scenario("a session of another relay, and whichever connection that has now", (world) =>
    Effect.gen(function*() {
      const inner = machine(world, "inner.example.com")
      const link = yield* connectFrom(world, inner)
      const from = "msrps://inner.example.com:2855/a;tcp msrp://alice.invalid:9/a1;tcp"
      yield* grantedThrough(world, link, from)
      const connection = () => world.relay.operator.sessions().items[0]?.connection
      assert.strictEqual(connection(), 1)
      yield* link.close
      yield* until(() => connection() === undefined, "its end")
      const again = yield* connectFrom(world, inner)
      yield* grantedThrough(world, again, from, "carol")
      assert.strictEqual(connection(), 2)
      for (const { session } of world.relay.operator.sessions().items) world.relay.operator.endSession(session)
    }), options)
})

describe("operator: what the operator does", () => {
  scenario("ends a session, a connection, and all sessions of a user", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const { endConnection, endSession, endUser } = world.relay.operator
      const one = yield* world.login()
      assert.isFalse(endSession("000000000000"))
      assert.isTrue(endSession(labelOf(one)))
      assert.isFalse(endSession(labelOf(one)))
      assert.isFalse(one.peer.isClosed, "its connection stays")
      yield* world.login({ peer: one.peer })
      yield* world.login()
      yield* world.login({ username: "carol" })
      assert.strictEqual(endUser("alice", "elsewhere"), 0)
      assert.strictEqual(endUser("alice", "localhost"), 2)
      assert.strictEqual(endUser("alice"), 0)
      assert.isFalse(endConnection(99))
      const carol = world.peers.at(-1)!
      assert.isTrue(endConnection(3))
      yield* carol.ends
      yield* until(() => world.relay.gauges().sessions === 0, "its sessions")
      assert.isFalse(endConnection(3))
      assert.deepStrictEqual(
        of(heard, "session ended").map(({ fields: { connectionEnd, reason, user } }) => [user, reason, connectionEnd]),
        [
          ["alice", "ended by the operator", undefined],
          ["alice", "ended by the operator", undefined],
          ["alice", "ended by the operator", undefined],
          ["carol", "its connection closed", "ended by the operator"]
        ]
      )
    }))

  scenario(
    "a listener gets events until it ends; one that throws gets no more, and harms nobody",
    (world) =>
      Effect.gen(function*() {
        const { listen } = world.relay.operator
        let [heard, thrown] = [0, 0]
        listen(() => {
          thrown++
          throw new Error("own bug")
        })
        const stop = listen(() => void heard++)
        yield* world.login()
        yield* world.login()
        assert.deepStrictEqual([heard, thrown], [2, 1])
        stop()
        yield* world.login()
        assert.strictEqual(heard, 2)
        assert.lengthOf(world.errors, 1)
        assert.include(world.errors[0], "a listener to events is broken")
        world.errors.length = 0
      })
  )

  scenario("asks what happened to a user, also by a name that the log cuts off", (world) =>
    Effect.gen(function*() {
      const name = `eve\u0007${"x".repeat(200)}`
      const peer = yield* world.connect
      const from = world.party()
      const challenge = yield* world.challenge(peer, from)
      yield* world.auth(
        peer,
        from,
        world.authorization(challenge, { username: name.replace("\u0007", "."), password: "no" })
      )
      assert.lengthOf(world.relay.operator.history(name.replace("\u0007", ".")), 1)
      yield* world.login()
      assert.deepStrictEqual(world.relay.operator.history("alice").map(({ message }) => message), ["login granted"])
    }))
})

describe("operator: traffic", () => {
  scenario("is exact both ways between an owner and a peer, whole and in pieces", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      answers(alice.peer, bob)
      const sizes = [0, 1, 2048, 2049, 5000, 300_000]
      for (const [i, size] of sizes.entries()) {
        const body = "x".repeat(size)
        alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: `a${i}`, body }))
        bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, messageId: `b${i}`, body: body + body }))
      }
      yield* until(() => world.relay.gauges().transactions === 0 && world.relay.gauges().bufferedOctets === 0, "all")
      yield* world.network!.settled
      const octets = sizes.reduce((sum, size) => sum + size, 0)
      const { received, sent } = sessionOf(world, alice)
      assert.deepStrictEqual(sent, { requests: sizes.length, octets })
      assert.deepStrictEqual(received, { requests: sizes.length + 1, octets: 2 * octets })
    }))

  scenario("is that of both between two clients of the relay", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login()
      const carol = yield* world.login({ username: "carol" })
      answers(alice.peer, carol.peer)
      for (const [from, to, body] of [[alice, carol, "x".repeat(7000)], [carol, alice, "hi"]] as const) {
        from.peer.write(send({ to: `${from.usePath} ${to.usePath} ${to.uri}`, from: from.uri, body }))
      }
      yield* world.network!.settled
      const [a, c] = [sessionOf(world, alice), sessionOf(world, carol)]
      assert.deepStrictEqual([a.sent, a.received], [{ requests: 1, octets: 7000 }, { requests: 1, octets: 2 }])
      assert.deepStrictEqual([c.sent, c.received], [{ requests: 1, octets: 2 }, { requests: 1, octets: 7000 }])
    }))

  scenario("is exact for a client behind another relay", (world) =>
    Effect.gen(function*() {
      const link = yield* connectFrom(world, machine(world, "inner.example.com"))
      const from = "msrps://inner.example.com:2855/a;tcp msrp://alice.invalid:9/a1;tcp"
      const usePath = yield* grantedThrough(world, link, from)
      const bob = yield* connectFrom(world, machine(world, "bob.example.com", []))
      answers(bob, link)
      const bobUri = "msrps://bob.example.com:9/b1;tcp"
      bob.write(send({ to: `${usePath} ${from}`, from: bobUri, body: "x".repeat(9000) }))
      yield* world.network!.settled
      link.write(send({ to: `${usePath} ${bobUri}`, from, body: "hi" }))
      yield* world.network!.settled
      const [session] = world.relay.operator.sessions().items
      assert.deepStrictEqual([session?.sent, session?.received], [
        { requests: 1, octets: 2 },
        { requests: 1, octets: 9000 }
      ])
      world.relay.operator.endUser("alice")
    }), options)

  scenario("counts what was accepted, and not what was refused", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const stranger = yield* world.connect
      stranger.write(send({ to: `${alice.usePath} ${alice.uri}`, from: world.party(), body: "no" }))
      assert.strictEqual((yield* stranger.next).status, 506)
      alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "12345" }))
      bob.answer(yield* bob.next, "413 No")
      yield* alice.peer.take(2)
      const { received, sent } = sessionOf(world, alice)
      assert.deepStrictEqual([sent, received], [{ requests: 1, octets: 5 }, { requests: 1, octets: 0 }])
    }))
})
