import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { request, send } from "../harness.ts"
import { group, pairOf } from "./group.ts"

group("V. Security and limits", ({ scenario }) => {
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
