/** How many next hops a user may have, and which of them are kept. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { type Dial, Directory } from "../../../src/relay/rules/Directory.ts"
import { NextHops } from "../../../src/relay/rules/NextHops.ts"
import type { Party } from "../../../src/relay/rules/Party.ts"
import type { Session } from "../../../src/relay/Session.ts"
import type { Shared } from "../../../src/relay/Shared.ts"
import { type Listening, type Owner, send, until, type World } from "../../support/harness.ts"
import { end, grantedThrough, listenAs, options } from "../../support/relays.ts"
import { twoSessions } from "../../support/sessions.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated({ plaintextAuth: "always", authExpires: 86_400 })

/** Status of a SEND to it; it answers what it gets. */
const sendTo = Effect.fnUntraced(function*(owner: Owner, hop: Listening) {
  owner.peer.write(send({ to: `${owner.usePath} ${hop.uri}`, from: owner.uri, body: "hi" }))
  const { status } = yield* owner.peer.next
  if (status !== 200) return status
  const peer = yield* hop.accepted
  peer.answer(yield* peer.next)
  yield* until(() => peer.world.relay.gauges().transactions === 0, "its answer")
  return status
})

const listeners = Effect.fnUntraced(function*(world: World, count: number) {
  const all: Array<Listening> = []
  while (all.length < count) all.push(yield* world.listen)
  return all
})

describe("next hops that are there", () => {
  scenario(
    "R4976-9.3-06: one user has as many as the limit, on however many connections; others have theirs",
    (world) =>
      Effect.gen(function*() {
        const hops = yield* listeners(world, 3)
        const [one, two] = [yield* world.login(), yield* world.login()]
        assert.strictEqual(yield* sendTo(one, hops[0]!), 200)
        assert.strictEqual(yield* sendTo(two, hops[1]!), 200)
        assert.strictEqual(yield* sendTo(one, hops[2]!), 408)
        assert.strictEqual(yield* sendTo(one, hops[1]!), 200, "which is there already")
        const carol = yield* world.login({ username: "carol" })
        assert.strictEqual(yield* sendTo(carol, hops[2]!), 200)
        assert.strictEqual(world.relay.counters.dialsOverLimit, 1)
        // What has ended makes room.
        yield* hops[0]!.peers[0]!.close
        yield* until(() => world.relay.gauges().connections === 5, "its end")
        const more = yield* world.listen
        assert.strictEqual(yield* sendTo(two, more), 200)
        assert.strictEqual(yield* sendTo(two, yield* world.listen), 408)
      }),
    { limits: { nextHopsPerUser: 2 } }
  )

  scenario(
    "R4976-9.3-06: one address has as many as the limit too, for all its users; hops that cannot be reached do not count",
    (world) =>
      Effect.gen(function*() {
        const hops = yield* listeners(world, 4)
        const { alice, carol } = yield* twoSessions(world)
        const nowhere = `msrp://localhost:1/x;tcp`
        for (let i = 0; i < 3; i++) {
          alice.peer.write(send({ to: `${alice.usePath} ${nowhere}`, from: alice.uri, body: "hi" }))
          assert.deepStrictEqual((yield* alice.peer.take(2)).map(({ status }) => status), [200, 0])
        }
        assert.strictEqual(yield* sendTo(alice, hops[0]!), 200)
        assert.strictEqual(yield* sendTo(carol, hops[1]!), 200)
        assert.strictEqual(yield* sendTo(alice, hops[2]!), 408)
        assert.strictEqual(yield* sendTo(carol, hops[2]!), 408)
      }),
    { limits: { nextHopsPerAddress: 2 } }
  )

  scenario(
    "R4975-5.4-21: an endpoint that assigns all requests on a connection to its first session has one for each session, if so configured",
    (world) =>
      Effect.gen(function*() {
        const hop = yield* world.listen
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        const say = Effect.fnUntraced(function*(owner: Owner, session: string, at: number, from = owner.uri) {
          const to = hop.uri.replace("/listening", `/${session}`)
          owner.peer.write(send({ to: `${owner.usePath} ${to}`, from, body: session }))
          assert.strictEqual((yield* owner.peer.next).status, 200)
          yield* until(() => hop.peers.length > at, "a connection")
          const frame = yield* hop.peers[at]!.next
          assert.strictEqual(frame.body?.toString(), session)
          hop.peers[at]!.answer(frame)
        })
        yield* say(alice, "first", 0)
        yield* say(carol, "second", 1)
        // Each session finds its own again, also by another path.
        yield* say(alice, "first", 0)
        yield* say(carol, "second", 1, carol.uri.replace(";tcp", "x;tcp"))
        assert.lengthOf(hop.peers, 2)
        // What is written there leads to whom it is addressed, as from any peer.
        hop.peers[1]!.write(
          send({ to: `${carol.usePath} ${carol.uri}`, from: hop.uri.replace("/listening", "/second"), body: "back" })
        )
        assert.strictEqual((yield* hop.peers[1]!.next).status, 200)
        assert.strictEqual((yield* carol.peer.next).body?.toString(), "back")
        // One that has ended is made anew, for that session only.
        yield* hop.peers[0]!.close
        yield* until(() => world.relay.gauges().connections === 3, "its end")
        yield* say(alice, "first", 2)
        yield* say(carol, "second", 1)
        world.change({ nextHops: {} })
        yield* say(alice, "third", 3)
        yield* say(carol, "third", 3)
      }),
    { nextHops: { alone: ["localhost"] } }
  )

  scenario(
    "R4975-5.4-21: two endpoints with a connection each for one session may both write to it; no other peer may",
    (world) =>
      Effect.gen(function*() {
        const hop = yield* world.listen
        const alice = yield* world.login()
        const calls = ["first", "second"].map((call) => hop.uri.replace("/listening", `/${call}`))
        for (const [at, to] of calls.entries()) {
          alice.peer.write(send({ to: `${alice.usePath} ${to}`, from: alice.uri, body: "hi" }))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          yield* until(() => hop.peers.length > at, "a connection")
          hop.peers[at]!.answer(yield* hop.peers[at]!.next)
        }
        const stranger = yield* world.connect
        for (const at of [0, 1, 0, 1]) {
          hop.peers[at]!.write(send({ to: `${alice.usePath} ${alice.uri}`, from: calls[at]!, body: `${at}` }))
          assert.strictEqual((yield* hop.peers[at]!.next).status, 200)
          const frame = yield* alice.peer.next
          assert.strictEqual(frame.body?.toString(), `${at}`)
          alice.peer.answer(frame)
          stranger.write(send({ to: `${alice.usePath} ${alice.uri}`, from: calls[at]!, body: "stranger" }))
          assert.strictEqual((yield* stranger.next).status, 506)
          // What goes back is for the one that is named, whoever has written last.
          const other = 1 - at
          alice.peer.write(send({ to: `${alice.usePath} ${calls[other]!}`, from: alice.uri, body: `to ${other}` }))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          const back = yield* hop.peers[other]!.next
          assert.strictEqual(back.body?.toString(), `to ${other}`)
          hop.peers[other]!.answer(back)
        }
        assert.lengthOf(hop.peers, 2)
      }),
    { nextHops: { alone: ["localhost"] } }
  )

  scenario(
    "R4976-9.2-25: what was connected to as an endpoint of one session is not taken for a relay, by that session either",
    (world) =>
      Effect.gen(function*() {
        const far = yield* listenAs(world, "far.example.org")
        const alice = yield* world.login()
        const say = Effect.fnUntraced(function*(next: string, at: number) {
          alice.peer.write(send({ to: `${alice.usePath} ${next}`, from: alice.uri, body: "hi" }))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          yield* until(() => far.length > at, "a connection")
          far[at]!.answer(yield* far[at]!.next)
        })
        const uri = "msrps://far.example.org:2855/f;tcp"
        yield* say(uri, 0)
        yield* say(`${uri} msrps://dave.invalid:9/d;tcp`, 1)
        assert.lengthOf(far, 2)
      }),
    { ...options, nextHops: { ...options.nextHops, alone: ["far.example.org"] } }
  )

  scenario(
    "R4976-6.5-02: one that no session uses any more is closed, whatever its peer sends; one in use is kept",
    (world) =>
      Effect.gen(function*() {
        const hops = yield* listeners(world, 3)
        const alice = yield* world.login()
        const short = yield* world.login({ headers: ["Expires: 60"] })
        for (const hop of hops.slice(0, 2)) assert.strictEqual(yield* sendTo(alice, hop), 200)
        for (const hop of hops.slice(1)) assert.strictEqual(yield* sendTo(short, hop), 200)
        yield* TestClock.adjust("2 minutes")
        const last = hops[2]!.peers[0]!
        for (let i = 0; i < 4; i++) {
          assert.isFalse(last.isClosed)
          yield* last.quiet
          yield* TestClock.adjust("1 minute")
        }
        yield* TestClock.adjust("2 minutes")
        yield* until(() => last.isClosed, "its end")
        assert.deepStrictEqual(hops.slice(0, 2).map(({ peers }) => peers[0]!.isClosed), [false, false])
        // A session that has ended takes those with it that nobody else uses, too.
        yield* alice.peer.close
        yield* TestClock.adjust("4 minutes")
        assert.isFalse(hops[0]!.peers[0]!.isClosed)
        yield* TestClock.adjust("3 minutes")
        yield* until(() => hops.every(({ peers }) => peers[0]!.isClosed), "the end of all")
      }),
    { limits: { unused: 300 } }
  )

  scenario(
    "R4976-6.5-02: a link to another relay is in use by what comes from there, too",
    (world) =>
      Effect.gen(function*() {
        const far = yield* listenAs(world, "far.example.org")
        const alice = yield* world.login()
        const next = "msrps://far.example.org:2855/f;tcp msrps://dave.invalid:9/d;tcp"
        const short = yield* world.login({ headers: ["Expires: 60"] })
        short.peer.write(send({ to: `${short.usePath} ${next}`, from: short.uri, body: "hi" }))
        assert.strictEqual((yield* short.peer.next).status, 200)
        yield* until(() => far.length === 1, "the link")
        far[0]!.answer(yield* far[0]!.next)
        far[0]!.write(send({ to: `${alice.usePath} ${alice.uri}`, from: next, body: "to Alice" }))
        assert.strictEqual((yield* far[0]!.next).status, 200)
        alice.peer.answer(yield* alice.peer.next)
        yield* TestClock.adjust("30 minutes")
        assert.isFalse(far[0]!.isClosed)
        yield* alice.peer.close
        yield* TestClock.adjust("7 minutes")
        yield* until(() => far[0]!.isClosed, "its end")
      }),
    { ...options }
  )

  scenario("R4976-9.3-06: users behind another relay are counted by name", (world) =>
    Effect.gen(function*() {
      const first = yield* listenAs(world, "far.example.org")
      yield* listenAs(world, "far.example.com")
      const link = yield* listenAs(world, "outer.example.net")
      const alice = yield* world.login()
      const outer = "msrps://outer.example.net:2855/o;tcp"
      const dave = "msrps://dave.invalid:9/d;tcp"
      alice.peer.write(send({ to: `${alice.usePath} ${outer} ${dave}`, from: alice.uri, body: "hi" }))
      assert.strictEqual((yield* alice.peer.next).status, 200)
      yield* until(() => link.length === 1, "the link")
      link[0]!.answer(yield* link[0]!.next)
      const uses: Array<string> = []
      for (const [username, status] of [["alice", 408], ["carol", 200]] as const) {
        const from = `${outer.replace("/o;", `/${username};`)} ${dave}`
        const usePath = yield* grantedThrough(world, link[0]!, from, username)
        uses.push(usePath)
        const to = `${usePath} msrps://far.example.org:2855/f;tcp ${dave}`
        link[0]!.write(send({ to, from, body: username }))
        assert.strictEqual((yield* link[0]!.next).status, status)
      }
      yield* until(() => first.length === 1, "the one of Carol")
      first[0]!.answer(yield* first[0]!.next)
      end(world, ...uses)
    }), { ...options, limits: { nextHopsPerUser: 1 } })
})

describe("what is remembered of next hops", () => {
  const make = () => {
    const party = () => ({ open: true, keys: [], routes: {} }) as unknown as Party
    const dialled: Array<string> = []
    const owner = {
      dial: ({ uri }: Dial, ended: () => void) => {
        dialled.push(uri.host)
        ended()
        return party()
      },
      identity: () => 0
    }
    const limits = { dials: 100, nextHopsPerUser: 10_000, nextHopsPerAddress: 10_000 }
    const shared = { limits, counters: {}, turn: { now: 0 }, networkOf: (address: string) => address }
    const nextHops = new NextHops({}, [])
    return { directory: new Directory(shared as unknown as Shared, nextHops, owner), dialled, party }
  }
  const own = parseUri("msrps://relay.example.com:2855;tcp")!
  const uriOf = (i: number) => parseUri(`msrps://far${i}.example.org:2855;tcp`)!
  const session = { username: "alice", realm: "example.com" } as Session
  const wanted = (i: number) => ({
    uri: uriOf(i),
    kind: "relay" as const,
    own,
    source: { connection: undefined },
    session
  })

  it("R4976-9.3-06: is one connection under sixteen names at most, until it is gone", () => {
    const { dialled, directory, party } = make()
    const hop = party()
    for (let i = 0; i < 20; i++) directory.shown(uriOf(i), hop, own)
    assert.lengthOf(hop.keys, 16)
    assert.strictEqual(directory.hopFor(wanted(15), () => true), hop)
    assert.notStrictEqual(directory.hopFor(wanted(16), () => true), hop)
    directory.forget(hop)
    assert.notStrictEqual(directory.hopFor(wanted(0), () => true), hop)
    assert.deepStrictEqual([hop.keys.length, dialled], [0, ["far16.example.org", "far0.example.org"]])
  })

  it("R4976-9.3-06: is that the last 1024 relays want a connection for each session", () => {
    const { directory, party } = make()
    for (let i = 0; i <= 1024; i++) {
      directory.wantsEachAlone(wanted(i))
      directory.shown(uriOf(i), party(), own)
    }
    const alone = [0, 1, 1024].map((i) =>
      directory.hopFor(wanted(i), () => true) !== directory.hopFor(wanted(i), () => true)
    )
    assert.deepStrictEqual(alone, [false, true, true])
  })
})
