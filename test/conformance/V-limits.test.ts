import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { request, send } from "../support/harness.ts"
import { group, pairOf } from "./group.ts"

group("V. Security and limits", ({ scenario, timed }) => {
  timed(
    "R4976-9.3-08: guesses on ever new connections take ever longer, and those of others do not",
    (world) =>
      Effect.gen(function*() {
        const from = world.party()
        const guess = Effect.gen(function*() {
          const peer = yield* world.connect
          const wrong = world.authorization(yield* world.challenge(peer, from), { password: "guess" })
          peer.write(request("AUTH", { to: world.uri, from, headers: [wrong] }))
          yield* world.network!.settled
          return peer
        })
        for (let i = 0; i < 3; i++) assert.strictEqual((yield* (yield* guess).next).status, 401)
        for (const seconds of [1, 2, 4, 8, 16, 16]) {
          const peer = yield* guess
          yield* TestClock.adjust(seconds * 1000 - 1)
          assert.lengthOf(peer.frames, 0, `${seconds} s`)
          yield* TestClock.adjust(1)
          assert.strictEqual((yield* peer.next).status, 401)
        }
        // Many at once: some are answered late, the others must come again; none is let in, and carol is not disturbed.
        const many = yield* Effect.replicateEffect(guess, 5)
        yield* world.login({ username: "carol" })
        assert.deepStrictEqual(many.map(({ frames }) => frames.map(({ status }) => status)), [[], [], [], [], [408]])
        yield* TestClock.adjust("1 minute")
        // Alice herself does not wait for what others did in her name, and then all is forgotten.
        const late = yield* guess
        yield* world.login()
        assert.lengthOf(late.frames, 0)
        assert.strictEqual((yield* (yield* guess).next).status, 401)
        yield* TestClock.adjust("1 minute")
      }),
    { digest: { freePerUser: 3 } }
  )

  timed(
    "R4976-9.3-08: many who guess at once are closed one after the other, and keep nobody out who has logged in before",
    (world) =>
      Effect.gen(function*() {
        const from = world.party()
        const wrong = (username: string) =>
          Effect.gen(function*() {
            const peer = yield* world.connect
            const challenge = yield* world.challenge(peer, from)
            const guess = (nc: number) => world.authorization(challenge, { username, password: "guess", nc })
            peer.write(request("AUTH", { to: world.uri, from, headers: [guess(1)] }))
            yield* world.network!.settled
            return { peer, guess }
          })
        yield* world.login()
        for (const username of ["alice", "carol"]) yield* Effect.replicateEffect(wrong(username), 10)
        // The next one is not even looked at, and does not get many answers of that kind.
        const { guess, peer } = yield* wrong("carol")
        for (let nc = 2; nc < 6; nc++) peer.write(request("AUTH", { to: world.uri, from, headers: [guess(nc)] }))
        assert.deepStrictEqual((yield* peer.take(5)).map(({ status }) => status), [408, 408, 408, 408, 408])
        yield* peer.ends
        yield* world.login()
        yield* TestClock.adjust("1 minute")
      }),
    { digest: { freePerUser: 3 } }
  )

  timed("R4976-9.3-08: one password with many users is slowed by address", (world) =>
    Effect.gen(function*() {
      const from = world.party()
      yield* world.login()
      const peer = yield* world.connect
      const challenge = yield* world.challenge(peer, from)
      const guess = (n: number) =>
        world.authorization(challenge, { username: `user${n}`, password: "123456", nc: n + 1 })
      for (let n = 0; n < 4; n++) assert.strictEqual((yield* world.auth(peer, from, guess(n))).status, 401)
      peer.write(request("AUTH", { to: world.uri, from, headers: [guess(4)] }))
      yield* world.network!.settled
      yield* TestClock.adjust(999)
      assert.lengthOf(peer.frames, 0)
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* peer.next).status, 401)
      // Who has logged in from there before does not wait for that; the guesser gains nothing by an account of his own.
      yield* world.login()
      peer.write(request("AUTH", { to: world.uri, from, headers: [guess(5)] }))
      yield* world.network!.settled
      yield* TestClock.adjust(1999)
      assert.lengthOf(peer.frames, 0)
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* peer.next).status, 401)
      yield* TestClock.adjust("15 minutes")
      peer.connection.destroy()
      yield* world.login({ username: "carol" })
    }), { digest: { freePerAddress: 4 }, limits: { failedAuths: 100, unsuccessful: 100 } })

  timed("R4976-9.3-06: little is kept behind an AUTH that is not decided yet", (world) =>
    Effect.gen(function*() {
      const from = world.party()
      const guess = (behind: number) =>
        Effect.gen(function*() {
          const peer = yield* world.connect
          const wrong = world.authorization(yield* world.challenge(peer, from), { password: "guess" })
          const auth = Buffer.from(request("AUTH", { to: world.uri, from, headers: [wrong] }))
          peer.write(Buffer.concat([auth, Buffer.alloc(behind, "\r\n")]))
          yield* world.network!.settled
        })
      yield* guess(0)
      yield* guess(32_768)
      assert.strictEqual(world.relay.gauges().connections, 2)
      yield* guess(32_770)
      assert.strictEqual(world.relay.gauges().connections, 2)
      yield* TestClock.adjust("1 minute")
    }), { digest: { freePerUser: 0 } })

  scenario(
    "R4976-9.4-10: with all there is in the log, no session-id, digest or body is in it",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri, toBob } = yield* pairOf(world)
        const body = "between you and me"
        for (const secret of [body, "bob-session"]) world.secrets.add(secret)
        for (const failureReport of ["yes", "partial"]) {
          alice.peer.write(toBob({ failureReport, body }))
          if (failureReport === "yes") yield* alice.peer.next
          bob.answer(yield* bob.next, `413 ${body}`)
          yield* alice.peer.next
        }
        const unreachable = world.network === undefined ? "127.0.0.1:1" : "nowhere.example:1"
        alice.peer.write(send({ to: `${alice.usePath} msrp://${unreachable}/bob-session;tcp`, from: alice.uri, body }))
        yield* alice.peer.take(2)
        const wrong = world.authorization(yield* world.challenge(alice.peer, alice.uri), { password: "x" })
        yield* world.auth(alice.peer, alice.uri, wrong)
        bob.write(`MSRP ${body} bad\r\nTo-Path: ${alice.usePath} ${bobUri}\r\n`)
        yield* bob.ends
        assert.isAbove(world.log.length, 2)
      })
  )

  scenario(
    "R4976-9.3-02 R4976-9.3-10: one message is one copy and one answer, and nothing that nobody sent",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth, toBob } = yield* pairOf(world)
        const others = [yield* world.login({ username: "carol" }), yield* world.login()]
        for (let i = 0; i < 20; i++) {
          alice.peer.write(toBob({ messageId: `m.${i}.`, headers: ["Success-Report: yes"], body: "hi" }))
          alice.peer.write(request("NICKNAME", { ...forth, headers: ["Use-Nickname: \"x\""] }))
        }
        const frames = yield* bob.take(40)
        assert.deepStrictEqual(new Set(frames.map(({ id }) => id)).size, 40)
        yield* bob.quiet
        assert.deepStrictEqual((yield* alice.peer.take(20)).map(({ status }) => status), Array(20).fill(200))
        for (const frame of frames) {
          if (frame.method === "SEND") bob.answer(frame, "413 no")
          else bob.answer(frame, "200 OK", "whole")
        }
        const back = yield* alice.peer.take(40)
        assert.deepStrictEqual(back.filter(({ method }) => method === "REPORT").length, 20)
        yield* alice.peer.quiet
        for (const { peer } of others) yield* peer.quiet
      })
  )
})
