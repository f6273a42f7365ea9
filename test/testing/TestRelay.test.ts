/** A relay to test against, in one line. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { inspect } from "node:util"
import { vi } from "vitest"
import { Authenticator } from "../../src/Authenticator.ts"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { Credentials, passwordUser } from "../../src/Credentials.ts"
import { OptionsError, Relay } from "../../src/Relay.ts"
import { SessionTable } from "../../src/relay/SessionTable.ts"
import { SessionRepo } from "../../src/SessionRepo.ts"
import { SocketSelector } from "../../src/SocketSelector.ts"
import { TestNetwork, TestRelay } from "../../src/testing.ts"
import { Transport } from "../../src/Transport.ts"

describe("TestRelay", () => {
  it.effect("has users, who can write to each other", () =>
    Effect.gen(function*() {
      const relay = yield* TestRelay
      const alice = yield* relay.login("alice")
      const bob = yield* relay.login("bob", { expires: 60 })
      assert.strictEqual(bob.grant.expires, 60)
      yield* bob.client.send({ toPath: [...bob.grant.usePath.map(({ text }) => text), ...alice.path], body: "hello" })
      assert.strictEqual((yield* alice.client.messages.take).body?.toString(), "hello")
      const wrong = yield* Effect.flip(relay.login("nobody", { password: "guess" }))
      assert.strictEqual("status" in wrong && wrong.status, 401)
    }).pipe(Effect.provide(TestRelay.layer())))

  it.live("says what it needs to let time pass", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit((yield* TestRelay).pass("1 second"))
      assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "TestRelay.pass needs a TestClock")
    }).pipe(Effect.provide(TestRelay.layer())))

  it.effect("passes time in few steps: its clean-up is one a minute", () =>
    Effect.gen(function*() {
      const sweep = vi.spyOn(SessionTable.prototype, "sweep")
      yield* Effect.addFinalizer(() => Effect.sync(() => sweep.mockRestore()))
      const relay = yield* TestRelay
      yield* relay.login("alice", { expires: 90 })
      yield* relay.pass("1 hour")
      assert.strictEqual(sweep.mock.calls.length, 60)
      assert.strictEqual(relay.relay.gauges().sessions, 0)
    }).pipe(Effect.provide(TestRelay.layer())))

  it.effect("cleans up as its options say", () =>
    Effect.gen(function*() {
      const sweep = vi.spyOn(SessionTable.prototype, "sweep")
      yield* Effect.addFinalizer(() => Effect.sync(() => sweep.mockRestore()))
      yield* (yield* TestRelay).pass("1 minute")
      assert.strictEqual(sweep.mock.calls.length, 24)
    }).pipe(
      Effect.provide(TestRelay.layer({ relay: { sessions: { hashSize: 2, cleanupInterval: "10 seconds" } } }))
    ))

  it.effect("has clients on a network with latency, once the clock moves", () =>
    Effect.gen(function*() {
      const relay = yield* TestRelay
      const login = yield* Effect.forkChild(relay.login("alice"))
      yield* relay.network.settled
      assert.isUndefined(login.pollUnsafe())
      yield* relay.pass("1 second")
      assert.strictEqual((yield* Fiber.join(login)).grant.expires, 1800)
    }).pipe(Effect.provide(TestRelay.layer({ network: { latency: 20 } }))))

  it.effect("serves what was forked before it lets time pass", () =>
    Effect.gen(function*() {
      const relay = yield* TestRelay
      const login = yield* Effect.forkChild(relay.login("alice", { expires: 3600 }))
      yield* relay.pass("1 minute")
      assert.strictEqual((yield* Fiber.join(login)).grant.expires, 3600)
      assert.strictEqual(relay.relay.operator.sessions().items[0]?.since, 0)
    }).pipe(Effect.provide(TestRelay.layer())))

  it.effect("has a network of its own, whatever transport is provided", () =>
    Effect.gen(function*() {
      const relay = yield* TestRelay
      yield* relay.login("alice")
      assert.lengthOf(relay.network.connections(), 2)
    }).pipe(Effect.provide(TestRelay.layer().pipe(Layer.provide(Transport.layerNode())))))

  const wrong: ReadonlyArray<readonly [option: string, options: any]> = [
    ["options", null],
    ["options", 5],
    ["relay", { relay: null }],
    ["relay.listen", { relay: { listen: [] } }],
    ["relay.listen[0]", { relay: { listen: [5] } }],
    ["relay.listen[0].port", { relay: { listen: [{ scheme: "msrp", host: "a", port: -1 }] } }],
    ["authExpires", { relay: { authExpires: NaN } }],
    ["limits.drain", { relay: { limits: { drain: NaN } } }],
    ["users", { users: "alice" }],
    ["users.alice", { users: { alice: 5 } }],
    ["nonceExpire", { digest: { nonceExpire: NaN } }],
    ["options", { digest: 5 }],
    ["network", { network: 5 }],
    ["user", { user: { alice: "wonderland" } }],
    ["network.latncy", { network: { latncy: 5 } }],
    ...[NaN, -1, "5", Infinity, 2 ** 60].map((latency) => ["network.latency", { network: { latency } }] as const),
    ...[NaN, 0, -1, "5"].map((split) => ["network.split", { network: { split } }] as const),
    ...[NaN, 0, -1, 1.5].map((window) => ["network.window", { network: { window } }] as const),
    ...[NaN, 0, -1].map((piece) => ["network.piece", { network: { piece } }] as const),
    ["network.seed", { network: { seed: NaN } }],
    ["network.shuffle", { network: { shuffle: "yes" } }],
    ["network.connectTimeout", { network: { connectTimeout: NaN } }]
  ]
  for (const [option, options] of wrong) {
    it.effect(`says of its options what cannot be used: ${option} ${inspect(options)}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Layer.build(TestRelay.layer(options)))
        assert.instanceOf(error, OptionsError)
        assert.deepStrictEqual(error.problems.map((one) => one.option), [option])
      }).pipe(Effect.scoped))
  }

  for (const millis of [NaN, Infinity, -Infinity, -5]) {
    it.effect(`goes on where functions of its network give no numbers: ${millis}`, () =>
      Effect.gen(function*() {
        const relay = yield* TestRelay
        assert.strictEqual((yield* relay.login("alice")).grant.expires, 1800)
        assert.isTrue(Exit.hasDies(yield* Effect.exit(relay.pass("bogus" as "1 second"))))
      }).pipe(Effect.provide(TestRelay.layer({ network: { latency: () => millis, split: () => NaN } }))))
  }

  it.effect("uses what is provided to it", () => {
    const kept: Array<string> = []
    return Effect.gen(function*() {
      const relay = yield* TestRelay
      const client = yield* relay.connect
      const { status } = yield* client.request({
        method: "AUTH",
        toPath: relay.uri,
        headers: [["Authorization", "Bearer good"]]
      })
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(kept, ["dora"])
    }).pipe(
      Effect.provide(
        TestRelay.layer().pipe(Layer.provide([
          Authenticator.layerBearer(() => Effect.succeed(Option.some({ username: "dora" }))),
          Layer.effect(
            SessionRepo,
            SessionRepo.make({
              create: ({ username }) => Effect.sync(() => void kept.push(username)),
              end: () => Effect.void,
              list: Stream.empty
            })
          )
        ]))
      )
    )
  })

  it.effect("shares its network with another relay, which ends when its connections are cut", () => {
    const host = "other.example.com"
    const listen = [{ scheme: "msrps", host, port: 2855 }] as const
    const users = [passwordUser("dora", Redacted.make("secret"))]
    const OtherRelay = Effect.gen(function*() {
      const network = yield* TestNetwork
      const services = Layer.mergeAll(
        Layer.succeed(Transport, network.node({ names: [host], certificate: [host] })),
        Codec.layer,
        SessionRepo.layerMemory(),
        SocketSelector.layerDefault(listen),
        Authenticator.layerDigest().pipe(Layer.provide(Credentials.layerMemory(users)))
      )
      const nextHops = { allow: ["0.0.0.0/0"] }
      const built = yield* Layer.build(Relay.layer({ listen, nextHops }).pipe(Layer.provide(services)))
      return Context.get(built, Relay)
    })
    return Effect.gen(function*() {
      const { network, login, pass } = yield* TestRelay
      const other = yield* OtherRelay
      const chat = Effect.gen(function*() {
        const alice = yield* login("alice")
        const relay = other.uris[0]!.text
        const dora = yield* Client.connect(relay)
        const grant = yield* dora.auth({ relay, username: "dora", password: "secret" })
        yield* alice.client.send({
          toPath: [...alice.grant.usePath, ...Client.peerPath(grant, dora.uri)],
          body: "over two relays"
        })
        return (yield* dora.messages.take).body?.toString()
      })
      const text = yield* Effect.forkScoped(chat)
      yield* pass("1 second")
      assert.strictEqual(yield* Fiber.join(text), "over two relays")
      network.connections().forEach(network.cut)
    }).pipe(Effect.scoped, Effect.provide(TestRelay.layer({ network: { latency: 20 } })))
  })

  it.effect("ends also with a repository that does not answer, if the relay was closed before, as the document says", () =>
    Effect.gen(function*() {
      const { login, pass, relay } = yield* TestRelay
      yield* login("alice")
      yield* Effect.forkChild(relay.close)
      yield* pass("10 seconds")
      assert.deepStrictEqual([relay.phase(), relay.gauges().sessions], ["stopping", 0])
    }).pipe(Effect.provide(
      TestRelay.layer().pipe(Layer.provide(Layer.effect(
        SessionRepo,
        SessionRepo.make({ create: () => Effect.void, end: () => Effect.never, list: Stream.empty })
      )))
    )))
})
