/** REPORT and methods that the relay does not know: forwarded, and answered under their own ids. */
import { assert } from "@effect/vitest"
import { nextId, request, response, summary, until } from "../harness.ts"
import { ScenarioGroup } from "./ScenarioGroup.ts"

export const methods = new ScenarioGroup("REPORT and other methods")
const { scenario } = methods

scenario(
  "a REPORT is forwarded, and never answered or reported (R4975-7.1.2-01, 7.1.2-02, 7.1.2-10, 7.1.1-07)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    const lines = ["Message-ID: msg.9", "Byte-Range: 3-5/5", "Status: 000 200 OK", "Failure-Report: yes"]
    bob.write(request("REPORT", { to: `${alice.usePath} ${alice.uri}`, from: bobUri, headers: lines }))
    const frame = yield* alice.peer.next
    assert.deepStrictEqual([frame.to, frame.from], [alice.uri, `${alice.usePath} ${bobUri}`])
    assert.strictEqual(summary(frame), ["REPORT", ...lines, "$"].join(" | "))
    yield* bob.quiet
    // an error answer to it is nobody's
    alice.peer.answer(frame, "481 No")
    const dead = world.uri.replace(";tcp", "/dead0000dead0000;tcp")
    for (
      const to of [alice.usePath, `${alice.usePath} msrp://x.invalid:9/y;tcp`, `${dead} ${alice.uri}`, world.uri]
    ) {
      bob.write(request("REPORT", { to, from: bobUri, headers: lines }))
    }
    bob.write(request("REPORT", { to: `${alice.usePath} ${alice.uri}`, from: bobUri, headers: lines, flag: "+" }))
    const big = [...lines, "Content-Type: a/b"]
    for (const octets of [10_241, 200_000]) {
      bob.write(
        request("REPORT", {
          to: `${alice.usePath} ${alice.uri}`,
          from: bobUri,
          headers: big,
          body: "x".repeat(octets)
        })
      )
    }
    yield* bob.quiet
    yield* alice.peer.quiet
    bob.write(
      request("REPORT", {
        to: `${alice.usePath} ${alice.uri}`,
        from: bobUri,
        headers: big,
        body: "x".repeat(10_240)
      })
    )
    assert.strictEqual((yield* alice.peer.next).body!.length, 10_240)
    // nobody is at home where the owner's REPORT goes
    alice.peer.write(
      request("REPORT", { to: `${alice.usePath} ${world.scheme}://localhost:1/x;tcp`, from: alice.uri, headers: lines })
    )
    yield* until(() => world.relay.counters.dialsFailed === 1, "the failed dial")
    yield* alice.peer.quiet
  }
)

scenario(
  "answers to other methods come back under the id they had (R4976-6.4.2-03, 6.4.2-04, 6.4.2-06, R7701-7.1-02, X19)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    const stranger = yield* world.connect
    const paths = { to: `${alice.usePath} ${bobUri}`, from: alice.uri }
    for (const method of ["NICKNAME", "FOO"]) {
      const id = nextId()
      alice.peer.write(request(method, { ...paths, id, headers: ["Use-Nickname: \"Alice the great\""] }))
      const frame = yield* bob.next
      assert.deepStrictEqual([frame.method, frame.to], [method, bobUri])
      yield* alice.peer.quiet
      // forged on another connection; of an unknown id; with a body; for another relay; not for the original sender
      stranger.write(response(frame.from, bobUri, frame.id, "200"))
      bob.write(response(frame.from, bobUri, "unknown01", "200"))
      bob.write(response(`${world.scheme}://other.example.com:2855/x;tcp ${alice.uri}`, bobUri, frame.id, "200"))
      bob.write(
        `MSRP ${frame.id} 200\r\nTo-Path: ${frame.from}\r\nFrom-Path: ${bobUri}\r\nContent-Type: a/b\r\n\r\n` +
          `x\r\n-------${frame.id}$\r\n`
      )
      yield* stranger.quiet
      yield* bob.quiet
      yield* alice.peer.quiet
      bob.answer(frame, "425 Nickname reserved or already in use", "whole", "X-More: \xff")
      const answer = yield* alice.peer.next
      assert.deepStrictEqual(
        [answer.id, answer.status, answer.comment, answer.to, answer.from],
        [id, 425, "Nickname reserved or already in use", alice.uri, `${alice.usePath} ${bobUri}`]
      )
      assert.deepStrictEqual(answer.headers, [["X-More", "\xff"]])
      // a second answer is dropped
      bob.answer(frame, "200 OK", "whole")
      yield* bob.quiet
      yield* alice.peer.quiet
    }
    assert.strictEqual(world.relay.gauges().transactions, 0)
  }
)

scenario(
  "501 where the path ends, 400 in pieces, 413 when too large (R4975-12-03, 7.1-15, 7.1-16)",
  function*(world) {
    const { alice, bobUri } = yield* world.pair()
    const { peer, uri, usePath } = alice
    peer.write(request("NICKNAME", { to: usePath, from: uri }))
    const answer = yield* peer.next
    assert.deepStrictEqual([answer.status, answer.to, answer.from], [501, uri, usePath])
    const paths = { to: `${usePath} ${bobUri}`, from: uri }
    for (const flag of ["+", "#"]) {
      peer.write(request("NICKNAME", { ...paths, flag }))
      assert.strictEqual((yield* peer.next).status, 400)
    }
    for (const octets of [10_241, 100_000]) {
      peer.write(request("NICKNAME", { ...paths, headers: ["Content-Type: a/b"], body: "x".repeat(octets) }))
      assert.strictEqual((yield* peer.next).status, 413)
    }
  }
)
