/** How output is shared and bounded while a receiver is slow, on a simulated network where nothing is by chance. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { BLOCK } from "../../../src/relay/Blocks.ts"
import { QUANTUM } from "../../../src/relay/outbound/Outbound.ts"
import { LEAST_UNANSWERED } from "../../../src/relay/outbound/Window.ts"
import { Transport, type TransportError } from "../../../src/Transport.ts"
import {
  collect,
  type Frame,
  header,
  makeWorld,
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
import { type Body, simulated } from "../../support/simulated.ts"

const WINDOW = 8192
const OUTPUT = 20_000
const SLAB = 65_536

const scenario = (title: string, body: Body, limits: WorldOptions["limits"] = {}, window = WINDOW): void =>
  simulated({ limits: { output: OUTPUT, ...limits } }, { window })(title, body)

/** Two owners who send to Bob on one connection of his. */
const two = Effect.fnUntraced(function*(world: World) {
  const { alice, bob, bobUri } = yield* world.pair()
  const carol = yield* world.login({ username: "carol" })
  const second = yield* world.join(carol, bob)
  return {
    bob,
    alice: { ...alice, to: `${alice.usePath} ${bobUri}` },
    carol: { ...carol, to: `${carol.usePath} ${second.bobUri}` }
  }
})

/** Waits until nothing moves any more. */
const settled = (world: World) => world.network!.settled

/** Octets of a large message. */
const LARGE = 400_000

/** Alice and Carol send a large message each to Bob, who reads nothing. Returns their bodies by Message-ID. */
const twoLarge = Effect.fnUntraced(function*(world: World) {
  const { bob, ...owners } = yield* two(world)
  bob.connection.pause()
  const bodies = { alice: pattern(LARGE, 1), carol: pattern(LARGE, 2) }
  for (const messageId of ["alice", "carol"] as const) {
    const { peer, to, uri } = owners[messageId]
    peer.write(send({ to, from: uri, messageId, range: `1-*/${LARGE}`, body: bodies[messageId] }))
  }
  yield* settled(world)
  return { bob, bodies }
})

/** Bob reads until he has both messages. Returns his frames. */
const readBoth = Effect.fnUntraced(function*(bob: Peer) {
  const frames = collect(bob)
  bob.connection.resume()
  yield* until(() => frames.filter(({ flag }) => flag === "$").length === 2, "both messages")
  return frames
})

/** The pieces of a message, of which each octet must be there. */
const piecesOf = (frames: ReadonlyArray<Frame>, messageId: string, body: Buffer): ReadonlyArray<Frame> => {
  const pieces = frames.filter((frame) => header(frame, "Message-ID") === messageId)
  assert.isTrue(Buffer.concat(pieces.map((piece) => piece.body!)).equals(body))
  return pieces
}

describe("a slow receiver", () => {
  scenario(
    "gets large messages of several senders in turns (R4975-7.1.1-23, 7.1.1-20, R4976-3-03)",
    (world) =>
      Effect.gen(function*() {
        const { bob, bodies } = yield* twoLarge(world)
        const frames = yield* readBoth(bob)
        for (const [name, body] of Object.entries(bodies)) {
          const pieces = piecesOf(frames, name, body)
          let next = 1
          for (const piece of pieces) {
            assert.strictEqual(header(piece, "Byte-Range"), `${next}-*/${LARGE}`)
            next += piece.body!.length
          }
        }
        // while both wait, nobody has two turns; before and after that one may be alone
        const names = frames.map((frame) => header(frame, "Message-ID")!)
        const shared = names.slice(
          names.indexOf("carol"),
          Math.min(names.lastIndexOf("alice"), names.lastIndexOf("carol"))
        )
        assert.isAbove(shared.length, 20)
        shared.forEach((name, i) => i > 0 && assert.notStrictEqual(name, shared[i - 1]))
        for (const { body } of frames.slice(names.indexOf("carol"), names.indexOf("carol") + shared.length)) {
          assert.isAtMost(body!.length, QUANTUM + 1)
        }
      }),
    { session: 1_000_000, connection: 2_000_000, output: 100_000 }
  )

  scenario(
    "gets every octet of what was written in part, whatever is parked for others before the rest is",
    (world) =>
      Effect.gen(function*() {
        const { bob, bodies } = yield* twoLarge(world)
        const allocated = vi.spyOn(Buffer, "allocUnsafeSlow")
        const frames = yield* readBoth(bob)
        // Blocks are used again.
        assert.isBelow(allocated.mock.calls.filter(([length]) => length >= BLOCK / 2).length, 10)
        allocated.mockRestore()
        for (const [messageId, body] of Object.entries(bodies)) piecesOf(frames, messageId, body)
      }),
    { session: 4 * BLOCK },
    4 * BLOCK - 5000
  )

  scenario(
    "gets as much of a user with one connection as of a user with ten (R4976-9.3-05)",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, carol } = yield* two(world)
        const greedy = [alice]
        while (greedy.length < 10) {
          const owner = yield* world.login()
          const { bobUri } = yield* world.join(owner, bob)
          greedy.push({ ...owner, to: `${owner.usePath} ${bobUri}` })
        }
        bob.connection.pause()
        const octets = 200_000
        for (const [name, owners] of [["alice", greedy], ["carol", [carol]]] as const) {
          for (const { peer, to, uri } of owners) {
            peer.write(send({ to, from: uri, messageId: name, range: `1-*/${octets}`, body: pattern(octets) }))
          }
          yield* settled(world)
        }
        const frames = collect(bob)
        bob.connection.resume()
        yield* until(
          () => frames.some((frame) => header(frame, "Message-ID") === "carol" && frame.flag === "$"),
          "what the user with one connection sends"
        )
        const sum = (name: string): number =>
          frames.filter((frame) => header(frame, "Message-ID") === name)
            .reduce((octets, { body }) => octets + body!.length, 0)
        assert.strictEqual(sum("carol"), octets)
        // What was there first is before all turns.
        assert.isAtMost(sum("alice"), octets + LEAST_UNANSWERED + OUTPUT + SLAB)
        yield* until(() => frames.filter(({ flag }) => flag === "$").length === 11, "all that the other one sends")
      }),
    { session: 1_000_000 }
  )

  scenario(
    "gets a response after little more than the output limit (R4975-7.1.1-22, 7.1.1-21)",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob } = yield* two(world)
        bob.connection.pause()
        alice.peer.write(
          send({ to: alice.to, from: alice.uri, messageId: "long.1", range: "1-*/3000000", body: pattern(3_000_000) })
        )
        yield* settled(world)
        const frames = collect(bob)
        // a request of his own, that is answered at once
        bob.write(request("PING", { id: "ping0001", to: world.uri, from: "msrp://bob.invalid:9/p;tcp" }))
        yield* settled(world)
        const before = bob.length
        bob.connection.resume()
        yield* until(() => frames.some(({ id }) => id === "ping0001"), "the answer")
        const at = frames.findIndex(({ id }) => id === "ping0001")
        const octets = frames.slice(0, at).reduce((sum, frame) => sum + frame.octets.length, 0)
        assert.isAbove(at, 0)
        assert.isAtMost(octets, WINDOW + OUTPUT + SLAB)
        assert.isAtLeast(bob.length, before)
        yield* until(() => frames.some(({ flag, method }) => method === "SEND" && flag === "$"), "the message")
      }),
    { session: 5_000_000, connection: 5_000_000 }
  )

  scenario(
    "all sessions of one sender together are bounded, then it is not read (R4976-9.3-04)",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const { bob } = yield* world.join(alice)
        const others = yield* Effect.forEach([1, 2, 3, 4, 5], () =>
          Effect.gen(function*() {
            const owner = yield* world.login({ peer: alice.peer })
            return { owner, ...(yield* world.join(owner)) }
          }))
        for (const other of others) other.bob.connection.pause()
        bob.connection.pause()
        for (const { bobUri, owner } of others) {
          alice.peer.write(
            send({ to: `${owner.usePath} ${bobUri}`, from: owner.uri, body: pattern(150_000), failureReport: "no" })
          )
        }
        yield* settled(world)
        assert.isAbove(alice.peer.connection.pending(), 0)
        assert.isAtMost(world.relay.gauges().bufferedOctets, 200_000 + SLAB + 6 * (OUTPUT + SLAB))
        let got = 0
        for (const other of others) {
          other.bob.onFrame = ({ body }) => void (got += body!.length)
          other.bob.connection.resume()
        }
        yield* until(() => got === 750_000, "everything", () => `${got}`)
      }),
    { session: 1_000_000, connection: 200_000 }
  )

  scenario(
    "a client that does not read its responses is not read either (R4976-9.3-04)",
    (world) =>
      Effect.gen(function*() {
        const { peer, uri, usePath } = yield* world.login()
        peer.connection.pause()
        const keepalive = send({ to: usePath, from: uri })
        const count = 3000
        for (let i = 0; i < count; i++) peer.write(keepalive)
        yield* settled(world)
        assert.isAbove(peer.connection.pending(), 0)
        assert.isAtMost(world.relay.gauges().bufferedOctets, 50_000 + SLAB)
        let answers = 0
        peer.onFrame = () => void answers++
        peer.connection.resume()
        yield* until(() => answers === count, "all answers")
      }),
    { responses: 50_000 }
  )

  scenario(
    "a receiver that answers nothing gets no more requests than the limit until it answers (R4976-9.3-06)",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        for (let i = 0; i < 50; i++) {
          alice.peer.write(
            send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: `many.${i}`, body: `${i}` })
          )
        }
        yield* settled(world)
        assert.strictEqual(alice.peer.frames.length, 50)
        assert.strictEqual(bob.frames.length, 20)
        assert.strictEqual(world.relay.gauges().transactions, 20)
        for (const frame of bob.frames.splice(0, 5)) bob.answer(frame)
        yield* settled(world)
        assert.strictEqual(bob.frames.length, 20)
        const bodies = [...bob.frames]
        while (bob.frames.length > 0) {
          for (const frame of bob.frames.splice(0)) bob.answer(frame)
          yield* settled(world)
          bodies.push(...bob.frames)
        }
        assert.deepStrictEqual(bodies.map(({ body }) => String(body)), Array.from({ length: 45 }, (_, i) => `${i + 5}`))
      }),
    { transactions: 20 }
  )

  scenario(
    "has one turn for each sender when it is reached at last (R4975-7.1.1-23)",
    (world) =>
      Effect.gen(function*() {
        const owners = [yield* world.login(), yield* world.login({ username: "carol" })]
        const bob = yield* world.listen
        world.network!.configure({ latency: 50 })
        for (const [i, { peer, uri, usePath }] of owners.entries()) {
          peer.write(
            send({
              to: `${usePath} ${bob.uri}`,
              from: uri,
              messageId: `from.${i}`,
              range: "1-*/120000",
              body: pattern(120_000)
            })
          )
        }
        yield* TestClock.adjust(400)
        world.network!.configure({ latency: 0 })
        const peer = yield* bob.accepted
        const frames = collect(peer)
        yield* until(() => [...peer.frames, ...frames].filter(({ flag }) => flag === "$").length === 2, "both")
        const pieces = [...peer.frames.splice(0), ...frames]
        for (const frame of pieces) peer.answer(frame)
        const names = pieces.map((frame) => header(frame, "Message-ID"))
        assert.deepStrictEqual(names.slice(0, 6), [0, 1, 0, 1, 0, 1].map((_, j) => names[j % 2]))
        assert.notStrictEqual(names[0], names[1])
        for (const { body } of pieces.slice(0, 6)) assert.isAtMost(body!.length, QUANTUM + 1)
      }),
    { output: 1_000_000 },
    200_000
  )

  for (const octets of [4 * 1_048_576, 16 * 1_048_576]) {
    scenario(
      `gives two senders alike of what it takes, to the end of the first one's ${octets} octets (R4975-7.1.1-23)`,
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, carol } = yield* two(world)
          const got = new Map<string, number>()
          let other = -1
          bob.onFrame = (frame) => {
            if (frame.method !== "SEND") return
            bob.answer(frame)
            const id = header(frame, "Message-ID")!
            const now = (got.get(id) ?? 0) + frame.body!.length
            got.set(id, now)
            if (now >= octets && other === -1) other = [...got.values()].reduce((sum, one) => sum + one, 0) - now
          }
          for (const [i, { peer, to, uri }] of [alice, carol].entries()) {
            for (let at = 0, n = 0; at < octets; at += 524_288, n++) {
              const body = Buffer.alloc(524_288, 97 + i)
              const flag = at + body.length < octets ? "+" : "$"
              peer.write(
                send({ to, from: uri, messageId: `from.${i}`, range: `${at + 1}-*/${octets}`, body, flag })
              )
            }
          }
          yield* until(() => other !== -1 && [...got.values()].every((one) => one >= octets), "both")
          assert.isAbove(other, 0.7 * octets)
          yield* until(() => world.relay.gauges().transactions === 0)
        }),
      { output: 131_072 },
      65_536
    )
  }

  scenario(
    "what waits for a hop that is being dialled goes out in order, or fails with it (R4976-6.4.1-14)",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const bob = yield* world.listen
        world.network!.configure({ latency: 50 })
        const body = pattern(30_000)
        for (let i = 0; i < 3; i++) {
          alice.peer.write(
            send({
              to: `${alice.usePath} ${bob.uri}`,
              from: alice.uri,
              messageId: `wait.${i}`,
              range: "1-*/30000",
              body
            })
          )
        }
        // dialled, but nobody answers
        world.network!.answer("silent.example", 2855, "Silence")
        alice.peer.write(
          send({
            to: `${alice.usePath} msrp://silent.example:2855/s;tcp`,
            from: alice.uri,
            messageId: "dead.1",
            body: "x"
          })
        )
        const dead = send({
          to: `${alice.usePath} msrp://silent.example:2855/s;tcp`,
          from: alice.uri,
          messageId: "dead.2",
          range: "1-*/*",
          body
        })
        alice.peer.write(dead.subarray(0, 20_000))
        yield* TestClock.adjust(60)
        alice.peer.write(dead.subarray(20_000))
        yield* TestClock.adjust(400)
        const bobPeer = yield* bob.accepted
        assert.deepStrictEqual(
          bobPeer.frames.map((frame) => [header(frame, "Message-ID"), frame.body!.length]),
          [["wait.0", 30_000], ["wait.1", 30_000], ["wait.2", 30_000]]
        )
        for (const frame of bobPeer.frames.splice(0)) bobPeer.answer(frame)
        assert.deepStrictEqual((yield* alice.peer.take(5)).map(({ status }) => status), [200, 200, 200, 200, 200])
        yield* TestClock.adjust(9000)
        assert.strictEqual(alice.peer.frames.length, 0)
        yield* TestClock.adjust(1000)
        for (const [messageId, range] of [["dead.1", "1-1/1"], ["dead.2", "1-30000/30000"]]) {
          const report = yield* alice.peer.next
          assert.deepStrictEqual(
            [header(report, "Message-ID"), header(report, "Status")!.slice(0, 7), header(report, "Byte-Range")],
            [messageId, "000 408", range]
          )
        }
        world.network!.configure({ latency: 0 })
      }),
    {},
    65_536
  )
})

describe("time limits of what is sent", () => {
  scenario(
    "the 30 s begin when the system has taken the last octet, not when it is queued (R4976-6.4.1-50)",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        bob.connection.pause()
        const to = `${alice.usePath} ${bobUri}`
        alice.peer.write(send({ to, from: alice.uri, messageId: "wait.1", range: "1-*/50000", body: pattern(50_000) }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* TestClock.adjust("50 seconds")
        assert.strictEqual(alice.peer.frames.length, 0)
        bob.connection.resume()
        yield* until(() => bob.frames.length > 0 && world.relay.gauges().bufferedOctets === 0, "the message")
        yield* TestClock.adjust(29_999)
        assert.strictEqual(alice.peer.frames.length, 0)
        yield* TestClock.adjust(1)
        const reports = [yield* alice.peer.next, ...alice.peer.frames.splice(0)]
        assert.deepStrictEqual(
          reports.map((one) => header(one, "Status")!.slice(0, 7)),
          bob.frames.map(() => "000 408")
        )
        // the ranges are those of the pieces
        assert.strictEqual(header(reports[0]!, "Byte-Range"), `1-${bob.frames[0]!.body!.length}/50000`)
        bob.frames.splice(0)
      }),
    { stall: 3600 }
  )

  scenario(
    "each request has its own 30 s, from when it was taken itself (R4976-6.4.1-50, 6.4.1-55)",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        bob.connection.pause()
        const to = `${alice.usePath} ${bobUri}`
        for (let i = 0; i < 100; i++) {
          alice.peer.write(send({ to, from: alice.uri, messageId: `each.${i}`, body: pattern(1000) }))
        }
        for (const answer of yield* alice.peer.take(100)) assert.strictEqual(answer.status, 200)
        yield* TestClock.adjust(29_999)
        assert.strictEqual(alice.peer.frames.length, 0)
        yield* TestClock.adjust(1)
        // as many as fit into the window
        const taken = alice.peer.frames.splice(0)
        assert.isTrue(taken.length > 10 && taken.length < 85, `${taken.length}`)
        yield* TestClock.adjust(20_000)
        bob.connection.resume()
        yield* until(() => bob.frames.length === 100, "all requests")
        yield* TestClock.adjust(29_999)
        assert.strictEqual(alice.peer.frames.length, 0)
        yield* TestClock.adjust(1)
        const ids = [...taken, ...alice.peer.frames.splice(0)].map((report) => header(report, "Message-ID"))
        assert.deepStrictEqual(ids, ids.map((_, i) => `each.${i}`))
        assert.strictEqual(ids.length, 100)
        bob.frames.splice(0)
      }),
    { stall: 3600, output: 1_000_000 },
    50_000
  )

  scenario(
    "one that takes a little now and then is not stalled (R4976-6.4.1-56)",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const frames = collect(bob)
        bob.connection.pause()
        alice.peer.write(
          send({
            to: `${alice.usePath} ${bobUri}`,
            from: alice.uri,
            messageId: "slow.1",
            range: "1-*/200000",
            body: pattern(200_000)
          })
        )
        assert.strictEqual((yield* alice.peer.next).status, 200)
        for (let i = 0; i < 6; i++) {
          yield* TestClock.adjust("20 seconds")
          const at = bob.length
          world.network!.configure({ split: 100 })
          bob.connection.resume()
          yield* until(() => bob.length > at, "some octets")
          bob.connection.pause()
          assert.isBelow(bob.length, 60_000)
        }
        assert.isFalse(bob.isClosed)
        // and now nothing for the limit
        yield* TestClock.adjust("61 seconds")
        bob.connection.resume()
        yield* until(() => bob.isClosed, "the end")
        assert.strictEqual(header(yield* alice.peer.next, "Status")!.slice(0, 7), "000 408")
        assert.isFalse(alice.peer.isClosed)
        assert.isBelow(frames.length, 10)
      }),
    { stall: 30, session: 400_000 },
    2048
  )

  scenario(
    "gets its REPORTs when it reads again, also those that came meanwhile (R4976-6.4.1-56)",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        alice.peer.connection.pause()
        const report = (messageId: string) =>
          bob.write(
            request("REPORT", {
              to: `${alice.usePath} ${alice.uri}`,
              from: bobUri,
              headers: [`Message-ID: ${messageId}`, "Byte-Range: 1-10/10", "Status: 000 400 Bad"]
            })
          )
        bob.write(
          send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: pattern(50_000), range: "1-*/50000" })
        )
        report("before")
        yield* TestClock.adjust("20 seconds")
        // She is still there, so that her connection is not closed for what she does not take.
        alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: "hers", body: "x" }))
        yield* TestClock.adjust("20 seconds")
        report("after")
        yield* settled(world)
        const frames = collect(alice.peer)
        alice.peer.connection.resume()
        const reports = () => frames.flatMap((frame) => frame.method === "REPORT" ? [header(frame, "Message-ID")] : [])
        yield* until(() => reports().length > 1, "the REPORTs")
        assert.deepStrictEqual(reports(), ["before", "after"])
        assert.isFalse(frames.some(({ flag, method }) => method === "SEND" && flag === "$"))
      }),
    { stall: 30 },
    2048
  )

  scenario(
    "a REPORT that is kept when other requests fail is not lost, and its memory is not read when it has been written",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const carol = yield* world.login({ username: "carol" })
        const { bob: dave, bobUri: daveUri } = yield* world.join(carol)
        alice.peer.connection.pause()
        dave.connection.pause()
        const to = `${alice.usePath} ${alice.uri}`
        bob.write(send({ to, from: bobUri, messageId: "begun", body: pattern(50_000), range: "1-*/50000" }))
        const count = 2000
        for (let i = 0; i < count; i++) bob.write(send({ to, from: bobUri, messageId: `his.${i}`, body: "x" }))
        const fill = [`Fill: ${"x".repeat(4200)}`]
        const status = ["Byte-Range: 1-10/10", "Status: 000 400 Bad"]
        bob.write(request("REPORT", { to, from: bobUri, headers: ["Message-ID: kept", ...status, ...fill] }))
        yield* TestClock.adjust("20 seconds")
        // She is still there, so that her connection is not closed for what she does not take.
        alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: "hers", body: "x" }))
        yield* settled(world)
        const frames = collect(alice.peer)
        const reported: Array<string | undefined> = []
        let others = 0
        bob.onFrame = (frame) => {
          if (frame.method !== "REPORT") return
          reported.push(header(frame, "Message-ID"))
          alice.peer.connection.resume()
          const parts = { to: `${carol.usePath} ${daveUri}`, from: carol.uri, messageId: `others.${others++}` }
          if (others < 200) carol.peer.write(send({ ...parts, headers: fill, body: "x" }))
        }
        yield* TestClock.adjust("20 seconds")
        yield* settled(world)
        assert.deepStrictEqual(
          frames.flatMap((frame) => frame.method === "REPORT" ? [header(frame, "Message-ID")] : []),
          ["kept"]
        )
        assert.deepStrictEqual(reported.filter((id) => id?.startsWith("others")), [])
        assert.lengthOf(reported, count + 1)
        assert.strictEqual(world.relay.counters.lost, count + 1)
      }),
    { stall: 30, session: 4_000_000, connection: 8_000_000 },
    2048
  )

  scenario(
    "does not hold others for REPORTs: few of them wait for a receiver that takes nothing",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const carol = yield* world.login({ username: "carol" })
        const second = yield* world.join(carol, bob)
        alice.peer.connection.pause()
        const frames = collect(carol.peer)
        const flood = () => {
          for (let i = 0; i < 300; i++) {
            bob.write(
              request("REPORT", {
                to: `${alice.usePath} ${alice.uri}`,
                from: bobUri,
                headers: ["Message-ID: 1", "Byte-Range: 1-10/10", "Status: 000 400 Bad", `Fill: ${"x".repeat(1000)}`]
              })
            )
          }
        }
        flood()
        yield* settled(world)
        // Both are his sessions, and he waits for none of them: he is not read for two seconds, and then she fails.
        bob.write(send({ to: `${carol.usePath} ${carol.uri}`, from: second.bobUri, messageId: "before", body: "x" }))
        yield* TestClock.adjust("4 seconds")
        flood()
        bob.write(send({ to: `${carol.usePath} ${carol.uri}`, from: second.bobUri, messageId: "after", body: "x" }))
        yield* settled(world)
        yield* until(() => frames.length === 2, "both messages")
        assert.isAtMost(world.relay.gauges().parkedOctets, 20_000)
        const reports = collect(alice.peer)
        alice.peer.connection.resume()
        yield* settled(world)
        assert.isAbove(reports.filter(({ method }) => method === "REPORT").length, 5)
      }),
    { session: 100_000 },
    2048
  )

  /** Alice with two sessions on her connection, so that nobody waits long for the receiver of one of them. */
  const busy = Effect.fnUntraced(
    function*(world: World, bobUri: (alice: Owner) => Effect.Effect<string, TransportError>) {
      const alice = yield* world.login()
      const second = yield* world.login({ peer: alice.peer })
      const { bob: dave, bobUri: daveUri } = yield* world.join(second)
      const beside = collect(dave)
      const to = `${alice.usePath} ${yield* bobUri(alice)}`
      const say = (messageId: string, body: Buffer | string = "hi"): void => {
        const range = `1-${body.length}/${body.length}`
        alice.peer.write(send({ to, from: alice.uri, messageId, range, body }))
        alice.peer.write(send({ to: `${second.usePath} ${daveUri}`, from: second.uri, messageId, body: "hi" }))
      }
      return { say, beside, back: collect(alice.peer) }
    }
  )
  const statusesOf = (frames: ReadonlyArray<Frame>, messageId: string): ReadonlyArray<string> =>
    frames.filter((frame) => header(frame, "Message-ID") === messageId).map((frame) => header(frame, "Status")!)

  scenario(
    "a receiver that slept gets new messages when it wakes, though it answered no earlier one in time (R4976-6.4.1-03)",
    (world) =>
      Effect.gen(function*() {
        const frames: Array<Frame> = []
        const { back, beside, say } = yield* busy(world, (alice) =>
          Effect.map(world.join(alice), ({ bob, bobUri }) => {
            bob.onFrame = (frame) => void frames.push(frame)
            return bobUri
          }))
        for (let i = 0; i < 60; i++) say(`before.${i}`, pattern(8000))
        yield* settled(world)
        yield* TestClock.adjust("45 seconds")
        const slept = frames.splice(0).length
        // As many as may be without an answer.
        assert.strictEqual(slept, Math.floor(LEAST_UNANSWERED / 8000))
        const lost = back.filter(({ method }) => method === "REPORT").length
        assert.isAtLeast(lost, slept + 30)
        // He is not waited for again, by whoever shares the connection, before he has answered.
        for (let i = 0; i < 60; i++) say(`again.${i}`, pattern(8000))
        yield* settled(world)
        assert.strictEqual(beside.filter((frame) => header(frame, "Message-ID")!.startsWith("again")).length, 60)
        assert.lengthOf(frames.splice(0), slept)
        yield* TestClock.adjust("45 seconds")
        say("awake.1")
        yield* settled(world)
        assert.deepStrictEqual(frames.map((frame) => header(frame, "Message-ID")), ["awake.1"])
        assert.deepStrictEqual(statusesOf(back, "awake.1"), [])
      }),
    { output: 131_072 },
    65_536
  )

  scenario(
    "nobody is held for a receiver that was silent for the whole limit, when as much waits for it as may (R4976-6.4.1-03)",
    (world) =>
      Effect.gen(function*() {
        const { back, beside, say } = yield* busy(world, (alice) =>
          Effect.map(world.join(alice), ({ bob, bobUri }) => {
            bob.onFrame = () => {}
            return bobUri
          }))
        for (let i = 0; i < 60; i++) {
          say(`m.${i}`, pattern(8000))
          yield* settled(world)
          assert.strictEqual(beside.length, i + 1)
          yield* TestClock.adjust(250)
        }
        assert.isAbove(back.filter(({ method }) => method === "REPORT").length, 10)
      }),
    { output: 131_072, session: 100_000 },
    1_000_000
  )

  scenario(
    "nobody is held for many silent receivers either, when as much waits for all of them as may (R4976-6.4.1-03)",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const beside = collect(bob)
        const owners = [alice]
        for (let i = 0; i < 6; i++) owners.push(yield* world.login({ peer: alice.peer }))
        const pairs = yield* Effect.forEach(owners.slice(1), (owner) =>
          Effect.map(world.join(owner), (silent) => {
            silent.bob.onFrame = () => {}
            return { from: owner.uri, to: `${owner.usePath} ${silent.bobUri}` }
          }))
        const body = pattern(8000)
        for (let i = 0; i < 40; i++) {
          const messageId = `m.${i}`
          for (const pair of pairs) alice.peer.write(send({ ...pair, messageId, range: "1-8000/8000", body }))
          alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId, body: "hi" }))
          yield* settled(world)
          assert.strictEqual(beside.length, i + 1)
          yield* TestClock.adjust(500)
        }
        assert.isAbove(world.relay.counters.receiversGivenUp, 5)
      }),
    { output: 131_072, session: 100_000, connection: 300_000 },
    1_000_000
  )

  scenario(
    "a receiver that is slow to reach gets later messages, though those that waited for the connection failed (R4976-6.4.1-14)",
    (world) =>
      Effect.gen(function*() {
        const bob = yield* world.listen
        const { back, say } = yield* busy(world, () => Effect.succeed(bob.uri))
        // Three seconds to the relay and as many to Bob, of which those who share Alice's connection wait for two.
        world.network!.configure({ latency: 3000 })
        for (let i = 0; i < 30; i++) say(`before.${i}`, pattern(8000))
        yield* TestClock.adjust("9 seconds")
        assert.isAbove(back.filter(({ method }) => method === "REPORT").length, 10)
        const frames = collect(yield* bob.accepted)
        say("after")
        yield* TestClock.adjust("9 seconds")
        assert.deepStrictEqual(frames.map((frame) => header(frame, "Message-ID")), ["after"])
        world.network!.configure({ latency: 0 })
      }),
    { session: 100_000 },
    1_000_000
  )

  scenario(
    "a message that its receiver refused may be sent anew after a while (R4976-6.4.1-44)",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const chunk = (flag: string) =>
          send({
            to: `${alice.usePath} ${bobUri}`,
            from: alice.uri,
            messageId: "parts.1",
            range: "1-4/12",
            body: "abcd",
            flag
          })
        alice.peer.write(chunk("+"))
        yield* alice.peer.next
        bob.answer(yield* bob.next, "413")
        yield* alice.peer.next
        yield* TestClock.adjust(59_999)
        alice.peer.write(chunk("+"))
        assert.strictEqual((yield* alice.peer.next).status, 413)
        yield* TestClock.adjust(1)
        alice.peer.write(chunk("+"))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* bob.next
      }),
    { blocked: 60 }
  )
})

describe("session URIs", () => {
  it.effect("those that ended make room for others on their connection", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ limits: { sessionsPerConnection: 2 }, authExpires: 100 })
      const alice = yield* world.login()
      yield* world.login({ peer: alice.peer })
      const ask = Effect.fnUntraced(function*() {
        const challenge = yield* world.challenge(alice.peer, alice.uri)
        return (yield* world.auth(alice.peer, alice.uri, world.authorization(challenge))).status
      })
      assert.strictEqual(yield* ask(), 403)
      yield* TestClock.adjust(99_999)
      assert.strictEqual(yield* ask(), 403)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([yield* ask(), yield* ask(), yield* ask()], [200, 200, 403])
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))
})

describe("Relay.close", () => {
  it.effect("ends running chunks, and all connections (R4976-9.3-09)", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({})
      const { alice, bob, bobUri } = yield* world.pair()
      const whole = send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, range: "1-*/9000", body: pattern(9000) })
      alice.peer.write(whole.subarray(0, 8000))
      yield* until(() => bob.partialBody > 0, "a part")
      const stuck = yield* world.connect
      stuck.connection.pause()
      const closing = yield* Effect.forkChild(world.relay.close)
      yield* TestClock.adjust("1 second")
      const piece = yield* bob.next
      assert.strictEqual(piece.flag, "#")
      const range = `1-${piece.body!.length}/9000`
      assert.strictEqual(
        summary(yield* alice.peer.next),
        `REPORT | Message-ID: msg.1 | Byte-Range: ${range} | Status: 000 408 Request Timeout | $`
      )
      yield* until(() => bob.isClosed && alice.peer.isClosed, "the close")
      yield* TestClock.adjust(4900)
      assert.strictEqual(world.relay.gauges().connections, 1)
      yield* TestClock.adjust(100)
      yield* Fiber.join(closing)
      yield* until(() => world.relay.gauges().connections === 0, "the last one")
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))
})

describe("peers that keep their side open when the relay ends", () => {
  const silent = Effect.gen(function*() {
    const world = yield* makeWorld({ limits: { output: OUTPUT } })
    const { alice, bob, bobUri } = yield* world.pair()
    bob.connection.pause()
    const closes = Effect.gen(function*() {
      let ended = false
      yield* Effect.forkChild(Effect.ensuring(world.relay.close, Effect.sync(() => ended = true)))
      return Effect.sync(() => ended)
    })
    const body = (octets: number) => {
      alice.peer.write(
        send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, failureReport: "no", body: pattern(octets) })
      )
      return world.network!.settled
    }
    return { alice, bob, body, closes, world }
  })

  it.effect("have half a second, when the system has got all that was for them", () =>
    Effect.gen(function*() {
      const { bob, body, closes, world } = yield* silent
      yield* body(3000)
      const ended = yield* closes
      // No answer is waited for, which would have a second.
      yield* TestClock.adjust(499)
      assert.isFalse(yield* ended)
      yield* TestClock.adjust(1)
      yield* world.network!.settled
      assert.isTrue(yield* ended)
      bob.connection.resume()
      assert.lengthOf((yield* bob.next).body!, 3000)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest({ window: WINDOW }))))

  it.effect("have five while octets wait for them, which they get", () =>
    Effect.gen(function*() {
      const { bob, body, closes, world } = yield* silent
      yield* body(15_000)
      const ended = yield* closes
      yield* TestClock.adjust("4 seconds")
      assert.isFalse(yield* ended)
      bob.connection.resume()
      assert.lengthOf((yield* bob.next).body!, 15_000)
      yield* TestClock.adjust("600 millis")
      assert.isTrue(yield* ended)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest({ window: WINDOW }))))
})

describe("a relay that stops", () => {
  it.effect("refuses what is new, passes on answers for a second, then reports what has none (R4976-9.3-09)", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({})
      const { alice, bob, bobUri } = yield* world.pair()
      const to = `${alice.usePath} ${bobUri}`
      const sends = [["yes", "late.1"], ["yes", "never.1"], ["partial", "never.2"], ["no", "never.3"]] as const
      for (const [failureReport, messageId] of sends) {
        alice.peer.write(send({ to, from: alice.uri, failureReport, messageId, body: "on its way" }))
        if (failureReport === "yes") assert.strictEqual((yield* alice.peer.next).status, 200)
      }
      alice.peer.write(request("NICKNAME", { to, from: alice.uri, headers: ["Use-Nickname: \"x\""] }))
      const frames = yield* bob.take(5)
      const closing = yield* Effect.forkChild(world.relay.close)
      yield* TestClock.adjust(1)
      alice.peer.write(send({ to, from: alice.uri, body: "new" }))
      assert.strictEqual((yield* alice.peer.next).status, 408)
      assert.strictEqual((yield* world.auth(alice.peer, alice.uri)).status, 408)
      alice.peer.write(send({ to, from: alice.uri, failureReport: "no", body: "new" }))
      yield* (yield* world.connect).ends
      bob.answer(frames[0]!, "413 Stop")
      bob.answer(frames[4]!, "200 OK", "whole")
      const [stopped, named] = yield* alice.peer.take(2)
      assert.deepStrictEqual([header(stopped!, "Message-ID"), header(stopped!, "Status")], ["late.1", "000 413 Stop"])
      assert.strictEqual(named!.status, 200)
      yield* TestClock.adjust("1 second")
      const report = yield* alice.peer.next
      assert.strictEqual(
        summary(report),
        "REPORT | Message-ID: never.1 | Byte-Range: 1-10/10 | Status: 000 408 Request Timeout | $"
      )
      yield* alice.peer.ends
      yield* bob.ends
      yield* TestClock.adjust("20 millis")
      yield* Fiber.join(closing)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))
})

describe("a connection that the relay has ended", () => {
  scenario(
    "takes no more requests: they fail at once, also partial ones (R4976-6.4.1-19)",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const challenge = yield* world.challenge(alice.peer, alice.uri)
        // She sees neither the answer nor the end, so her connection lingers.
        alice.peer.connection.pause()
        const headers = [world.authorization(challenge, { password: "wrong" })]
        alice.peer.write(request("AUTH", { to: world.uri, from: alice.uri, headers }))
        yield* until(() => world.relay.counters.failedAuths === 1, "the failed AUTH")
        bob.write(
          send({
            to: `${alice.usePath} ${alice.uri}`,
            from: bobUri,
            messageId: "late",
            body: "hi",
            failureReport: "partial"
          })
        )
        const report = yield* bob.next
        assert.strictEqual(report.method, "REPORT")
        assert.strictEqual(header(report, "Message-ID"), "late")
        assert.strictEqual(header(report, "Status")?.slice(0, 7), "000 408")
      }),
    { failedAuths: 1 }
  )
})
