import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { header, request, send, summary, until } from "../support/harness.ts"
import { failureReports, group, pairOf, reported, wantsAnswer } from "./group.ts"

group("F. REPORT", ({ scenario }) => {
  scenario(
    "R4975-7.1.2-03 R4975-7.1.4-03 R4975-7.1.4-04 R4975-7.1.3-02 R4975-7.1.3-03 R4976-6.4.3-01 R4975-7.3.1-05: what a failure REPORT consists of",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const bob = yield* world.connect
        const from = "msrps://outer.invalid:2855/o;tcp msrps://inner.invalid:2855/i;tcp msrp://bob.invalid:9/b;tcp"
        const cases = [
          ["1-*/*", "$", "1-13/13"],
          ["1-*/*", "+", "1-13/*"],
          ["14-*/100", "+", "14-26/100"],
          ["1-13/13", "$", "1-13/13"],
          ["101-999/1000", "+", "101-113/1000"]
        ] as const
        for (const [index, [range, flag, expected]] of cases.entries()) {
          const messageId = `m.%${index}`
          bob.write(
            send({ to: `${alice.usePath} ${alice.uri}`, from, messageId, range, flag, body: "x".repeat(13) })
          )
          assert.strictEqual((yield* bob.next).status, 200)
          alice.peer.answer(yield* alice.peer.next, "415 what is this")
          const report = yield* bob.next
          assert.deepStrictEqual([report.to, report.from], [from, alice.usePath])
          assert.match(summary(report), /^REPORT \| [^[]*\$$/)
          assert.deepStrictEqual(report.headers.map(([name]) => name).toSorted(), [
            "Byte-Range",
            "Message-ID",
            "Status"
          ])
          assert.deepStrictEqual([header(report, "Message-ID"), header(report, "Byte-Range")], [messageId, expected])
          assert.match(header(report, "Status")!, /^000 415 ./)
        }
        // Without a range a chunk begins at 1, and with $ it is all there is (R4975-7.3.1-05).
        for (const [flag, expected] of [["$", "1-13/13"], ["+", "1-13/*"]] as const) {
          const headers = [`Message-ID: none.${flag}`.replace("$", "0"), "Content-Type: text/plain"]
          const to = `${alice.usePath} ${alice.uri}`
          bob.write(request("SEND", { to, from, headers, body: "x".repeat(13), flag }))
          assert.strictEqual((yield* bob.next).status, 200)
          alice.peer.answer(yield* alice.peer.next, "415 what is this")
          assert.strictEqual(reported(yield* bob.next), `000 415 | ${expected}`)
        }
      })
  )

  scenario(
    "R4975-7.1.4-04 R4975-7.1.2-03: what is refused here has its real range, too, and what has no Message-ID gets no REPORT",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* pairOf(world)
        const to = alice.usePath.replace(/[^/]+;tcp$/, "nobody;tcp")
        const refused = { to: `${to} ${bobUri}`, from: alice.uri, failureReport: "partial" }
        for (const octets of [13, 100_000]) {
          for (
            const [range, flag, expected] of [
              ["1-*/*", "$", `1-${octets}/${octets}`],
              ["1-*/*", "+", `1-${octets}/*`],
              ["11-*/*", "$", `11-${octets + 10}/${octets + 10}`],
              ["1-*/500000", "+", `1-${octets}/500000`],
              ["1-5/5", "$", `1-${octets}/${octets}`],
              ["1-5/5", "#", `1-${octets}/*`]
            ] as const
          ) {
            alice.peer.write(send({ ...refused, range, flag, body: "x".repeat(octets) }))
            assert.strictEqual(reported(yield* alice.peer.next), `000 481 | ${expected}`)
          }
          for (const lines of [[], ["Message-ID: a b"]]) {
            const headers = [...lines, "Failure-Report: partial", "Content-Type: a/b"]
            alice.peer.write(
              request("SEND", { to: `${alice.usePath} ${bobUri}`, from: alice.uri, headers, body: "x".repeat(octets) })
            )
            assert.strictEqual(summary(yield* alice.peer.next), "400 | $")
          }
        }
        yield* bob.quiet
        yield* alice.peer.quiet
      })
  )

  scenario(
    "R4975-7.1.2-03: nor does what has no Message-ID get a REPORT if its receiver refuses it, or is lost",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth } = yield* pairOf(world)
        for (const failureReport of ["yes", "partial"]) {
          for (const messageId of [[], ["Message-ID: named"]]) {
            const headers = [...messageId, `Failure-Report: ${failureReport}`]
            alice.peer.write(request("SEND", { ...forth, headers }))
            if (failureReport === "yes") assert.strictEqual((yield* alice.peer.next).status, 200)
            bob.answer(yield* bob.next, "481 nobody")
            if (messageId.length > 0) assert.strictEqual(reported(yield* alice.peer.next), "000 481 | 1-0/0")
            yield* alice.peer.quiet
          }
        }
        alice.peer.write(request("SEND", forth))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* bob.next
        yield* bob.close
        yield* alice.peer.quiet
        assert.strictEqual(world.relay.counters.lost, 5)
      })
  )

  scenario(
    "R4976-3-02 R4975-7.1.3-10 R4976-6.4.1-22: success is the far end's to report",
    (world) =>
      Effect.gen(function*() {
        const { alice, back, bob, toBob } = yield* pairOf(world)
        for (const failureReport of failureReports) {
          alice.peer.write(toBob({ failureReport, headers: ["Success-Report: yes"], body: "hi" }))
          if (wantsAnswer(failureReport)) assert.strictEqual((yield* alice.peer.next).status, 200)
          const frame = yield* bob.next
          assert.strictEqual(header(frame, "Success-Report"), "yes")
          if (wantsAnswer(failureReport)) bob.answer(frame)
          yield* bob.quiet
          yield* alice.peer.quiet
          bob.write(
            request("REPORT", { ...back, headers: ["Message-ID: msg.1", "Byte-Range: 1-2/2", "Status: 000 200 OK"] })
          )
          assert.strictEqual(reported(yield* alice.peer.next), "000 200 | 1-2/2")
          yield* bob.quiet
        }
      })
  )

  scenario(
    "R4976-6.4.2-01 R4976-6.4-05 R4975-7.1.3-04: forwarded with the paths moved by one and nothing else changed, whatever it says",
    (world) =>
      Effect.gen(function*() {
        const { alice, back, bob, bobUri } = yield* pairOf(world)
        const headers = [
          "Message-ID: never.seen",
          "Byte-Range: 700-1000000/999",
          "Failure-Report: yes",
          "Success-Report: yes",
          "Status: 001 999 odd"
        ]
        const sent = request("REPORT", { ...back, headers })
        bob.write(sent, sent)
        for (const frame of yield* alice.peer.take(2)) {
          const expected = request("REPORT", {
            id: frame.id,
            to: alice.uri,
            from: `${alice.usePath} ${bobUri}`,
            headers
          })
          assert.strictEqual(frame.octets.toString("latin1"), expected.toString("latin1"))
        }
        yield* bob.quiet
        yield* alice.peer.quiet
      })
  )

  scenario(
    "R4976-6.4.2-02 R4975-7.1.2-02: one that may not pass is dropped, and nobody hears of it",
    (world) =>
      Effect.gen(function*() {
        const { alice, back, bob, bobUri } = yield* pairOf(world)
        const stranger = yield* world.connect
        const headers = ["Message-ID: m.01", "Byte-Range: 1-2/2", "Status: 000 413 no"]
        const nobody = alice.usePath.replace(/[^/]+;tcp$/, "nobody;tcp")
        for (
          const to of [
            `${alice.usePath} ${bobUri}`,
            `${alice.usePath} msrp://x.invalid:1/x;tcp`,
            `${nobody} ${alice.uri}`,
            alice.usePath,
            world.uri
          ]
        ) {
          stranger.write(request("REPORT", { to, from: world.party(), headers }))
          yield* stranger.quiet
        }
        bob.write(request("REPORT", { ...back, to: `${back.to} ${bobUri}`, headers }))
        yield* bob.quiet
        yield* alice.peer.quiet
        assert.strictEqual(world.relay.counters.connectionsDialled, 0)
      }),
    { limits: { unsuccessful: 1000 } }
  )

  scenario(
    "R4975-7.1.2-05 R4976-6.4-04 R4976-3-10: to a sender who is gone nothing is reported, and nothing dialled",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        alice.peer.write(toBob({ body: "hi" }))
        yield* alice.peer.next
        const frame = yield* bob.next
        yield* alice.peer.close
        yield* until(() => world.relay.gauges().sessions === 0, "the end of the session")
        bob.answer(frame, "413 too late")
        yield* bob.quiet
        assert.strictEqual(world.relay.counters.connectionsDialled, 0)
      })
  )

  scenario(
    "R4976-6.4.1-08: a piece that failed is reported with its own range and no wider one",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toAlice, toBob } = yield* pairOf(world)
        const whole = toBob({ range: "1-*/60000", body: Buffer.alloc(60_000, "z") })
        alice.peer.write(whole.subarray(0, 30_000))
        yield* until(() => bob.partialBody > 10_000, "the first piece")
        bob.write(toAlice({ body: "between" }))
        const [first] = yield* bob.take(2)
        const between = yield* alice.peer.next
        alice.peer.write(whole.subarray(30_000))
        alice.peer.answer(between)
        const second = yield* bob.next
        assert.deepStrictEqual([first!.flag, second.flag], ["+", "$"])
        assert.strictEqual((yield* alice.peer.next).status, 200)
        bob.answer(first!)
        bob.answer(second, "403 no more")
        const start = first!.body!.length + 1
        assert.strictEqual(reported(yield* alice.peer.next), `000 403 | ${start}-60000/60000`)
        yield* alice.peer.quiet
      })
  )
})
