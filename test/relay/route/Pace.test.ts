/** Bounds on how fast requests pass through a session, and on how many sessions a user has. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Pace } from "../../../src/relay/route/Pace.ts"
import { collect, type Frame, request, send, type World, type WorldOptions } from "../../support/harness.ts"
import { pattern } from "../../support/Recorder.ts"
import { connectFrom, machine, options } from "../../support/relays.ts"
import { type Body, simulated } from "../../support/simulated.ts"

const played = simulated()
const scenario = (title: string, options: WorldOptions, body: Body): void => played(title, body, options)

const sends = (frames: ReadonlyArray<Frame>): number => frames.filter(({ method }) => method === "SEND").length

describe("Pace", () => {
  it("R4976-9.3-06: lets a second's worth pass at once, and then as much as the rates allow", () => {
    const pace = new Pace({ requestRate: 10, octetRate: 1000 })
    for (let i = 0; i < 10; i++) assert.isAtMost(pace.spend(5000, 1, 0), 5000)
    assert.strictEqual(pace.spend(5000, 1, 0), 5100)
    assert.strictEqual(pace.spend(5100, 0, 1000), 5100)
    assert.strictEqual(pace.spend(5100, 0, 500), 5600)
    // What was not used long ago cannot be made up for.
    assert.strictEqual(pace.spend(100_000, 0, 1500), 100_500)
  })
})

describe("a session that may bring so many requests per second", () => {
  scenario(
    "what was read from a client before it disconnected arrives, however fast it was",
    { limits: { requestRate: 10 } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const frames = collect(bob)
        yield* TestClock.adjust("1 second")
        alice.peer.write(...Array.from({ length: 40 }, (_, i) =>
          send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: `msg.${i}`, body: "hi" })))
        yield* world.network!.settled
        assert.strictEqual(sends(frames), 11)
        world.network!.cut(alice.peer.connection)
        yield* world.network!.settled
        assert.strictEqual(sends(frames), 40)
        yield* TestClock.adjust("31 seconds")
      })
  )

  scenario(
    "R4976-9.3-06 R4976-9.3-04: what is more waits, and nothing is lost",
    { limits: { requestRate: 10 } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const carol = yield* world.login({ username: "carol" })
        const there = yield* world.join(carol)
        const frames = collect(bob)
        yield* TestClock.adjust("1 second")
        for (let i = 0; i < 40; i++) {
          alice.peer.write(
            send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: `msg.${i}`, body: "hi" })
          )
        }
        alice.peer.write(request("PING", { id: "behind01", to: world.uri, from: alice.uri }))
        yield* world.network!.settled
        // A second's worth, and the one that shows that it is too much.
        assert.strictEqual(sends(frames), 11)
        assert.strictEqual(world.relay.counters.paced, 1)
        // Others do not notice, nor does what comes the other way.
        carol.peer.write(send({ to: `${carol.usePath} ${there.bobUri}`, from: carol.uri, body: "undisturbed" }))
        assert.strictEqual((yield* carol.peer.next).status, 200)
        there.bob.answer(yield* there.bob.next)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(sends(frames), 21)
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(
          frames.map(({ body, headers }) => `${headers[0]![1]} ${String(body)}`),
          Array.from({ length: 40 }, (_, i) => `msg.${i} hi`)
        )
        const answers = yield* alice.peer.take(41)
        assert.deepStrictEqual(answers.map(({ status }) => status), [...Array(40).fill(200), 481])
        assert.strictEqual(answers.at(-1)!.id, "behind01")
      })
  )

  scenario(
    "R4976-9.3-06: octets of long chunks count while they pass",
    { limits: { octetRate: 20_000 } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const frames = collect(bob)
        const body = pattern(200_000)
        alice.peer.write(
          send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, range: "1-*/200000", failureReport: "no", body })
        )
        yield* world.network!.settled
        assert.isAtMost(bob.length, 70_000)
        yield* TestClock.adjust("5 seconds")
        assert.isBelow(bob.length, 200_000)
        yield* TestClock.adjust("6 seconds")
        assert.isTrue(Buffer.concat(frames.map((frame) => frame.body!)).equals(body))
      })
  )

  scenario(
    "a connection that goes while it waits leaves nothing",
    { limits: { requestRate: 1 } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bobUri } = yield* world.pair()
        for (let i = 0; i < 5; i++) {
          alice.peer.write(
            send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, failureReport: "no", body: "hi" })
          )
        }
        yield* world.network!.settled
        assert.strictEqual(world.relay.counters.paced, 1)
        yield* alice.peer.close
        yield* TestClock.adjust("10 seconds")
      })
  )

  scenario("without a rate nobody waits", {}, (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const frames = collect(bob)
      for (let i = 0; i < 500; i++) {
        alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, failureReport: "no", body: "hi" }))
      }
      yield* world.network!.settled
      assert.lengthOf(frames, 500)
      assert.strictEqual(world.relay.counters.paced, 0)
    }))
})

describe("a connection of several users", () => {
  const gateway = Effect.fnUntraced(function*(world: World) {
    const { alice, bob, bobUri, carol, dave, daveUri } = yield* world.gateway()
    const reports = collect(alice.peer)
    const toBob = { to: `${alice.usePath} ${bobUri}`, from: alice.uri }
    const toDave = { to: `${carol.usePath} ${daveUri}`, from: carol.uri, body: "hi" }
    yield* TestClock.adjust("1 second")
    const say = Effect.fnUntraced(function*(messageId: string) {
      alice.peer.write(send({ ...toDave, messageId }))
      yield* world.network!.settled
    })
    return { alice, carol, bob, fast: collect(bob), heard: collect(dave), reports, say, toBob }
  })

  scenario(
    "R4976-9.3-05 R4976-9.3-06: reads on for the other sessions: only the one that is too fast waits, and nothing is lost",
    { limits: { requestRate: 10 } },
    (world) =>
      Effect.gen(function*() {
        const { alice, fast, heard, reports, say, toBob } = yield* gateway(world)
        for (let i = 0; i < 40; i++) alice.peer.write(send({ ...toBob, messageId: `msg.${i}`, body: "hi" }))
        yield* say("behind")
        assert.strictEqual(sends(fast), 11)
        assert.strictEqual(sends(heard), 1)
        yield* TestClock.adjust("4 seconds")
        assert.deepStrictEqual(
          fast.map(({ headers }) => headers[0]![1]),
          Array.from({ length: 40 }, (_, i) => `msg.${i}`)
        )
        assert.isTrue(reports.every(({ status }) => status === 200))
      })
  )

  scenario(
    "R4976-9.3-05 R4976-9.3-06: is read to the end of a long chunk, whose octets count while they pass",
    { limits: { octetRate: 20_000 } },
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, fast, heard, say, toBob } = yield* gateway(world)
        const body = pattern(200_000)
        alice.peer.write(send({ ...toBob, range: "1-*/200000", body }))
        yield* say("behind")
        assert.strictEqual(sends(heard), 1)
        yield* TestClock.adjust("5 seconds")
        assert.isBelow(bob.length, 150_000)
        yield* TestClock.adjust("6 seconds")
        assert.isTrue(Buffer.concat(fast.map((frame) => frame.body!)).equals(body))
        yield* TestClock.adjust("31 seconds")
      })
  )

  scenario(
    "R4976-9.3-06: a rate that is set counts for a long chunk that has begun",
    {},
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, fast, toBob } = yield* gateway(world)
        const body = pattern(200_000)
        const chunk = send({ ...toBob, range: "1-*/200000", body })
        alice.peer.write(chunk.subarray(0, 50_000))
        yield* world.network!.settled
        world.change({ limits: { octetRate: 20_000 } })
        yield* TestClock.adjust("1 second")
        alice.peer.write(chunk.subarray(50_000))
        yield* TestClock.adjust("3 seconds")
        assert.isBelow(bob.length, 170_000)
        yield* TestClock.adjust("6 seconds")
        assert.isTrue(Buffer.concat(fast.map((frame) => frame.body!)).equals(body))
        yield* TestClock.adjust("31 seconds")
      })
  )

  scenario(
    "R4976-9.3-05 R4976-9.3-06: is held for two seconds for a session that is far too fast; then its messages fail for that reason",
    { limits: { requestRate: 10, session: 20_000 } },
    (world) =>
      Effect.gen(function*() {
        const { alice, fast, heard, reports, say, toBob } = yield* gateway(world)
        yield* TestClock.adjust("70 seconds")
        for (let i = 0; i < 300; i++) alice.peer.write(send({ ...toBob, messageId: `msg.${i}`, body: "hi" }))
        yield* world.network!.settled
        yield* TestClock.adjust("2 seconds")
        yield* say("behind")
        assert.strictEqual(sends(heard), 1)
        yield* TestClock.adjust("20 seconds")
        const refused = reports.filter(({ method, status }) => method === "REPORT" || status === 408).length
        assert.isAbove(refused, 100)
        assert.strictEqual(sends(fast) + refused, 300)
        const { receiversGivenUp, sessionsTooFast } = world.relay.counters
        assert.deepStrictEqual([receiversGivenUp, sessionsTooFast], [0, 1])
      })
  )

  scenario(
    "R4976-9.3-05 R4976-9.3-06: is held no longer for a user with many paths, each of which has few octets waiting",
    { limits: { requestRate: 10, connection: 40_000 } },
    (world) =>
      Effect.gen(function*() {
        const { alice, heard, say, toBob } = yield* gateway(world)
        yield* TestClock.adjust("70 seconds")
        for (let i = 0; i < 300; i++) {
          const from = `${alice.uri} msrp://h.invalid:9/path${i % 20};tcp`
          alice.peer.write(send({ ...toBob, from, messageId: `msg.${i}`, body: "hi" }))
        }
        yield* world.network!.settled
        yield* say("behind")
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(sends(heard), 1)
        yield* TestClock.adjust("60 seconds")
      })
  )
})

describe("sessions of one user", () => {
  scenario(
    "R4976-9.3-06: are bounded over all connections; others are not affected, and what expired counts no more",
    { sessions: { maxSessionsPerUser: 2, cleanupInterval: "1 hour" } },
    (world) =>
      Effect.gen(function*() {
        const one = yield* world.login()
        yield* world.login({ headers: ["Expires: 10"] })
        const late = yield* world.connect
        const uri = world.party()
        const answer = Effect.gen(function*() {
          return yield* world.auth(late, uri, world.authorization(yield* world.challenge(late, uri)))
        })
        assert.strictEqual((yield* answer).status, 403)
        assert.strictEqual(world.relay.counters.sessionsRefused, 1)
        yield* world.login({ username: "carol" })
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* answer).status, 200)
        assert.strictEqual((yield* answer).status, 403)
        yield* one.peer.close
        assert.strictEqual((yield* answer).status, 200)
      })
  )
})

describe("the link of another relay", () => {
  const FROM = "msrps://outer.example.net:2855/s1;tcp msrp://client.invalid:9/c1;tcp"

  scenario(
    "R4976-9.3-05 R4976-9.3-06: is read at all times: only the session that is too fast waits, and nothing is lost",
    { ...options, limits: { requestRate: 10, octetRate: 10_000 } },
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        const link = yield* connectFrom(world, machine(world, "outer.example.net"))
        const answers = collect(link)
        const fast = collect(alice.peer)
        const other = collect(carol.peer)
        yield* TestClock.adjust("1 second")
        const to = `${alice.usePath} ${alice.uri}`
        link.write(...Array.from({ length: 40 }, (_, i) => send({ to, from: FROM, messageId: `msg.${i}`, body: "hi" })))
        const body = pattern(50_000)
        link.write(send({ to, from: FROM, messageId: "long", body, range: "1-*/50000" }))
        const text = send({ to: `${carol.usePath} ${carol.uri}`, from: FROM, messageId: "text", body: "hi" })
        link.write(text)
        yield* world.network!.settled
        assert.deepStrictEqual([sends(other), sends(fast)], [1, 11])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual([sends(other), sends(fast)], [1, 21])
        link.write(text)
        yield* TestClock.adjust("1900 millis")
        assert.deepStrictEqual([sends(other), sends(fast)], [2, 40])
        yield* TestClock.adjust("10 seconds")
        const long = fast.filter((frame) => frame.headers.some(([, value]) => value === "long"))
        assert.deepStrictEqual(Buffer.concat(long.map((frame) => frame.body!)), body)
        assert.strictEqual(answers.filter(({ status }) => status === 200).length, 43)
        assert.strictEqual(answers.filter(({ method }) => method === "REPORT").length, 0)
      })
  )

  scenario(
    "R4976-9.3-06: messages that come far too fast are reported for that reason, and no receiver is given up",
    { ...options, limits: { requestRate: 10, relayed: 20_000 } },
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        const link = yield* connectFrom(world, machine(world, "outer.example.net"))
        const heard = collect(link)
        const frames = collect(alice.peer)
        yield* TestClock.adjust("1 second")
        const to = `${alice.usePath} ${alice.uri}`
        link.write(send({ to, from: FROM, body: "one" }))
        link.write(send({ to: `${carol.usePath} ${carol.uri}`, from: FROM, body: "another" }))
        for (let i = 0; i < 40; i++) {
          link.write(send({ to, from: FROM, messageId: `msg.${i}`, body: pattern(1000), range: "1-1000/1000" }))
        }
        yield* world.network!.settled
        const { receiversGivenUp, sessionsTooFast } = world.relay.counters
        assert.deepStrictEqual([receiversGivenUp, sessionsTooFast], [0, 1])
        const told = heard.filter((frame) => frame.method === "REPORT" || frame.status >= 400).length
        assert.strictEqual(sends(frames) + told, 41)
        const reason = "its session is faster than it may be"
        for (const line of ["message not delivered", "request refused"]) {
          assert.isTrue(world.log.some((one) => one.includes(line) && one.includes(reason)), line)
        }
        yield* TestClock.adjust("10 seconds")
      })
  )
})
