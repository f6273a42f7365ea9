import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { header, nextId, request, send, summary, until } from "../support/harness.ts"
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
    "R4975-7.1.1-06 R4975-7.1-01: requests go on in both directions while none is answered, each with an id of its own",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toAlice, toBob } = yield* pairOf(world)
        const bodies = Array.from({ length: 200 }, (_, i) => `number ${i}`)
        alice.peer.write(Buffer.concat(bodies.map((body, i) => toBob({ messageId: `to.bob.${i}`, body }))))
        bob.write(Buffer.concat(bodies.map((body, i) => toAlice({ messageId: `to.alice.${i}`, body }))))
        for (const peer of [alice.peer, bob]) {
          const frames = yield* peer.take(2 * bodies.length)
          const requests = frames.filter(({ method }) => method === "SEND")
          assert.deepStrictEqual(requests.map(({ body }) => body!.toString()), bodies)
          assert.strictEqual(new Set(requests.map(({ id }) => id)).size, bodies.length)
          assert.isTrue(frames.every(({ method, status }) => method === "SEND" || status === 200))
          for (const frame of requests) peer.answer(frame)
        }
        yield* until(() => world.relay.gauges().transactions === 0, "the end of all transactions")
      })
  )

  scenario(
    "R4975-7.1-20 R4975-7.1.1-05: without a body, one is authorised, answered and forwarded like any other",
    (world) =>
      Effect.gen(function*() {
        const { alice, back, bob, bobUri, forth } = yield* pairOf(world)
        const ways = [
          [alice.peer, bob, forth, { to: bobUri, from: `${alice.usePath} ${alice.uri}` }],
          [bob, alice.peer, back, { to: alice.uri, from: `${alice.usePath} ${bobUri}` }]
        ] as const
        for (const [one, other, sent, arrives] of ways) {
          for (const lines of [["Message-ID: alive.1", "Byte-Range: 1-0/0"], ["Message-ID: alive.2"], []]) {
            for (const failureReport of failureReports) {
              const headers = [...lines, ...(failureReport === undefined ? [] : [`Failure-Report: ${failureReport}`])]
              const id = nextId()
              one.write(request("SEND", { ...sent, id, headers }))
              if (wantsAnswer(failureReport)) {
                const answer = yield* one.next
                assert.deepStrictEqual([answer.id, answer.status], [id, 200])
              }
              const frame = yield* other.next
              const expected = request("SEND", { ...arrives, id: frame.id, headers })
              assert.strictEqual(frame.octets.toString("latin1"), expected.toString("latin1"))
              if (wantsAnswer(failureReport)) other.answer(frame)
            }
          }
        }
        const stranger = yield* world.connect
        stranger.write(request("SEND", { to: `${alice.usePath} ${bobUri}`, from: world.party() }))
        assert.strictEqual((yield* stranger.next).status, 403)
        yield* bob.quiet
      })
  )

  scenario(
    "R4975-5.4-01: a message that is sent again is answered and forwarded again",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        for (const status of ["200 OK", "200 OK", "400 no", "200 OK"]) {
          alice.peer.write(toBob({ messageId: "again.1", body: "again" }))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          const frame = yield* bob.next
          assert.deepStrictEqual([header(frame, "Message-ID"), frame.body!.toString()], ["again.1", "again"])
          bob.answer(frame, status)
          if (status.startsWith("400")) assert.strictEqual(reported(yield* alice.peer.next), "000 400 | 1-5/5")
        }
        yield* alice.peer.quiet
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
