import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { header, request, send, summary, until } from "../support/harness.ts"
import { group, pairOf } from "./group.ts"

group("N. Session URIs", ({ scenario, timed }) => {
  timed(
    "R4976-6.3-23 R4976-6.3-24: what has expired forwards nothing, in no direction",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login({ headers: ["Expires: 30"] })
        const { bob, bobUri } = yield* world.join(alice)
        yield* TestClock.adjust("31 seconds")
        for (
          const [peer, to, from] of [[alice.peer, bobUri, alice.uri], [bob, alice.uri, bobUri]] as const
        ) {
          for (const [failureReport, expected] of [["yes", 481], ["partial", 0], ["no", undefined]] as const) {
            peer.write(send({ to: `${alice.usePath} ${to}`, from, failureReport, body: "x" }))
            if (expected !== undefined) assert.strictEqual((yield* peer.next).status, expected)
            yield* peer.quiet
          }
          peer.write(request("NICKNAME", { to: `${alice.usePath} ${to}`, from, headers: ["Use-Nickname: \"x\""] }))
          assert.strictEqual((yield* peer.next).status, 481)
          yield* peer.quiet
        }
      })
  )

  scenario(
    "R4976-3.1-02 R6714-4.2-01 R6135-4.5-01: who knows the URI reaches its owner, without AUTH, also first",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        // Nothing was sent by her since.
        const stranger = yield* world.connect
        const from = "msrp://other-relay.example:2855/zz;tcp msrp://bob.invalid:9/b;tcp"
        stranger.write(send({ to: `${alice.usePath} ${alice.uri}`, from, body: "hello" }))
        assert.strictEqual((yield* stranger.next).status, 200)
        const frame = yield* alice.peer.next
        assert.deepStrictEqual([frame.to, frame.from], [alice.uri, `${alice.usePath} ${from}`])
      })
  )

  scenario(
    "R4976-6.4-21: claiming the URI of another session's peer attracts nothing",
    (world) =>
      Effect.gen(function*() {
        const { alice, bobUri, bob, toBob } = yield* pairOf(world)
        const carol = yield* world.login({ username: "carol" })
        const thief = yield* world.connect
        thief.write(send({ to: `${carol.usePath} ${carol.uri}`, from: bobUri, body: "I am Bob" }))
        assert.strictEqual((yield* thief.next).status, 200)
        yield* carol.peer.next
        alice.peer.write(toBob({ body: "for Bob" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const frame = yield* bob.next
        assert.strictEqual(frame.body!.toString(), "for Bob")
        bob.answer(frame)
        yield* thief.quiet
        // Once Bob is gone it goes nowhere else either.
        yield* bob.close
        yield* until(() => world.relay.gauges().connections === 3, "Bob's leave")
        alice.peer.write(toBob({ failureReport: "no", body: "for Bob" }))
        yield* alice.peer.quiet
        yield* thief.quiet
      })
  )

  scenario(
    "R4975-5.4-10 R4976-6.4-22: a peer whose connection the relay has closed is met on his next one, whether he closes the first or not",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const listening = yield* world.listen
        const toAlice = { to: `${alice.usePath} ${alice.uri}`, from: listening.uri }
        const first = yield* world.connect
        first.write(send({ ...toAlice, messageId: "first.1" }))
        assert.strictEqual((yield* first.next).status, 200)
        alice.peer.answer(yield* alice.peer.next)
        const toHim = { to: `${alice.usePath} ${listening.uri}`, from: alice.uri }
        alice.peer.write(send({ ...toHim, body: "hello" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        first.answer(yield* first.next)
        yield* first.quiet
        // He reads no more, so he does not see the end.
        first.connection.pause()
        first.write("no MSRP\r\n")
        yield* until(() => world.relay.counters.framingLost === 1, "the end of the connection")
        alice.peer.write(send({ ...toHim, body: "where are you" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const dialled = yield* listening.accepted
        const frame = yield* dialled.next
        assert.strictEqual(frame.body!.toString(), "where are you")
        dialled.answer(frame)
        const second = yield* world.connect
        second.write(send({ ...toAlice, messageId: "second.1", body: "back again" }))
        assert.strictEqual((yield* second.next).status, 200)
        const again = yield* alice.peer.next
        assert.strictEqual(again.body!.toString(), "back again")
        alice.peer.answer(again)
        yield* second.quiet
        first.connection.destroy()
      })
  )

  scenario(
    "R4976-6.3-25: the bare name of the relay is good for AUTH and nothing else",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* pairOf(world)
        for (const to of [world.uri, `${world.uri} ${bobUri}`]) {
          alice.peer.write(send({ to, from: alice.uri, body: "x" }))
          assert.strictEqual(summary(yield* alice.peer.next), "481 | $")
          alice.peer.write(request("NICKNAME", { to, from: alice.uri, headers: ["Use-Nickname: \"x\""] }))
          assert.strictEqual(summary(yield* alice.peer.next), "481 | $")
          alice.peer.write(
            request("REPORT", { to, from: alice.uri, headers: ["Message-ID: m.01", "Status: 000 200 OK"] })
          )
          yield* alice.peer.quiet
        }
        yield* bob.quiet
      })
  )

  scenario("R4976-6.4-23: what an administrator ends is dead at once", (world) =>
    Effect.gen(function*() {
      const { alice, bob, toAlice, toBob } = yield* pairOf(world)
      const id = /\/([^/;]+);tcp$/.exec(alice.usePath)![1]!
      world.sessions.end(world.sessions.findUnsafe(id)!)
      for (const [peer, octets] of [[alice.peer, toBob({ body: "x" })], [bob, toAlice({ body: "x" })]] as const) {
        peer.write(octets)
        assert.strictEqual((yield* peer.next).status, 481)
        yield* peer.quiet
      }
    }))

  scenario(
    "R7701-6.1-01: a chat switch with many sessions on one connection: each keeps its own way",
    (world) =>
      Effect.gen(function*() {
        const owners = yield* Effect.all([world.login(), world.login({ username: "carol" }), world.login()])
        const { bob: focus } = yield* world.join(owners[0])
        const sessions = []
        for (const [index, owner] of owners.entries()) {
          const uri = `msrp://switch.invalid:9/room${index};tcp`
          focus.write(send({ to: `${owner.usePath} ${owner.uri}`, from: uri, messageId: `join.${index}` }))
          assert.strictEqual((yield* focus.next).status, 200)
          owner.peer.answer(yield* owner.peer.next)
          sessions.push({ ...owner, room: uri })
        }
        // One Message-ID for all: what becomes of it in one room is no matter of another one.
        const rules = ["yes", "partial", "no"] as const
        for (const [index, { peer, room, uri, usePath }] of sessions.entries()) {
          peer.write(send({ to: `${usePath} ${room}`, from: uri, failureReport: rules[index], body: room }))
          if (rules[index] === "yes") assert.strictEqual((yield* peer.next).status, 200)
        }
        const frames = yield* focus.take(sessions.length)
        // Answered in another order than they were sent.
        for (const index of [2, 0, 1]) {
          const { peer, room, uri, usePath } = sessions[index]!
          const frame = frames.find(({ to }) => to === room)!
          assert.deepStrictEqual([frame.from, frame.body!.toString()], [`${usePath} ${uri}`, room])
          focus.answer(frame, `40${index} no such room`)
          if (rules[index] === "no") continue
          const report = yield* peer.next
          assert.deepStrictEqual(
            [report.to, report.from, header(report, "Status")!.slice(0, 7)],
            [uri, usePath, `000 40${index}`]
          )
        }
        for (const { peer } of sessions) yield* peer.quiet
      })
  )

  scenario(
    "R4976-9.3-10: a stranger who says that he has come through another session of the relay is refused",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        const toAlice = `${alice.usePath} ${alice.uri}`
        const mallory = yield* world.connect
        mallory.write(send({ to: toAlice, from: `${carol.usePath} ${carol.uri}`, body: "in Carol's name" }))
        const { status } = yield* mallory.next
        // What she says herself looks the same to Alice.
        carol.peer.write(send({ to: `${carol.usePath} ${toAlice}`, from: carol.uri, body: "from Carol" }))
        assert.strictEqual((yield* carol.peer.next).status, 200)
        const frame = yield* alice.peer.next
        assert.strictEqual(frame.from, `${alice.usePath} ${carol.usePath} ${carol.uri}`)
        assert.strictEqual(frame.body!.toString(), "from Carol")
        alice.peer.answer(frame)
        assert.strictEqual(status, 403)
      })
  )
})
