/** Bounds on what requests without an answer hold in memory. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { heardIn, of } from "../../support/events.ts"
import {
  collect,
  type Frame,
  header,
  type Message,
  type Owner,
  type Peer,
  request,
  send,
  summary,
  until,
  type World,
  type WorldOptions
} from "../../support/harness.ts"
import { pattern } from "../../support/Recorder.ts"
import { sharedConnection } from "../../support/sessions.ts"
import { type Body, simulated } from "../../support/simulated.ts"

const played = simulated()
const scenario = (title: string, options: WorldOptions, body: Body): void => played(title, body, options)
const playedNarrow = simulated({}, { window: 4096 })
/** With few octets between each party and the relay. */
const narrow = (title: string, options: WorldOptions, body: Body): void => playedNarrow(title, body, options)

/** Octets of a From-Path that nobody has shown before. */
const PATH = 7000
let paths = 0
const fromPath = (uri: string): string =>
  `${uri} msrp://${`${++paths}.`.padEnd(240, "x")}.invalid:9/${"x".repeat(1600)};tcp`
    .concat(` msrp://x.invalid:9/${"y".repeat(1900)};tcp`.repeat(3)).slice(0, PATH - 4).concat(";tcp")

/** Octets that a request holds that shows such a path: that, some 400 for itself, and some 600 for its way back. */
const HOLDS = 8000

/** A limit that so many of them reach. */
const reachedBy = (requests: number): number => (requests - 0.5) * HOLDS

/** SENDs one by one, each with a new From-Path, until its sender is not read any more, or all are sent. */
const flood = (world: World, { peer, uri, usePath }: Owner, to: string, count: number, more: Partial<Message> = {}) =>
  Effect.gen(function*() {
    for (let i = 0; i < count; i++) {
      peer.write(send({
        to: `${usePath} ${to}`,
        from: fromPath(uri),
        ...more
      }))
      yield* world.network!.settled
    }
  })

/** The same of requests that are answered, but are no messages: what is expected of these is bounded for each receiver already. */
const ask = (world: World, peer: Peer, uri: string, to: string, count: number) =>
  Effect.gen(function*() {
    for (let i = 0; i < count; i++) {
      peer.write(request("NICKNAME", { to, from: fromPath(uri) }))
      yield* world.network!.settled
    }
  })

/** Both parties send all at once, and answer what comes in behind it. How many messages each of them got, and all REPORTs. */
const crossing = (world: World, count: number, body: string | Buffer, back: string, backCount = count) =>
  Effect.gen(function*() {
    const { alice, bob, bobUri } = yield* world.pair()
    const got = { alice: 0, bob: 0 }
    const reports: Array<string> = []
    const answering = (peer: Peer, name: keyof typeof got): void => {
      peer.onFrame = (frame) => {
        if (frame.method === "REPORT") reports.push(frame.octets.toString())
        if (frame.method !== "SEND") return
        if (frame.flag === "$") got[name]++
        peer.answer(frame)
      }
    }
    answering(alice.peer, "alice")
    answering(bob, "bob")
    const forth = { to: `${alice.usePath} ${bobUri}`, from: alice.uri, body }
    const backTo = { to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: back }
    alice.peer.write(...Array.from({ length: count }, (_, i) => send({ ...forth, messageId: `forth.${i}` })))
    bob.write(...Array.from({ length: backCount }, (_, i) => send({ ...backTo, messageId: `back.${i}` })))
    yield* world.network!.settled
    return { got, reports }
  })

describe("requests without an answer", () => {
  scenario(
    "R4976-9.3-06 R4976-9.3-04: their paths count; a sender beyond the limit waits, and nothing is lost",
    { limits: { unanswered: reachedBy(18) }, uris: [parseUri("msrp://localhost:2855;tcp")!] },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const carol = yield* world.login({ username: "carol" })
        yield* flood(world, alice, bobUri, 60)
        assert.lengthOf(bob.frames, 18)
        assert.strictEqual(world.relay.counters.unansweredOverLimit, 1)
        assert.isFalse(alice.peer.isClosed)
        // Nobody else waits.
        carol.peer.write(send({ to: carol.usePath, from: carol.uri }))
        assert.strictEqual(summary(yield* carol.peer.next), "200 | $")
        // With the answers it goes on.
        let arrived = 0
        for (; arrived < 60; arrived++) bob.answer(yield* bob.next)
        assert.strictEqual((yield* alice.peer.take(60)).filter(({ status }) => status === 200).length, 60)
        yield* bob.quiet
      })
  )

  scenario(
    "R4976-9.3-06 R4976-6.4.1-50: they fail when the receiver never answers, and the sender goes on",
    { limits: { unanswered: reachedBy(18), connection: 4_194_304 } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        // Long chunks, with what is told of them, are held as well.
        yield* flood(world, alice, bobUri, 60, { body: "x".repeat(4000), range: "1-*/4000" })
        // A chunk that began before its end was there holds what is told of it, too.
        assert.lengthOf(bob.frames, 12)
        yield* TestClock.adjust("30 seconds")
        yield* world.network!.settled
        assert.lengthOf(bob.frames, 24)
        const reports = alice.peer.frames.filter(({ method }) => method === "REPORT")
        assert.lengthOf(reports, 12)
        assert.isTrue(reports.every((report) => header(report, "Status")!.startsWith("000 408")))
      })
  )

  scenario(
    "R4976-9.3-06 R4976-9.3-07: the path counts for each REPORT that may come, also to a sender that does not read; of those that need no 200 the oldest makes room",
    { limits: { unanswered: reachedBy(18) } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const from = fromPath(alice.uri)
        yield* flood(world, alice, bobUri, 60, { from, failureReport: "partial", body: "x" })
        assert.strictEqual(bob.frames.length, 60)
        assert.strictEqual(world.relay.counters.unansweredOverLimit, 0)
        // All on one way back.
        const kept = Math.floor(reachedBy(18) / (PATH + 400))
        assert.strictEqual(world.relay.gauges().transactions, kept)
        world.network!.configure({ window: 1000 })
        alice.peer.connection.pause()
        for (const frame of bob.frames.splice(0)) bob.answer(frame, "403 No")
        yield* world.network!.settled
        assert.isAtMost(world.relay.gauges().bufferedOctets, reachedBy(18))
        alice.peer.connection.resume()
        yield* world.network!.settled
        assert.deepStrictEqual(alice.peer.frames.map(({ method }) => method), Array(kept).fill("REPORT"))
      })
  )

  for (const limit of ["unanswered", "unansweredOfUser"] as const) {
    narrow(
      `R4976-9.3-05: two parties that send more than the limit to each other, before their answers, do not wait for each other forever: ${limit}`,
      { limits: { [limit]: 20_000 } },
      (world) =>
        Effect.gen(function*() {
          const { got, reports } = yield* crossing(world, 80, "x", "x")
          assert.isBelow(got.alice + got.bob, 160)
          assert.strictEqual(world.relay.counters.unansweredOverLimit, 2)
          yield* TestClock.adjust("2 seconds")
          yield* world.network!.settled
          assert.deepStrictEqual([got, reports], [{ alice: 80, bob: 80 }, []])
        })
    )
  }

  for (const limit of ["unanswered", "unansweredOfUser"] as const) {
    scenario(
      `R4976-9.3-06: a party whose own answers are waited for is read up to twice the limit, and then refused: ${limit}`,
      { limits: { [limit]: 20_000 } },
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri }))
          for (let i = 0; i < 200; i++) {
            alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: `many.${i}` }))
            yield* world.network!.settled
          }
          const arrived = () => bob.frames.filter(({ method }) => method === "SEND").length
          const held = arrived()
          assert.isBelow(held, 60)
          yield* TestClock.adjust("2 seconds")
          yield* world.network!.settled
          assert.approximately(arrived(), 2 * held, 2)
          assert.lengthOf(alice.peer.frames.filter(({ status }) => status === 413 || status === 408), 200 - arrived())
        })
    )
  }

  narrow(
    "R4976-9.3-05: a party that is held for its requests does not hold up its sender, whose answers it waits for",
    { limits: { unanswered: 40_000, session: 20_000 } },
    (world) =>
      Effect.gen(function*() {
        const { got, reports } = yield* crossing(world, 20, pattern(10_000), "x", 160)
        assert.isAtLeast(world.relay.counters.unansweredOverLimit, 1)
        assert.deepStrictEqual([got, reports], [{ alice: 160, bob: 20 }, []])
      })
  )

  scenario(
    "R4976-9.3-05 R4976-9.3-06: two sessions of a connection may send any number of requests that nobody has to answer",
    { limits: { transactions: 200, unanswered: 100_000 } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri, other, second } = yield* sharedConnection(world)
        for (let i = 0; i < 400; i++) {
          const rest = { messageId: `many.${i}`, body: "x", failureReport: "partial" }
          alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, ...rest }))
          alice.peer.write(send({ to: `${second.usePath} ${other.bobUri}`, from: second.uri, ...rest }))
        }
        yield* until(() => bob.frames.length + other.bob.frames.length === 800, "all of them")
        // Each holds 384 octets and its From-Path, beside what both ways back do.
        assert.strictEqual(world.relay.gauges().transactions, 231)
        // The last ones may still be refused.
        bob.answer(bob.frames.at(-1)!, "413 No")
        assert.strictEqual(header(yield* alice.peer.next, "Status"), "000 413 No")
        yield* TestClock.adjust("30 seconds")
      })
  )
})

describe("requests without an answer, to and from one user", () => {
  scenario(
    "R4976-9.3-06: requests to a user hold their senders, and nothing that this user sends",
    { limits: { unansweredOfUser: reachedBy(18) } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const second = yield* world.login()
        const { bob: stranger, bobUri: strangerUri } = yield* world.join(second)
        yield* ask(world, stranger, strangerUri, `${second.usePath} ${second.uri}`, 60)
        assert.lengthOf(second.peer.frames, 18)
        for (const body of ["first", "second"]) {
          alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body }))
          yield* world.network!.settled
          assert.strictEqual(bob.frames.length, 1, body)
          bob.answer(bob.frames.pop()!)
          yield* world.network!.settled
        }
        assert.strictEqual((yield* alice.peer.take(2)).filter(({ status }) => status === 200).length, 2)
        yield* TestClock.adjust("30 seconds")
        yield* TestClock.adjust("30 seconds")
      })
  )

  scenario(
    "R4976-9.3-06: those of a user count over all its connections, and not for other users",
    { limits: { unansweredOfUser: reachedBy(35) } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const others = [yield* world.login(), yield* world.login()] as const
        const peers = [yield* world.join(others[0]), yield* world.join(others[1])] as const
        const carol = yield* world.login({ username: "carol" })
        const { bob: dave, bobUri: daveUri } = yield* world.join(carol)
        const askFor = ({ peer, uri, usePath }: Owner, to: string) => ask(world, peer, uri, `${usePath} ${to}`, 30)
        yield* askFor(alice, bobUri)
        assert.strictEqual(bob.frames.length, 30)
        for (const [i, other] of others.entries()) yield* askFor(other, peers[i]!.bobUri)
        assert.deepStrictEqual(peers.map((there) => there.bob.frames.length), [5, 1])
        // Who has shown several paths may be several, so it is he who is refused; the other one waits.
        const refused = others.map(({ peer }) => peer.frames.filter(({ status }) => status === 408).length)
        assert.deepStrictEqual(refused, [25, 0])
        assert.strictEqual(world.relay.counters.unansweredOverLimit, 1)
        yield* askFor(carol, daveUri)
        assert.strictEqual(dave.frames.length, 30)
        for (const frame of bob.frames) bob.answer(frame)
        yield* until(() => peers[1].bob.frames.length === 30, "the rest")
      })
  )

  scenario(
    "R4976-9.3-05: those to one receiver hold no sender that has other sessions; further ones to that receiver are refused",
    { limits: { unansweredOfUser: reachedBy(18) } },
    (world) =>
      Effect.gen(function*() {
        const heard = heardIn(world)
        const { alice, bob, bobUri } = yield* world.pair()
        const mute = [yield* world.login({ username: "carol" }), yield* world.login({ username: "carol" })] as const
        const { bob: stranger, bobUri: strangerUri } = yield* world.join(mute[0])
        yield* ask(world, stranger, strangerUri, `${mute[0].usePath} ${mute[0].uri}`, 30)
        assert.lengthOf(mute[0].peer.frames, 18)
        const toBob = { to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: "bob1" }
        const toMute = { to: `${mute[1].usePath} ${mute[1].uri}`, from: alice.uri }
        const answered = Effect.fnUntraced(function*(...statuses: Array<number>) {
          yield* world.network!.settled
          assert.deepStrictEqual(alice.peer.frames.splice(0).map(({ status }) => status), statuses)
        })
        alice.peer.write(send(toBob), send({ ...toMute, messageId: "mute1" }))
        yield* answered(200, 413)
        for (const messageId of ["bob2", "bob3"]) {
          alice.peer.write(send({ ...toMute, messageId: `not${messageId}` }), send({ ...toBob, messageId }))
          yield* answered(413, 200)
        }
        assert.strictEqual(bob.frames.length, 3)
        // Who has said nothing is not said to want no more.
        const reasons = of(heard, "request refused").map(({ fields }) => fields["reason"])
        assert.deepStrictEqual([...new Set(reasons)], ["too much has no answer"])
        yield* TestClock.adjust("30 seconds")
        alice.peer.frames.length = 0
        alice.peer.write(send({ ...toMute, messageId: "mute2" }))
        yield* answered(200)
      })
  )

  scenario(
    "R4976-9.3-05: a connection that is held for one user goes on when another session sends; requests to that user are refused",
    { limits: { unansweredOfUser: 4 * PATH } },
    (world) =>
      Effect.gen(function*() {
        const mute = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        const gateway = yield* world.connect
        const from = fromPath(world.party("gateway"))
        const ask = request("NICKNAME", { to: `${mute.usePath} ${mute.uri}`, from })
        const other = world.party("other")
        const toCarol = (messageId: string) =>
          send({ to: `${carol.usePath} ${carol.uri}`, from: other, messageId, body: "hi" })
        const arrive = Effect.fnUntraced(function*(...ids: Array<string>) {
          yield* world.network!.settled
          assert.deepStrictEqual(carol.peer.frames.map((frame) => header(frame, "Message-ID")), ids)
        })
        // What it shows for the first time comes with what is too much: it was read when the connection is held.
        gateway.write(Buffer.concat([ask, ask, ask, ask, toCarol("with")]))
        yield* arrive("with")
        assert.strictEqual(world.relay.counters.unansweredOverLimit, 1)
        gateway.write(ask, toCarol("later"))
        yield* arrive("with", "later")
        assert.lengthOf(mute.peer.frames, 4)
        assert.deepStrictEqual(gateway.frames.splice(0).map(({ status }) => status), [200, 408, 200])
        yield* TestClock.adjust("30 seconds")
        gateway.write(ask)
        yield* world.network!.settled
        assert.lengthOf(mute.peer.frames, 5)
        yield* TestClock.adjust("30 seconds")
      })
  )
})

describe("requests without an answer, on a shared connection", () => {
  scenario(
    "R4976-9.3-05: those to many receivers hold a shared connection for two seconds; then the sender with most of them is refused",
    { limits: { unanswered: reachedBy(18) } },
    (world) =>
      Effect.gen(function*() {
        const carol = yield* world.login({ username: "carol" })
        const gateway = yield* world.connect
        const mute = yield* Effect.forEach([1, 2, 3, 4], () =>
          Effect.map(world.login(), ({ peer, uri, usePath }) => {
            const parts = { to: `${usePath} ${uri}`, from: fromPath(world.party("gateway")) }
            return { peer, ask: () => gateway.write(request("NICKNAME", parts)) }
          }))
        const toCarol = { to: `${carol.usePath} ${carol.uri}`, from: world.party("other") }
        const others = collect(carol.peer)
        const say = (messageId: string) => gateway.write(send({ ...toCarol, messageId, body: "hi" }))
        const arrive = Effect.fnUntraced(function*(count: number) {
          yield* world.network!.settled
          assert.lengthOf(others, count)
        })
        say("before")
        yield* arrive(1)
        for (let i = 0; i < 6; i++) for (const { ask } of mute) ask()
        yield* arrive(1)
        say("behind")
        yield* TestClock.adjust("1900 millis")
        yield* arrive(1)
        yield* TestClock.adjust("100 millis")
        yield* arrive(2)
        for (let i = 0; i < 50; i++) {
          for (const { ask } of mute) ask()
          say(`after.${i}`)
          yield* arrive(3 + i)
        }
        assert.lengthOf(gateway.frames.filter(({ status }) => status === 408), 200)
        assert.strictEqual(world.relay.gauges().transactions, 24)
        assert.strictEqual(world.relay.counters.unansweredOverLimit, 1)
        yield* TestClock.adjust("30 seconds")
        const before = mute[0]!.peer.frames.length
        mute[0]!.ask()
        yield* world.network!.settled
        assert.lengthOf(mute[0]!.peer.frames, before + 1)
        yield* TestClock.adjust("30 seconds")
      })
  )

  scenario(
    "R4976-9.3-05: one user of a shared connection leaves room for the others, however many paths it shows",
    { limits: { unanswered: reachedBy(18) } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri, carol, dave, daveUri } = yield* world.gateway()
        const heard = collect(dave)
        const to = `${carol.usePath} ${daveUri}`
        yield* flood(world, alice, bobUri, 100)
        yield* TestClock.adjust("2 seconds")
        yield* world.network!.settled
        assert.lengthOf(bob.frames, 18)
        for (let i = 0; i < 10; i++) {
          alice.peer.write(send({ to, from: carol.uri, messageId: `said.${i}`, body: "hi" }))
          yield* flood(world, alice, bobUri, 10)
        }
        assert.lengthOf(heard, 10)
        assert.lengthOf(bob.frames, 18)
        yield* TestClock.adjust("31 seconds")
      })
  )

  scenario(
    "R4976-9.3-05: a shared connection is not held again and again for a receiver that answers at the last moment",
    { limits: { unanswered: reachedBy(18) } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri, carol, dave, daveUri } = yield* world.gateway()
        const open: Array<Frame> = []
        bob.onFrame = (frame) => void open.push(frame)
        const heard = collect(dave)
        let [said, waited] = [0, 0]
        for (let tick = 1; tick <= 600; tick++) {
          if (heard.length === said) yield* flood(world, alice, bobUri, 3)
          const messageId = `said.${said++}`
          alice.peer.write(send({ to: `${carol.usePath} ${daveUri}`, from: carol.uri, messageId, body: "hi" }))
          yield* world.network!.settled
          if (heard.length < said) waited += 100
          yield* TestClock.adjust(100)
          if (tick % 19 === 0) { for (const frame of open.splice(0)) bob.answer(frame) }
        }
        // A third of this minute and of twenty seconds before it, in whole holds.
        assert.strictEqual(waited, 26_300)
        yield* TestClock.adjust("60 seconds")
        assert.lengthOf(heard, said)
      })
  )

  /** Receivers who answer their oldest request every 14 seconds, so that none is late; and a gateway that writes to them. */
  const reluctant = Effect.fnUntraced(function*(world: World, gateway: Peer, count: number) {
    const receivers = yield* Effect.forEach(
      Array.from({ length: count }),
      () =>
        Effect.map(world.login(), ({ peer, uri, usePath }) => {
          const parts = { to: `${usePath} ${uri}`, from: fromPath(world.party("gateway")) }
          return { peer, ask: () => gateway.write(request("NICKNAME", parts)) }
        })
    )
    const wait = Effect.suspend(() => {
      for (const { peer } of receivers) if (peer.frames.length > 0) peer.answer(peer.frames.shift()!, "200 OK", "whole")
      return TestClock.adjust("14 seconds")
    })
    return { receivers, wait }
  })

  scenario(
    "R4976-9.3-05: others go on, however many receivers in turn leave as many unanswered as there may be",
    { limits: { unanswered: 200 * PATH } },
    (world) =>
      Effect.gen(function*() {
        const carol = yield* world.login({ username: "carol" })
        const gateway = yield* world.connect
        const { receivers, wait } = yield* reluctant(world, gateway, 12)
        const others = collect(carol.peer)
        const say = () => gateway.write(send({ to: `${carol.usePath} ${carol.uri}`, from: world.party("other") }))
        for (const [i, { ask }] of receivers.entries()) {
          say()
          yield* TestClock.adjust("3 seconds")
          assert.lengthOf(others, i + 1)
          for (let j = 0; j < 220; j++) ask()
        }
        for (let i = 0; i < 10; i++) {
          yield* wait
          say()
          yield* world.network!.settled
          assert.lengthOf(others, receivers.length + i + 1)
        }
        yield* TestClock.adjust("60 seconds")
      })
  )

  for (const limit of ["unanswered", "unansweredOfUser"] as const) {
    scenario(
      `R4976-9.3-05: a connection is held for a minute at most where another session is silent, however seldom the receiver answers: ${limit}`,
      { limits: { [limit]: reachedBy(18) } },
      (world) =>
        Effect.gen(function*() {
          const { peer: gateway, uri, usePath } = yield* world.login({ username: "carol" })
          const alice = yield* world.login()
          const others = collect(alice.peer)
          const { receivers: [receiver], wait } = yield* reluctant(world, gateway, 1)
          for (let i = 0; i < 30; i++) {
            receiver!.ask()
            yield* world.network!.settled
          }
          gateway.write(send({ to: `${usePath} ${alice.usePath} ${alice.uri}`, from: uri, body: "hi" }))
          yield* Effect.replicateEffect(wait, 4)
          yield* TestClock.adjust(3999)
          assert.isEmpty(others)
          yield* TestClock.adjust(1)
          assert.lengthOf(others, 1)
          yield* TestClock.adjust("60 seconds")
        })
    )
  }
})
