/** Tests of what happens when time passes, on a simulated network and clock, without a socket: an hour takes a moment. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestRelay } from "msrp-relay/testing"

it.effect("a nonce is good for half a minute", () =>
  Effect.gen(function*() {
    const { login, pass, relay, uri } = yield* TestRelay
    const { client, grant } = yield* login("alice")
    const alice = { relay: uri, username: "alice", password: "wonderland" }
    const again = yield* client.auth({ ...alice, after: grant })
    assert.strictEqual(relay.counters.logins.challenged, 1)
    yield* pass("30 seconds")
    yield* client.auth({ ...alice, after: again })
    assert.strictEqual(relay.counters.logins.challenged, 2)
  }).pipe(Effect.provide(TestRelay.layer({ digest: { nonceExpire: "30 seconds" } }))))

it.effect("a session is good until it expires, and whoever uses it then hears 481", () =>
  Effect.gen(function*() {
    const { connect, login, pass } = yield* TestRelay
    const alice = yield* login("alice", { expires: 1800 })
    yield* pass("29 minutes")
    const bob = yield* connect
    yield* bob.send({ toPath: alice.path, body: "still there?" })
    yield* pass("1 minute")
    const error = yield* Effect.flip(bob.send({ toPath: alice.path, body: "and now?" }))
    assert.strictEqual(error.status, 481)
  }).pipe(Effect.provide(TestRelay.layer())))

it.effect("a session that nobody uses is swept", () =>
  Effect.gen(function*() {
    const { login, pass, relay } = yield* TestRelay
    yield* login("alice", { expires: 60 })
    yield* pass("59 seconds")
    assert.strictEqual(relay.gauges().sessions, 1)
    yield* pass("11 seconds")
    assert.strictEqual(relay.gauges().sessions, 0)
  }).pipe(Effect.provide(TestRelay.layer({ relay: { sessions: { cleanupInterval: "10 seconds" } } }))))

it.effect("a message without an answer fails with 408 after half a minute", () =>
  Effect.gen(function*() {
    const { login, pass, relay } = yield* TestRelay
    const alice = yield* login("alice")
    const bob = yield* login("bob")
    yield* bob.client.pause
    yield* alice.client.send({ toPath: alice.pathTo(bob), body: "anybody there?" })
    yield* pass("30 seconds")
    assert.strictEqual((yield* alice.client.reports.take).status, 408)
    assert.strictEqual(relay.gauges().transactions, 0)
  }).pipe(Effect.provide(TestRelay.layer())))

it.effect("a session ends with the link to its owner", () =>
  Effect.gen(function*() {
    const { cut, login, relay } = yield* TestRelay
    const alice = yield* login("alice")
    yield* cut(alice.client)
    yield* alice.client.closed
    assert.strictEqual(relay.gauges().sessions, 0)
  }).pipe(Effect.provide(TestRelay.layer())))
