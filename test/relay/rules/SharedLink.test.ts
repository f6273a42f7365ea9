/** Relays that have a connection for each session, and answer 481 to every other one on it; and those that have not. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { MAX_RETRY_BUFFERS } from "../../../src/relay/route/RetryBuffer.ts"
import { type TransportError } from "../../../src/Transport.ts"
import {
  type Frame,
  header,
  nextId,
  type Owner,
  type Peer,
  request,
  response,
  send,
  until,
  type World
} from "../../support/harness.ts"
import { connectFrom, listenAs, machine, options } from "../../support/relays.ts"
import { twoSessions } from "../../support/sessions.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated(options)

const far = (session: string): string => `msrps://far.example.org:2855/${session};tcp`
const bob = (session: string): string => `${far(session)} msrp://bob.invalid:9/${session};tcp`

/** What the relay further on has got: by connection, in order, the session and the body, `!` before what it refused. */
interface Far {
  readonly peers: ReadonlyArray<Peer>
  readonly got: ReadonlyArray<Array<string>>
}

/**
 * A relay that has a connection for each session: an AUTH that it grants, or the first SEND, binds it. `status`: what a
 * session hears that is known there.
 */
const oneEach = Effect.fnUntraced(function*(world: World, status = "200 OK"): Effect.fn.Return<
  Far,
  TransportError,
  Scope.Scope
> {
  const got: Array<Array<string>> = []
  let granted = 0
  const peers = yield* listenAs(world, "far.example.org", (peer) => {
    const mine: Array<string> = []
    got.push(mine)
    let bound: string | undefined
    peer.onFrame = (frame: Frame) => {
      if (frame.method === "") return
      const addressed = /\/\/[^/]+\/([^;]+);/.exec(frame.to.split(" ")[0]!)?.[1]
      const what = `${addressed ?? "AUTH"} ${frame.body?.toString().slice(0, 20) ?? ""}`.trimEnd()
      if (bound !== undefined && addressed !== bound) {
        mine.push(`! ${what}`)
        return peer.answer(frame, "481 No session")
      }
      mine.push(what)
      if (frame.method !== "AUTH") {
        bound = addressed
        return peer.answer(frame, status)
      }
      if (header(frame, "Authorization") === undefined) {
        return peer.answer(frame, "401 Unauthorized", "hop", "WWW-Authenticate: Digest realm=\"far\", nonce=\"n\"")
      }
      bound = `granted${++granted}`
      peer.answer(frame, "200 OK", "hop", `Use-Path: ${far(bound)}`)
    }
  })
  return { peers, got }
})

const write = ({ peer, uri, usePath }: Owner, to: string, ...bodies: ReadonlyArray<string>): void => {
  for (const body of bodies) {
    peer.write(send({ to: `${usePath} ${to}`, from: uri, messageId: nextId(), body }))
  }
}

/** All that was accepted has arrived, and nobody was told otherwise. */
const delivered = Effect.fnUntraced(function*(world: World, peers: ReadonlyArray<Peer>, count: number) {
  for (const peer of peers) {
    const frames = yield* peer.take(count)
    assert.deepStrictEqual(frames.map(({ status }) => status), Array(count).fill(200))
  }
  yield* until(() => world.relay.gauges().transactions + world.relay.gauges().bufferedOctets === 0, "all answers")
  for (const peer of peers) yield* peer.quiet
})

/** One message that arrives. */
const deliver = Effect.fnUntraced(function*(world: World, owner: Owner, session: string, body: string) {
  write(owner, bob(session), body)
  yield* delivered(world, [owner.peer], 1)
})

/** How each SEND that this relay has got is answered 481, by its body. */
const refusals = Effect.fnUntraced(function*(world: World, ...names: ReadonlyArray<string>) {
  const got = new Map<string, () => void>()
  for (const name of names) {
    yield* listenAs(world, name, (peer) => {
      peer.onFrame = (frame: Frame) => {
        if (frame.method === "SEND") got.set(frame.body!.toString(), () => peer.answer(frame, "481 No session"))
      }
    })
  }
  return got
})

/** The relay further on, whose connections do as the test says, has accepted a session of Alice's on the first. */
const oneAccepted = Effect.fnUntraced(function*(world: World) {
  const peers = yield* listenAs(world, "far.example.org")
  const { alice, carol } = yield* twoSessions(world)
  write(alice, bob("b1"), "hi")
  yield* until(() => peers[0]?.frames.length === 1, "it")
  peers[0]!.answer(yield* peers[0]!.next)
  yield* delivered(world, [alice.peer], 1)
  return { alice, carol, peers }
})

describe("a relay with a connection for each session", () => {
  scenario(
    "R4976-6.4.2-08: each session gets a connection of its own; no message is lost or reported",
    (world) =>
      Effect.gen(function*() {
        const { got } = yield* oneEach(world)
        const { alice, carol } = yield* twoSessions(world)
        yield* deliver(world, alice, "b1", "one")
        yield* deliver(world, carol, "b2", "two")
        assert.deepStrictEqual(got, [["b1 one", "! b2 two"], ["b2 two"]])
        const dave = yield* world.login()
        yield* deliver(world, dave, "b3", "three")
        // And all go on where they were.
        for (const [owner, session] of [[alice, "b1"], [carol, "b2"], [dave, "b3"]] as const) {
          yield* deliver(world, owner, session, "more")
        }
        assert.deepStrictEqual(got, [["b1 one", "! b2 two", "b1 more"], ["b2 two", "b2 more"], ["b3 three", "b3 more"]])
        assert.strictEqual(world.relay.counters.connectionsDialled, 3)
      })
  )

  scenario(
    "R4976-6.4.1-13 R4976-6.4.2-08: hears on one new connection of all that failed of a session, whose own one is gone",
    (world) =>
      Effect.gen(function*() {
        const { got, peers } = yield* oneEach(world)
        const [alice, carol] = [yield* world.login(), yield* world.login({ username: "carol" })]
        write(alice, bob("b1"), "one")
        write(carol, bob("b2"), "two")
        yield* delivered(world, [alice.peer, carol.peer], 1)
        assert.lengthOf(got, 2)
        const link = yield* connectFrom(world, machine(world, "far.example.org"))
        for (let i = 0; i < 20; i++) {
          link.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bob("b3"), messageId: `lost.${i}`, body: "hi" }))
        }
        yield* link.take(20)
        yield* alice.peer.take(20)
        world.network!.cut(link.connection)
        yield* world.network!.settled
        yield* alice.peer.close
        yield* world.network!.settled
        assert.deepStrictEqual(got.slice(2), [Array(20).fill("b3")])
        assert.lengthOf(peers, 3)
      })
  )

  scenario(
    "R4976-6.4.2-08: messages sent without waiting arrive once, in order, on the connection of their session",
    (world) =>
      Effect.gen(function*() {
        const { got } = yield* oneEach(world)
        const { alice, carol } = yield* twoSessions(world)
        // Both at once, while there is no connection yet.
        write(alice, bob("b1"), "a1", "a2", "a3")
        write(carol, bob("b2"), "c1", "c2", "c3")
        yield* delivered(world, [alice.peer, carol.peer], 3)
        const arrived = got.map((one) => one.filter((what) => !what.startsWith("!")))
        assert.deepStrictEqual(arrived.toSorted(([a], [b]) => a! < b! ? -1 : 1), [["b1 a1", "b1 a2", "b1 a3"], [
          "b2 c1",
          "b2 c2",
          "b2 c3"
        ]])
        write(carol, bob("b2"), "c4")
        write(alice, bob("b1"), "a4")
        yield* delivered(world, [alice.peer, carol.peer], 1)
        assert.strictEqual(world.relay.counters.reports, 0)
      })
  )

  scenario(
    "R4976-5.1-20 R4976-6.4.2-08: clients log in there, each on the connection that its messages then take",
    (world) =>
      Effect.gen(function*() {
        const { got } = yield* oneEach(world)
        const credentials = "Authorization: Digest username=\"x\", response=\"0\""
        const login = Effect.fnUntraced(function*({ peer, uri, usePath }: Owner, ...headers: Array<string>) {
          peer.write(request("AUTH", { to: `${usePath} msrps://far.example.org:2855;tcp`, from: uri, headers }))
          return yield* peer.next
        })
        const owners = [yield* world.login(), yield* world.login({ username: "carol" })]
        // Both are challenged on the first connection, which belongs to nobody until one of them is let in.
        for (const owner of owners) assert.strictEqual((yield* login(owner)).status, 401)
        const used: Array<string> = []
        for (const owner of owners) {
          const granted = yield* login(owner, credentials)
          assert.strictEqual(granted.status, 200)
          used.push(header(granted, "Use-Path")!)
        }
        for (const [i, owner] of owners.entries()) {
          write(owner, `${used[i]!} msrp://bob.invalid:9/b;tcp`, "hi")
          yield* delivered(world, [owner.peer], 1)
        }
        assert.deepStrictEqual(got, [
          ["AUTH", "AUTH", "AUTH", "! AUTH", "granted1 hi"],
          ["AUTH", "granted2 hi"]
        ])
      })
  )

  scenario(
    "R4976-5.1-20: a client that logged in without naming a port stays on that connection, but not for another port",
    (world) =>
      Effect.gen(function*() {
        const peers = yield* listenAs(world, "far.example.org")
        const { peer, uri, usePath } = yield* world.login()
        peer.write(request("AUTH", { to: `${usePath} msrps://far.example.org;tcp`, from: uri }))
        yield* until(() => peers[0]?.frames.length === 1, "the AUTH")
        peers[0]!.answer(yield* peers[0]!.next, "401 Unauthorized")
        assert.strictEqual((yield* peer.next).status, 401)
        peer.write(send({ to: `${usePath} ${bob("b1")}`, from: uri, body: "hi" }))
        peers[0]!.answer(yield* peers[0]!.next)
        yield* delivered(world, [peer], 1)
        assert.strictEqual(world.relay.counters.connectionsDialled, 1)
        peer.write(send({ to: `${usePath} ${bob("b1").replace(":2855", ":4000")}`, from: uri, body: "hi" }))
        assert.strictEqual((yield* peer.next).status, 200)
        assert.match(header(yield* peer.next, "Status")!, /^000 408/)
        assert.strictEqual(world.relay.counters.dialsFailed, 1)
      })
  )

  scenario(
    "R4976-6.4.2-10: a relay that connected in is dialled for sessions that it did not connect for",
    (world) =>
      Effect.gen(function*() {
        const { got } = yield* oneEach(world)
        const { alice, carol } = yield* twoSessions(world)
        const link = yield* connectFrom(world, machine(world, "gate.example.org", ["far.example.org"]))
        link.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bob("b1"), body: "to Alice" }))
        assert.strictEqual((yield* link.next).status, 200)
        alice.peer.answer(yield* alice.peer.next)
        write(carol, bob("b2"), "to Bob")
        const refused = yield* link.next
        link.answer(refused, "481 No session")
        yield* delivered(world, [carol.peer], 1)
        assert.deepStrictEqual(got, [["b2 to Bob"]])
        write(alice, bob("b1"), "back")
        assert.strictEqual((yield* alice.peer.next).status, 200)
        link.answer(yield* link.next)
      })
  )

  scenario(
    "R4976-6.4.3-02 R4976-6.4.2-08: a request that was sent again is answered once, also when the first connection breaks",
    (world) =>
      Effect.gen(function*() {
        const { carol, peers } = yield* oneAccepted(world)
        write(carol, bob("b2"), "hi")
        carol.peer.write(request("PING", { to: `${carol.usePath} ${bob("b2")}`, from: carol.uri, id: "ping0001" }))
        assert.strictEqual((yield* carol.peer.next).status, 200)
        peers[0]!.answer((yield* peers[0]!.take(2))[0]!, "481 No session")
        yield* until(() => peers[1]?.frames.length === 2, "both again")
        yield* peers[0]!.close
        for (const frame of yield* peers[1]!.take(2)) peers[1]!.answer(frame)
        const { id, status } = yield* carol.peer.next
        assert.deepStrictEqual([id, status], ["ping0001", 200])
        yield* carol.peer.quiet
      })
  )

  scenario(
    "R4976-6.4.2-08: a message too long to be sent again does not begin on the connection of another session",
    (world) =>
      Effect.gen(function*() {
        const { got } = yield* oneEach(world)
        const { alice, carol } = yield* twoSessions(world)
        yield* deliver(world, alice, "b1", "one")
        yield* deliver(world, carol, "b2", "x".repeat(100_000))
        assert.deepStrictEqual(got, [["b1 one"], ["b2 xxxxxxxxxxxxxxxxxxxx"]])
      })
  )

  scenario(
    "R4976-6.4.3-01 R4976-9.3-06: a sender hears of each message beyond those that are kept to be sent again",
    (world) =>
      Effect.gen(function*() {
        const { got } = yield* oneEach(world)
        const { alice, carol } = yield* twoSessions(world)
        yield* deliver(world, alice, "b1", "one")
        const bodies = Array.from({ length: 12 }, (_, i) => String(i).padEnd(1500, "x"))
        write(carol, bob("b2"), ...bodies)
        const frames = yield* carol.peer.take(24)
        const reports = frames.filter(({ method }) => method === "REPORT")
        assert.deepStrictEqual(reports.map((one) => header(one, "Status")?.slice(0, 7)), Array(12).fill("000 481"))
        assert.lengthOf(got, 1)
      })
  )
})

describe("a relay that takes several sessions on a connection", () => {
  scenario(
    "R4976-6.4.3-01 R4976-9.3-06: a session beyond those that are tried at once hears 481 without a second try",
    (world) =>
      Effect.gen(function*() {
        const got = yield* refusals(world, "far.example.org")
        const owners = yield* Effect.replicateEffect(world.login(), MAX_RETRY_BUFFERS + 1)
        const begin = (at: number): void => write(owners[at]!, bob(`b${at}`), String(at))
        for (let at = 0; at < MAX_RETRY_BUFFERS; at++) begin(at)
        yield* until(() => got.size === MAX_RETRY_BUFFERS, "all that are tried")
        begin(MAX_RETRY_BUFFERS)
        yield* until(() => got.size === owners.length, "one more")
        for (const at of [0, MAX_RETRY_BUFFERS]) got.get(String(at))!()
        const told = yield* owners[MAX_RETRY_BUFFERS]!.peer.take(2)
        assert.strictEqual(header(told[1]!, "Status"), "000 481 No session")
        yield* until(() => world.relay.counters.connectionsDialled === 2, "a connection for the session that was tried")
        yield* owners[0]!.peer.take(1)
        yield* owners[0]!.peer.quiet
      })
  )

  scenario(
    "R4976-9.3-06: the sessions of a user that are tried are bounded over all relays, and other users are not affected",
    (world) =>
      Effect.gen(function*() {
        const got = yield* refusals(world, "far.example.org", "further.example.org")
        const begin = (owner: Owner, name: string): void =>
          write(owner, bob(name).replaceAll("far.", name.startsWith("b") ? "far." : "further."), name)
        const carols = yield* Effect.replicateEffect(world.login({ username: "carol" }), 2)
        const alices = yield* Effect.replicateEffect(world.login(), MAX_RETRY_BUFFERS + 1)
        begin(carols[0]!, "carol")
        for (let at = 0; at < MAX_RETRY_BUFFERS; at++) begin(alices[at]!, `b${at}`)
        yield* until(() => got.size === MAX_RETRY_BUFFERS + 1, "all that are tried")
        begin(alices[MAX_RETRY_BUFFERS]!, "alice")
        begin(carols[1]!, "second")
        yield* until(() => got.size === MAX_RETRY_BUFFERS + 3, "two more")
        for (const name of ["alice", "second"]) got.get(name)!()
        const told = yield* alices[MAX_RETRY_BUFFERS]!.peer.take(2)
        assert.strictEqual(header(told[1]!, "Status"), "000 481 No session")
        yield* until(() => world.relay.counters.connectionsDialled === 3, "a connection for the session that was tried")
      })
  )

  scenario(
    "R4976-6.4.3-01: once a relay has taken several sessions, 481 is passed on and no connection is made for it",
    (world) =>
      Effect.gen(function*() {
        const peers = yield* listenAs(world, "far.example.org")
        const owners = [yield* world.login(), yield* world.login({ username: "carol" }), yield* world.login()]
        for (const [i, owner] of owners.entries()) {
          write(owner, bob(`b${i}`), "hi")
          yield* until(() => peers[0]?.frames.length === 1, "it")
          peers[0]!.answer(yield* peers[0]!.next, i < 2 ? "200 OK" : "481 No session")
          assert.strictEqual((yield* owner.peer.next).status, 200)
        }
        assert.match(header(yield* owners[2]!.peer.next, "Status")!, /^000 481/)
        assert.strictEqual(world.relay.counters.connectionsDialled, 1)
      })
  )

  scenario(
    "R4976-6.4.3-01 R4976-9.3-06: sessions that it has lost in a restart make no connections, until it has taken only one on a connection since",
    (world) =>
      Effect.gen(function*() {
        // What each of its connections takes, in order.
        const takes: Array<(session: string) => boolean> = [() => true, () => false, (session) => session === "b1"]
        const got: Array<Array<string>> = []
        const peers = yield* listenAs(world, "far.example.org", (peer) => {
          const mine: Array<string> = []
          got.push(mine)
          const isTaken = takes.shift() ?? (() => true)
          peer.onFrame = (frame: Frame) => {
            if (frame.method !== "SEND") return
            const session = /\/\/[^/]+\/([^;]+);/.exec(frame.to)![1]!
            mine.push(session)
            peer.answer(frame, isTaken(session) ? "200 OK" : "481 No session")
          }
        })
        const owners = [yield* world.login(), yield* world.login({ username: "carol" }), yield* world.login()]
        const restarts = Effect.suspend(() => {
          world.network!.cut(peers.at(-1)!.connection)
          return world.network!.settled
        })
        /** All write at once; what is reported to each. */
        const say = Effect.fnUntraced(function*(body: string) {
          owners.forEach((owner, i) => write(owner, bob(`b${i + 1}`), body))
          yield* world.network!.settled
          return owners.map(({ peer }) => {
            const frames = peer.frames.splice(0)
            assert.strictEqual(frames.shift()?.status, 200)
            return frames.map((frame) => header(frame, "Status")!.slice(0, 7)).join()
          })
        })
        assert.deepStrictEqual(yield* say("one"), ["", "", ""])
        yield* restarts
        assert.deepStrictEqual(yield* say("two"), Array(3).fill("000 481"))
        assert.deepStrictEqual(got, [["b1", "b2", "b3"], ["b1", "b2", "b3"]])
        yield* restarts
        // It is another relay now, with a connection for each session, which shows on the connection after this one.
        assert.deepStrictEqual(yield* say("three"), ["", "000 481", "000 481"])
        assert.lengthOf(got, 3)
        yield* restarts
        takes.push((session) => session === "b1")
        assert.deepStrictEqual(yield* say("four"), ["", "", ""])
        assert.deepStrictEqual(got.slice(3).map((sessions) => sessions.join()), ["b1,b2,b3", "b2", "b3"])
      })
  )

  scenario(
    "R4976-6.4.2-08: a message too long to be sent again begins on its connection once that was made anew",
    (world) =>
      Effect.gen(function*() {
        const got: Array<number> = []
        const peers = yield* listenAs(world, "far.example.org", (peer) => {
          const i = got.push(0) - 1
          peer.onFrame = (frame: Frame) => {
            if (frame.method !== "SEND") return
            got[i]!++
            peer.answer(frame)
          }
        })
        const { alice, carol } = yield* twoSessions(world)
        yield* deliver(world, alice, "b1", "one")
        yield* deliver(world, carol, "b2", "two")
        world.network!.cut(peers[0]!.connection)
        yield* world.network!.settled
        yield* deliver(world, alice, "b1", "three")
        yield* until(() => world.relay.gauges().transactions === 0, "all answers")
        write(carol, bob("b2"), "x".repeat(100_000))
        yield* until(() => got[0]! + got[1]! > 3, "the long one")
        assert.strictEqual(world.relay.counters.connectionsDialled, 2)
      })
  )

  scenario(
    "R4976-6.4.3-01: before that a session is tried a second time and its answer passed on; other sessions share the connection",
    (world) =>
      Effect.gen(function*() {
        const { carol, peers } = yield* oneAccepted(world)
        write(carol, bob("gone"), "hi")
        peers[0]!.answer(yield* peers[0]!.next, "481 No session")
        yield* until(() => peers[1]?.frames.length === 1, "the second time")
        peers[1]!.answer(yield* peers[1]!.next, "481 No session")
        assert.strictEqual((yield* carol.peer.next).status, 200)
        assert.match(header(yield* carol.peer.next, "Status")!, /^000 481/)
        yield* carol.peer.quiet
        const dave = yield* world.login()
        write(dave, bob("b3"), "hi")
        assert.strictEqual((yield* peers[0]!.next).body?.toString(), "hi")
        peers[0]!.write(response("msrps://x.example:1/x;tcp", "msrps://x.example:1/x;tcp", "nothing1", "200 OK"))
        yield* dave.peer.next
        assert.strictEqual(world.relay.counters.connectionsDialled, 2)
      })
  )

  scenario(
    "R4976-6.4.3-01: what the relay did not refuse when it refused a later request is not sent again, nor reported",
    (world) =>
      Effect.gen(function*() {
        const { carol, peers } = yield* oneAccepted(world)
        for (const [failureReport, body] of [["partial", "first"], ["yes", "second"]] as const) {
          const headers = [`Failure-Report: ${failureReport}`]
          carol.peer.write(
            send({ to: `${carol.usePath} ${bob("b2")}`, from: carol.uri, messageId: body, body, headers })
          )
        }
        assert.strictEqual((yield* carol.peer.next).status, 200)
        peers[0]!.answer((yield* peers[0]!.take(2))[1]!, "481 No session")
        const report = yield* carol.peer.next
        assert.deepStrictEqual([header(report, "Message-ID"), header(report, "Status")], [
          "second",
          "000 481 No session"
        ])
        yield* carol.peer.quiet
        assert.strictEqual(world.relay.counters.connectionsDialled, 1)
      })
  )

  scenario("R4976-6.4.3-01: a session alone on a connection hears 481 at once", (world) =>
    Effect.gen(function*() {
      const { got } = yield* oneEach(world, "481 No session")
      const alice = yield* world.login()
      write(alice, bob("b1"), "hi")
      assert.strictEqual((yield* alice.peer.next).status, 200)
      assert.match(header(yield* alice.peer.next, "Status")!, /^000 481/)
      assert.deepStrictEqual(got, [["b1 hi"]])
    }))

  scenario(
    "R4976-6.4.3-01: other refusals make no further connection, and are reported once",
    (world) =>
      Effect.gen(function*() {
        const { carol, peers } = yield* oneAccepted(world)
        write(carol, bob("b2"), "refused", "not known")
        const [first, second] = yield* peers[0]!.take(2)
        peers[0]!.answer(first!, "415 No")
        yield* carol.peer.take(2)
        assert.match(header(yield* carol.peer.next, "Status")!, /^000 415/)
        peers[0]!.answer(second!, "481 No session")
        yield* until(() => peers[1]?.frames.length === 1, "the second time")
        const again = yield* peers[1]!.next
        assert.strictEqual(again.body?.toString(), "not known")
        peers[1]!.answer(again)
        yield* until(() => world.relay.gauges().transactions === 0, "all answers")
        yield* peers[1]!.quiet
        yield* carol.peer.quiet
      })
  )
})
