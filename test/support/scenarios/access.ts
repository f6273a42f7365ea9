/** Who may send through a session, and what ends the connection. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { header, request, send, summary, until } from "../harness.ts"
import { failureReports, wantsAnswer } from "./FailureReport.ts"
import { ScenarioGroup } from "./ScenarioGroup.ts"

export const access = new ScenarioGroup("who may send what where")
const { scenario } = access

scenario(
  "a session ends with its connection, also for the same client back again (R4976-6.3-20, 6.3-21, 6.3-60)",
  function*(world) {
    const before = yield* world.login()
    const sameUser = yield* world.login()
    // another connection of the same user is not the owner
    sameUser.peer.write(send({ to: before.usePath, from: before.uri }))
    assert.strictEqual((yield* sameUser.peer.next).status, 403)
    yield* before.peer.close
    yield* until(() => world.relay.gauges().sessions === 1, "the end of the session")
    const after = yield* world.login({ uri: before.uri })
    assert.notStrictEqual(after.usePath, before.usePath)
    after.peer.write(send({ to: before.usePath, from: before.uri }))
    assert.strictEqual((yield* after.peer.next).status, 481)
    const bob = yield* world.connect
    bob.write(send({ to: `${before.usePath} ${before.uri}`, from: world.party(), body: "hi" }))
    assert.strictEqual((yield* bob.next).status, 481)
    yield* after.peer.quiet
  }
)

scenario(
  "nobody but the owner sends anywhere through a session (R4976-6.4-10..13, 6.4-15, 6.4-16, 9.3-01, 9.4-11)",
  function*(world) {
    const alice = yield* world.login()
    const carol = yield* world.login({ username: "carol" })
    const victim = yield* world.listen
    const stranger = yield* world.connect
    const other = yield* world.join(carol)
    const deep = `${alice.usePath} ${alice.uri} ${victim.uri}`
    const over = `${alice.usePath} ${carol.usePath} ${carol.uri}`
    for (
      const [peer, from] of [[stranger, alice.uri], [stranger, world.party()], [carol.peer, alice.uri]] as const
    ) {
      for (const [to, code] of [[`${alice.usePath} ${victim.uri}`, 403], [deep, 403], [over, 403]] as const) {
        for (const method of ["SEND", "NICKNAME", "AUTH"]) {
          peer.write(request(method, { to, from }))
          assert.strictEqual((yield* peer.next).status, code, `${method} ${to}`)
        }
        peer.write(request("REPORT", { to, from, headers: ["Message-ID: msg.1", "Status: 000 200 OK"] }))
        peer.write(send({ to, from, failureReport: "no", body: "hi" }))
        yield* peer.quiet
      }
    }
    for (const to of [world.uri, `${world.uri} ${victim.uri}`]) {
      stranger.write(send({ to, from: alice.uri, body: "hi" }))
      assert.strictEqual((yield* stranger.next).status, 481)
    }
    // a session-id is only good with the whole URI that was handed out
    const wrong = alice.usePath.replace(world.scheme, world.scheme === "msrp" ? "msrps" : "msrp")
    stranger.write(send({ to: `${wrong} ${alice.uri}`, from: alice.uri, body: "hi" }))
    assert.strictEqual((yield* stranger.next).status, 481)
    yield* alice.peer.quiet
    yield* carol.peer.quiet
    yield* other.bob.quiet
    // now the owner does, and that is all the victim sees
    alice.peer.write(send({ to: `${alice.usePath} ${victim.uri}`, from: alice.uri, body: "from the owner" }))
    const peer = yield* victim.accepted
    assert.strictEqual((yield* peer.next).body!.toString(), "from the owner")
    yield* peer.quiet
    assert.deepStrictEqual([victim.peers.length, world.relay.counters.connectionsDialled], [1, 1])
  },
  { limits: { unsuccessful: 1000 } }
)

scenario(
  "the owner's URI may change its session-id, not its host or port (R4976-6.4-16, 6.4-20)",
  function*(world) {
    const alice = yield* world.login({ uri: "msrp://alice.invalid:7394/auth;tcp" })
    const bob = yield* world.connect
    const bobUri = world.party("bob")
    const attempt = Effect.fnUntraced(function*(uri: string) {
      bob.write(send({ to: `${alice.usePath} ${uri}`, from: bobUri }))
      return (yield* bob.next).status
    })
    assert.strictEqual(yield* attempt("msrp://alice.invalid:7394/other;tcp"), 200)
    assert.strictEqual((yield* alice.peer.next).to, "msrp://alice.invalid:7394/other;tcp")
    assert.strictEqual(yield* attempt("msrp://alice.invalid:7395/auth;tcp"), 403)
    assert.strictEqual(yield* attempt("msrp://elsewhere.invalid:7394/auth;tcp"), 403)
    // what she shows in a request of her own is hers
    alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: "msrp://elsewhere.invalid:7394/now;tcp" }))
    yield* bob.next
    assert.strictEqual((yield* alice.peer.next).status, 200)
    assert.strictEqual(yield* attempt("msrp://elsewhere.invalid:7394/auth;tcp"), 200)
  }
)

scenario(
  "a second stranger meets 506 while the first is there (R4975-5.4-10, 10-09, R4976-3.1-03)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    const second = yield* world.connect
    const to = `${alice.usePath} ${alice.uri}`
    for (const failureReport of failureReports) {
      second.write(send({ to, from: bobUri, body: "hi", failureReport }))
      if (wantsAnswer(failureReport)) assert.strictEqual(summary(yield* second.next), "506 | $")
      else if (failureReport === "partial") {
        assert.strictEqual(header(yield* second.next, "Status")!.slice(0, 7), "000 506")
      }
      yield* second.quiet
    }
    second.write(request("REPORT", { to, from: bobUri, headers: ["Message-ID: msg.1", "Status: 000 200 OK"] }))
    yield* second.quiet
    yield* alice.peer.quiet
    // what she sends goes to the first still
    alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "to the first" }))
    assert.strictEqual((yield* bob.next).body!.toString(), "to the first")
    assert.strictEqual((yield* alice.peer.next).status, 200)
    yield* bob.close
    assert.strictEqual((yield* alice.peer.next).method, "REPORT")
    second.write(send({ to, from: bobUri, body: "now" }))
    assert.strictEqual(summary(yield* second.next), "200 | $")
    assert.strictEqual((yield* alice.peer.next).body!.toString(), "now")
  },
  { limits: { unsuccessful: 100 } }
)

scenario("a REPORT alone binds nobody to a session (R4975-5.4-10)", function*(world) {
  const alice = yield* world.login()
  const first = yield* world.connect
  const to = `${alice.usePath} ${alice.uri}`
  const report = ["Message-ID: msg.1", "Status: 000 200 OK"]
  first.write(request("REPORT", { to, from: "msrp://x.invalid:9/x;tcp", headers: report }))
  assert.strictEqual((yield* alice.peer.next).method, "REPORT")
  yield* world.join(alice)
  first.write(send({ to, from: "msrp://x.invalid:9/x;tcp", body: "hi" }))
  assert.strictEqual((yield* first.next).status, 506)
})

scenario(
  "a request for another relay ends the connection, and goes nowhere (R4976-6.2-11)",
  function*(world) {
    const victim = yield* world.listen
    for (
      const to of [
        victim.uri,
        `${victim.uri} ${world.uri}`,
        `${world.scheme}://relay.example.com:2855/x;tcp ${victim.uri}`
      ]
    ) {
      for (const body of ["short", "x".repeat(100_000)]) {
        const alice = yield* world.login()
        alice.peer.write(send({ to, from: alice.uri, body }))
        yield* alice.peer.ends
        yield* until(() => world.relay.gauges().sessions === 0, "the end of the session")
      }
    }
    const stranger = yield* world.connect
    stranger.write(request("AUTH", { to: `${world.scheme}://relay.example.com:2855;tcp`, from: world.party() }))
    yield* stranger.ends
    assert.strictEqual(victim.peers.length, 0)
    assert.strictEqual(world.relay.counters.connectionsDialled + world.relay.counters.dialsFailed, 0)
  }
)

scenario(
  "a session of this relay behind one's own is looked up, never dialled (R4976-6.4-30)",
  function*(world) {
    const alice = yield* world.login()
    for (const next of [`${world.uri.replace(";tcp", "/unknown;tcp")} msrp://x.invalid:9/x;tcp`, world.uri]) {
      alice.peer.write(send({ to: `${alice.usePath} ${next}`, from: alice.uri, body: "x" }))
      assert.strictEqual((yield* alice.peer.next).status, 481)
    }
    // only relays stand in the middle of a path, and they speak TLS (R4976-9.2-11)
    alice.peer.write(
      send({ to: `${alice.usePath} msrp://r.invalid:9/r;tcp ${alice.uri}`, from: alice.uri, body: "x" })
    )
    assert.strictEqual((yield* alice.peer.next).status, 403)
    // a transport that cannot be dialled, and nobody who has connected in
    alice.peer.write(send({ to: `${alice.usePath} msrps://w.invalid:9/w;ws`, from: alice.uri, body: "x" }))
    assert.strictEqual((yield* alice.peer.next).status, 481)
    assert.strictEqual(world.relay.counters.connectionsDialled + world.relay.counters.dialsFailed, 0)
  }
)

scenario(
  "what is not MSRP ends the connection without an answer (R4975-9-01..05, 9-70, 9-74, R4976-9.3-07)",
  function*(world) {
    const { alice, bob } = yield* world.pair()
    const garbage = [
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "SSH-2.0-OpenSSH_9.6\r\n",
      Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
      "msrp abcd SEND\r\n",
      "MSRP abc SEND\r\n",
      "MSRP ab_cd SEND\r\n",
      "MSRP  abcd SEND\r\n",
      "MSRP abcd send\r\n",
      "MSRP abcd 2000\r\n",
      `MSRP ${"a".repeat(33)} SEND\r\n`,
      `MSRP abcd ${"X".repeat(20_000)}`,
      `MSRP abcd SEND\r\nTo-Path: ${"x".repeat(100_000)}`,
      `MSRP abcd SEND\r\n${"X-Y: z\r\n".repeat(10_000)}`
    ]
    for (const octets of garbage) {
      const peer = yield* world.connect
      peer.write(octets)
      yield* peer.ends
    }
    yield* alice.peer.quiet
    yield* bob.quiet
  }
)

scenario(
  "several requests without success end the probation, after the last answer (R4976-6.1-22)",
  function*(world) {
    const attempt = send({ to: world.uri, from: "msrp://x.invalid:9/x;tcp" })
    const stranger = yield* world.connect
    stranger.write(attempt, attempt, attempt, attempt)
    assert.deepStrictEqual((yield* stranger.take(3)).map(({ status }) => status), [481, 481, 481])
    yield* stranger.ends
    assert.strictEqual(world.relay.counters.probationsFailed, 1)
    // one that had success is not on probation any more
    const { peer } = yield* world.login()
    peer.write(attempt, attempt, attempt, attempt, attempt)
    assert.strictEqual((yield* peer.take(5)).length, 5)
    yield* peer.quiet
  },
  { limits: { unsuccessful: 3 } }
)

scenario(
  "a request that is cut off by the end of the connection comes to nothing (R4975-9-75)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    const whole = send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hello" })
    alice.peer.write(whole.subarray(0, -1))
    yield* alice.peer.close
    yield* until(() => world.relay.gauges().sessions === 0, "the end")
    yield* bob.quiet
  }
)
