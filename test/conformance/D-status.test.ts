import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { header, request, send, summary } from "../support/harness.ts"
import { group, pairOf, reported } from "./group.ts"

group("D. Status codes", ({ scenario }) => {
  scenario(
    "R4975-10-01 R4975-10-10 R4976-6.4.1-09: only the number of an answer counts, and only 2xx is success",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        for (const status of ["200", "200 ", "200 413 is only a comment", "201 Fine", "299 \xc3\xa4\xe2\x82\xac"]) {
          alice.peer.write(toBob({ body: "good" }))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          bob.answer(yield* bob.next, status)
          yield* bob.quiet
          yield* alice.peer.quiet
          assert.strictEqual(world.relay.gauges().transactions, 0)
        }
        for (
          const status of ["413", "404 200 OK", "100 Trying", "199", "300 Elsewhere", "499", "599 x", "000", "999"]
        ) {
          alice.peer.write(toBob({ body: "bad" }))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          bob.answer(yield* bob.next, status)
          assert.strictEqual(reported(yield* alice.peer.next), `000 ${status.slice(0, 3)} | 1-3/3`)
        }
      })
  )

  scenario(
    "R7701-10.3-01 R4975-10-04: codes of chat rooms, and 408 from elsewhere, pass unchanged",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth, toBob } = yield* pairOf(world)
        for (const code of ["404", "408", "424", "425", "428", "488"]) {
          alice.peer.write(toBob({ body: "hi" }))
          yield* alice.peer.next
          bob.answer(yield* bob.next, `${code} because`)
          assert.strictEqual(reported(yield* alice.peer.next), `000 ${code} | 1-2/2`)

          alice.peer.write(request("NICKNAME", { ...forth, headers: ["Use-Nickname: \"x\""] }))
          bob.answer(yield* bob.next, `${code} because`, "whole")
          const answer = yield* alice.peer.next
          assert.deepStrictEqual([answer.status, answer.comment], [Number(code), "because"])

          const status = `Status: 000 ${code} because`
          alice.peer.write(request("REPORT", { ...forth, headers: ["Message-ID: m.01", "Byte-Range: 1-2/2", status] }))
          assert.strictEqual(header(yield* bob.next, "Status"), `000 ${code} because`)
        }
      })
  )

  scenario(
    "R4975-10-02 R4975-10-03 R4975-10-07 R4975-10-08 R4975-10-09: 400, 403, 481, 501, 506",
    (world) =>
      Effect.gen(function*() {
        const { alice, bobUri, toBob } = yield* pairOf(world)
        const { peer, uri, usePath } = alice
        const answerTo = (octets: Buffer) =>
          Effect.suspend(() => {
            peer.write(octets)
            return Effect.map(peer.next, summary)
          })
        assert.strictEqual(yield* answerTo(toBob({ range: "none", body: "x" })), "400 | $")
        assert.strictEqual(yield* answerTo(send({ to: `${usePath} ${usePath}`, from: uri, body: "x" })), "403 | $")
        assert.strictEqual(yield* answerTo(send({ to: usePath, from: uri, body: "for the relay" })), "403 | $")
        assert.strictEqual(
          yield* answerTo(send({ to: `${usePath.replace(/[^/]+;tcp$/, "nobody;tcp")} ${bobUri}`, from: uri })),
          "481 | $"
        )
        assert.strictEqual(yield* answerTo(request("DANCE", { to: usePath, from: uri })), "501 | $")
        const stranger = yield* world.connect
        stranger.write(send({ to: `${usePath} ${uri}`, from: world.party(), body: "x" }))
        assert.strictEqual(summary(yield* stranger.next), "506 | $")
      })
  )
})
