/** Requests that fail: the one signal that their sender gets, by Failure-Report. */
import { assert } from "@effect/vitest"
import { header, nextId, request, response, send, summary, until } from "../harness.ts"
import { pattern } from "../Recorder.ts"
import { collectBody } from "./Body.ts"
import { failureReports, wantsAnswer } from "./FailureReport.ts"
import { ScenarioGroup } from "./ScenarioGroup.ts"

export const failures = new ScenarioGroup("failures")
const { scenario } = failures

scenario(
  "no answer but 200 at once for what is acceptable (R4976-6.4.1-10, 6.4.1-16, 6.4.1-20)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    for (const failureReport of failureReports) {
      for (const body of ["short", pattern(90_000)]) {
        const got = collectBody(bob)
        alice.peer.write(
          send({
            to: `${alice.usePath} ${bobUri}`,
            from: alice.uri,
            failureReport,
            body,
            headers: ["Success-Report: yes"]
          })
        )
        if (wantsAnswer(failureReport)) assert.strictEqual(summary(yield* alice.peer.next), "200 | $")
        yield* until(() => got.octets === body.length, "the body")
        yield* alice.peer.quiet
      }
    }
    bob.onFrame = undefined
    yield* bob.quiet
  }
)

for (const [what, code] of [["malformed", 400], ["of a dead session", 481], ["not to the owner", 403]] as const) {
  scenario(
    `refused at once when ${what}: one signal, or none (R4976-6.4.1-11, 6.4.1-17, 6.4.1-20, R4975-10.2-01, X18)`,
    function*(world) {
      const { alice, bob, bobUri } = yield* world.pair()
      const dead = world.uri.replace(";tcp", "/NeverIssued00000;tcp")
      const first = code === 481 ? dead : alice.usePath
      const to = `${first} ${code === 403 ? "msrp://victim.invalid:9/v;tcp" : alice.uri}`
      const more = code === 400 ? { headers: ["Success-Report: maybe"] } : {}
      for (const failureReport of failureReports) {
        for (const body of ["hello", "x".repeat(150_000)]) {
          const id = nextId()
          bob.write(
            send({ id, to, from: bobUri, body, failureReport, messageId: "bad.1", range: "1-*/*", ...more })
          )
          if (wantsAnswer(failureReport)) {
            const answer = yield* bob.next
            assert.deepStrictEqual(
              [answer.id, answer.to, answer.from, summary(answer)],
              [id, bobUri, first, `${code} | $`]
            )
          } else if (failureReport === "partial") {
            const report = yield* bob.next
            assert.deepStrictEqual([report.method, report.to, report.from], ["REPORT", bobUri, first])
            assert.strictEqual(header(report, "Message-ID"), "bad.1")
            assert.strictEqual(header(report, "Status")!.slice(0, 7), `000 ${code}`)
            assert.strictEqual(header(report, "Byte-Range"), `1-${body.length}/${body.length}`)
          }
          yield* bob.quiet
        }
      }
      for (const [method, answered] of [["REPORT", false], ["NICKNAME", true]] as const) {
        if (code === 400) continue
        bob.write(request(method, { to, from: bobUri, headers: ["Message-ID: bad.1", "Status: 000 200 OK"] }))
        if (answered) assert.strictEqual((yield* bob.next).status, code)
        yield* bob.quiet
      }
      yield* alice.peer.quiet
      assert.strictEqual(world.relay.counters.connectionsDialled + world.relay.counters.dialsFailed, 0)
    }
  )
}

scenario(
  "malformed requests whose end is clear: 400, the connection stays (R4975-10.2-01, 9-60, 9-72, 9-73, 9-71)",
  function*(world) {
    const { alice, bobUri } = yield* world.pair()
    const { peer, uri, usePath } = alice
    const to = `${usePath} ${bobUri}`
    const good = ["Message-ID: bad.2", "Byte-Range: 1-2/2"]
    const bad: ReadonlyArray<ReadonlyArray<string>> = [
      [...good, "Message-ID: bad.3"],
      ["Message-ID: x y", "Byte-Range: 1-2/2"],
      ["Byte-Range: 1-2/2"],
      ["Message-ID: bad.2", "Byte-Range: 0-2/2"],
      ["Message-ID: bad.2", "Byte-Range: 5-2/9"],
      ["Message-ID: bad.2", "Byte-Range: 1-99999999999999999999/*"],
      [...good, "Failure-Report: perhaps"],
      [...good, "no colon"],
      [...good, "Nul: \0"]
    ]
    for (const lines of bad) {
      peer.write(request("SEND", { to, from: uri, headers: [...lines, "Content-Type: text/plain"], body: "hi" }))
      assert.strictEqual(summary(yield* peer.next), "400 | $", lines.join())
    }
    peer.write(request("SEND", { to, from: uri, headers: good, body: "no type" }))
    assert.strictEqual(summary(yield* peer.next), "400 | $")
    for (const path of [`${usePath} nonsense`, `${usePath} msrp://x y/z;tcp`, `${to}#fragment`]) {
      peer.write(send({ to: path, from: uri }))
      assert.strictEqual(summary(yield* peer.next), "400 | $", path)
    }
    // nobody can be answered
    peer.write(`MSRP nofrom02 SEND\r\nTo-Path: ${to}\r\nFrom-Path: \r\n-------nofrom02$\r\n`)
    yield* peer.quiet
    peer.write(`MSRP nofrom01 SEND\r\nTo-Path: ${to}\r\n-------nofrom01$\r\n`)
    yield* peer.quiet
  }
)

scenario(
  "an error answer becomes a REPORT with its code (R4976-6.4.1-12, 6.4.1-18, 6.4.1-23, 6.4.1-09, 6.4.3-11, X12, X14)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    for (const failureReport of failureReports) {
      for (const code of ["415 MIME-not-understood", "403", "302 Elsewhere", "180 Ringing", "999 Odd"]) {
        alice.peer.write(send({
          to: `${alice.usePath} ${bobUri}`,
          from: alice.uri,
          messageId: "pdf.0001",
          range: "1-*/*",
          body: "%PDF-1.7 demo",
          headers: ["Success-Report: yes"],
          failureReport
        }))
        const frame = yield* bob.next
        assert.strictEqual(header(frame, "Failure-Report"), failureReport)
        if (wantsAnswer(failureReport)) assert.strictEqual(summary(yield* alice.peer.next), "200 | $")
        bob.answer(frame, code)
        bob.answer(frame, "200 OK")
        bob.answer(frame, "413 Again")
        yield* bob.quiet
        if (failureReport !== "no") {
          const report = yield* alice.peer.next
          assert.deepStrictEqual([report.method, report.to, report.from], ["REPORT", alice.uri, alice.usePath])
          assert.deepStrictEqual(
            report.headers.slice(0, 2),
            [["Message-ID", "pdf.0001"], ["Byte-Range", "1-13/13"]]
          )
          assert.strictEqual(report.headers[2]![0], "Status")
          assert.isTrue(report.headers[2]![1].startsWith(`000 ${code}`))
          assert.strictEqual(report.headers.length, 3)
        }
        yield* alice.peer.quiet
      }
    }
    for (const code of ["200 OK", "200", "299 Fine"]) {
      alice.peer.write(
        send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, failureReport: "partial", body: "x" })
      )
      bob.answer(yield* bob.next, code)
      yield* bob.quiet
      yield* alice.peer.quiet
    }
    assert.strictEqual(world.relay.gauges().transactions, 0)
  }
)

scenario(
  "answers that are none do not end the transaction (R4976-6.4.3-02, 6.4.3-03, 6.4.3-06, R4975-7.2-02)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    alice.peer.write(
      send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, failureReport: "partial", body: "x" })
    )
    const { id } = yield* bob.next
    const stranger = yield* world.connect
    stranger.write(response(alice.usePath, bobUri, id, "403"))
    yield* stranger.quiet
    bob.write(response(world.uri.replace(";tcp", "/x;tcp"), bobUri, id, "403"))
    bob.write(response(alice.usePath, bobUri, id.toUpperCase() + "X", "403"))
    bob.write(response(alice.usePath, bobUri, id, "403", "no colon"))
    bob.write(response(alice.usePath, bobUri, id, "403").toString("latin1").replace("$\r\n", "+\r\n"))
    yield* bob.quiet
    yield* alice.peer.quiet
    assert.strictEqual(world.relay.gauges().transactions, 1)
    // one with the whole path ends it, and goes no further (R4976-6.4.3-10)
    bob.write(response(`${alice.usePath} ${alice.uri}`, bobUri, id, "403"))
    assert.strictEqual((yield* alice.peer.next).method, "REPORT")
    yield* alice.peer.quiet
  }
)

scenario(
  "a next hop that cannot be reached: REPORT 408, also for partial (R4976-6.4.1-14, 6.4.1-19)",
  function*(world) {
    const alice = yield* world.login()
    const to = `${alice.usePath} ${world.scheme}://localhost:1/nobody;tcp`
    for (const failureReport of failureReports) {
      for (const octets of [5, 2000, 100_000]) {
        alice.peer.write(send({
          to,
          from: alice.uri,
          messageId: `lost.${octets}`,
          range: "1-*/*",
          body: pattern(octets),
          failureReport
        }))
        const expected = (wantsAnswer(failureReport) ? 1 : 0) + (failureReport === "no" ? 0 : 1)
        const frames = yield* alice.peer.take(expected)
        const report = frames.find(({ method }) => method === "REPORT")
        assert.strictEqual(report !== undefined, failureReport !== "no")
        if (report !== undefined) {
          assert.strictEqual(header(report, "Message-ID"), `lost.${octets}`)
          assert.strictEqual(header(report, "Status")!.slice(0, 7), "000 408")
          const [, end, total] = /^1-(\d+)\/(\d+|\*)$/.exec(header(report, "Byte-Range")!)!
          // of a long one, what was there when it failed
          if (octets < 100_000) assert.deepStrictEqual([end, total], [`${octets}`, `${octets}`])
          else assert.isTrue(Number(end) > 2048 && Number(end) <= octets, end)
        }
        yield* until(() => world.relay.gauges().connections === 1, "the end of the dial")
        yield* alice.peer.quiet
      }
    }
  }
)

scenario(
  "a next hop that is lost before its answer (R4976-6.4.1-15, 6.4.1-19, R4975-5.4-23)",
  function*(world) {
    const alice = yield* world.login()
    for (const failureReport of failureReports) {
      const { bob, bobUri } = yield* world.join(alice)
      alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hi", failureReport }))
      yield* bob.next
      if (wantsAnswer(failureReport)) assert.strictEqual((yield* alice.peer.next).status, 200)
      yield* bob.close
      if (wantsAnswer(failureReport)) {
        const report = yield* alice.peer.next
        assert.deepStrictEqual(
          [report.method, header(report, "Byte-Range"), header(report, "Status")!.slice(0, 7)],
          ["REPORT", "1-2/2", "000 408"]
        )
      } else yield* until(() => world.relay.gauges().connections === 1, "the loss")
      yield* alice.peer.quiet
    }
  }
)

scenario(
  "the owner is lost: the peer hears of it, then the session is dead (R4976-6.3-20, R4975-5.4-23)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    const hello = { to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "hello" }
    bob.write(send(hello))
    assert.strictEqual((yield* bob.next).status, 200)
    yield* alice.peer.next
    yield* alice.peer.close
    assert.strictEqual(header(yield* bob.next, "Status")!.slice(0, 7), "000 408")
    assert.strictEqual(world.relay.gauges().sessions, 0)
    bob.write(send(hello))
    assert.strictEqual(summary(yield* bob.next), "481 | $")
  }
)
