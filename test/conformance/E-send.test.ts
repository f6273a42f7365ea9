import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { header, nextId, send, summary, until } from "../harness.ts"
import { failureReports, group, pairOf, reported, wantsAnswer } from "./group.ts"

group("E. SEND", ({ scenario }) => {
  scenario(
    "R4975-7.1.1-03 R4975-7.1.4-02 R4975-7.2-04 R4976-6.4.1-07: absent is yes; partial and no get nothing for what is fine",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        for (const failureReport of failureReports) {
          const id = nextId()
          alice.peer.write(toBob({ id, failureReport, body: "hi" }))
          if (wantsAnswer(failureReport)) {
            const { from, id: answered, status, to } = yield* alice.peer.next
            assert.deepStrictEqual([answered, status, to, from], [id, 200, alice.uri, alice.usePath])
          }
          const frame = yield* bob.next
          assert.strictEqual(header(frame, "Failure-Report"), failureReport)
          assert.strictEqual(header(frame, "Success-Report"), undefined)
          yield* alice.peer.quiet
          bob.answer(frame, "403 no")
          if (failureReport === "no") yield* alice.peer.quiet
          else assert.strictEqual(reported(yield* alice.peer.next), "000 403 | 1-2/2")
          yield* alice.peer.quiet
        }
      })
  )

  scenario(
    "R4975-7.1.4-01 R4976-6.4.1-24: what is refused is told as Failure-Report says",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri, forth } = yield* pairOf(world)
        const nobody = alice.usePath.replace(/[^/]+;tcp$/, "nobody;tcp")
        const stranger = yield* world.connect
        const cases = [
          [alice.peer, { ...forth, range: "x" }, 400],
          [alice.peer, { ...forth, to: `${nobody} ${bobUri}` }, 481],
          [alice.peer, { ...forth, to: alice.usePath }, 403],
          [
            stranger,
            { to: `${alice.usePath} msrp://elsewhere.invalid:1/x;tcp`, from: "msrp://s.invalid:9/s;tcp" },
            403
          ],
          [stranger, { to: `${alice.usePath} ${alice.uri}`, from: "msrp://s.invalid:9/s;tcp" }, 506]
        ] as const
        for (const [peer, parts, status] of cases) {
          for (const failureReport of ["yes", "partial", "no"] as const) {
            peer.write(send({ ...parts, failureReport, body: "12345" }))
            if (failureReport === "yes") assert.strictEqual(summary(yield* peer.next), `${status} | $`)
            if (failureReport === "partial" && status !== 400) {
              assert.strictEqual(reported(yield* peer.next), `000 ${status} | 1-5/5`)
            }
            if (failureReport === "partial" && status === 400) {
              assert.strictEqual(header(yield* peer.next, "Status")!.slice(0, 7), "000 400")
            }
            yield* peer.quiet
          }
        }
        yield* bob.quiet
      }),
    { limits: { unsuccessful: 1000 } }
  )

  scenario(
    "R4976-6.4.1-05 R4976-6.4.1-06 R4976-6.4.1-04 R4976-6.3-52: a long chunk that is refused: told at once and once, read to its end",
    (world) =>
      Effect.gen(function*() {
        const { alice, bobUri, toBob } = yield* pairOf(world)
        const { peer, uri } = alice
        const nobody = alice.usePath.replace(/[^/]+;tcp$/, "nobody;tcp")
        const octets = send({ to: `${nobody} ${bobUri}`, from: uri, range: "1-*/900000", body: Buffer.alloc(900_000) })
        peer.write(octets.subarray(0, 100_000))
        assert.strictEqual(summary(yield* peer.next), "481 | $")
        peer.write(octets.subarray(100_000))
        yield* peer.quiet
        peer.write(toBob({ body: "goes on" }))
        assert.strictEqual((yield* peer.next).status, 200)
        assert.strictEqual(world.relay.gauges().bufferedOctets, 0)
      })
  )

  scenario(
    "R4975-7.3.1-01 R4975-14.3-01: whatever the content is, it is not the relay's concern",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth } = yield* pairOf(world)
        const types = [
          "message/cpim",
          "application/pkcs7-mime;smime-type=enveloped-data",
          "x/y",
          "multipart/signed;a=\"b\""
        ]
        for (const type of types) {
          const body = Buffer.from([...Array(256).keys()])
          const octets = send({ ...forth, body }).toString("latin1").replace("text/plain", type)
          alice.peer.write(octets)
          assert.strictEqual((yield* alice.peer.next).status, 200)
          const frame = yield* bob.next
          assert.deepStrictEqual([header(frame, "Content-Type"), frame.body!.equals(body)], [type, true])
        }
      })
  )

  scenario(
    "R4976-6.4.1-70 R4976-6.4.3-10: the answer to a SEND goes one hop back and no further",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        alice.peer.write(toBob({ body: "hi" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        bob.answer(yield* bob.next, "200 OK", "whole")
        yield* until(() => world.relay.gauges().transactions === 0, "the end of the transaction")
        yield* alice.peer.quiet
      })
  )
})
