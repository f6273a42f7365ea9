/** Dials with a custom `SocketSelector`, `Resolver` or `Transport` that fails or never answers. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { ADDRESS_BURST } from "../../../src/logging/LineBudget.ts"
import { Resolver } from "../../../src/Resolver.ts"
import { SocketSelector } from "../../../src/SocketSelector.ts"
import { TestRelay } from "../../../src/testing/TestRelay.ts"
import { type Connection, Transport } from "../../../src/Transport.ts"
import { header, makeWorld, Peer, request, send } from "../../support/harness.ts"
import { machine } from "../../support/relays.ts"

const HANGS = Effect.uninterruptible(Effect.never)

/** A relay that calls `select` for each dial, and writes its log to `log`. */
const relayBy = (select: SocketSelector["Service"]["select"], log: Array<string>) =>
  TestRelay.layer({ relay: { limits: { dials: 8 } } }).pipe(
    Layer.provide(Layer.succeed(SocketSelector, { select })),
    Layer.provide(Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void log.push(line))]))
  )

/** Alice sends to hosts that she makes up; how many messages were accepted. */
const sendTo = Effect.fnUntraced(function*(hosts: number) {
  const { login, network, relay } = yield* TestRelay
  const alice = yield* login("alice")
  let accepted = 0
  for (let host = 0; host < hosts; host++) {
    const toPath = [...alice.grant.usePath, `msrps://host${host}.example:2855/bob;tcp`]
    const sent = yield* Effect.result(alice.client.send({ toPath, body: "hi" }))
    if (sent._tag === "Success") accepted++
    yield* network.settled
  }
  return { accepted, failed: () => relay.counters.dialsFailed, alice }
})

describe("a custom SocketSelector", () => {
  const log: Array<string> = []
  it.effect("that dies costs the message, and logs within the budget of an address, without its error message", () =>
    Effect.gen(function*() {
      const { accepted, alice, failed } = yield* sendTo(100)
      assert.deepStrictEqual([accepted, failed()], [100, 100])
      assert.strictEqual((yield* alice.client.reports.take).status, 408)
      const lines = log.filter((line) => line.includes("a connection could not be made"))
      assert.lengthOf(lines, ADDRESS_BURST)
      assert.match(lines[0]!, /cause=Error$/)
      assert.notInclude(log.join("\n"), "own words")
    }).pipe(Effect.provide(relayBy(() => Effect.die(new Error("own words")), log))))

  for (const [title, select] of Object.entries({ "never answers": Effect.never, "cannot be interrupted": HANGS })) {
    it.effect(`that ${title} is not waited for: the user may dial again, and the relay ends`, () =>
      Effect.gen(function*() {
        const { alice, failed } = yield* sendTo(8)
        const { pass, relay } = yield* TestRelay
        yield* pass("30 seconds")
        assert.strictEqual((yield* alice.client.reports.take).status, 408)
        assert.strictEqual(failed(), 8)
        assert.strictEqual(relay.counters.dialsOverLimit, 0)
      }).pipe(Effect.provide(relayBy(() => select, []))))
  }
})

describe("a custom Resolver", () => {
  it.effect("that cannot be interrupted is not waited for either", () =>
    Effect.gen(function*() {
      const { login, pass, relay } = yield* TestRelay
      const { client, grant } = yield* login("alice")
      const other = { relay: "msrps://other.example.com;tcp", via: grant.usePath }
      yield* Effect.forkChild(client.auth({ ...other, username: "alice", password: "wonderland" }))
      yield* pass("29 seconds")
      assert.strictEqual(relay.counters.dialsFailed, 0)
      yield* pass("1 second")
      assert.strictEqual(relay.counters.dialsFailed, 1)
    }).pipe(Effect.provide(
      TestRelay.layer().pipe(Layer.provide(Layer.succeed(Resolver, { addresses: () => HANGS, srv: () => HANGS })))
    )))
})

describe("a domain with many targets that do not answer", () => {
  const targets = Array.from({ length: 32 }, (_, i) => `target${i}.example.net`)
  for (const answering of [undefined, 2, 20]) {
    it.effect(
      `R4976-6.4.1-14 R4976-9.3-06: an AUTH is answered within 30 seconds, ${
        answering === undefined ? "whatever there is" : `with number ${answering} up`
      }`,
      () =>
        Effect.gen(function*() {
          const world = yield* makeWorld({ plaintextAuth: "always", limits: { dials: 1 } })
          for (const target of targets) world.network!.answer(target, 2855, "Silence")
          if (answering !== undefined) {
            world.network!.answer(targets[answering]!, 2855, undefined)
            const up = machine(world, targets[answering]!, ["many.example.net"])
            yield* up.listen({ scheme: "msrps", host: targets[answering]!, port: 2855 }, (connection) => {
              const peer = new Peer(world)
              world.peers.push(peer)
              peer.onFrame = (frame) => peer.answer(frame, "423 Interval Out-of-Bounds", "whole")
              return peer.accept(connection)
            })
          }
          const alice = yield* world.login()
          const auth = () =>
            alice.peer.write(request("AUTH", { to: `${alice.usePath} msrps://many.example.net;tcp`, from: alice.uri }))
          auth()
          yield* TestClock.adjust("29 seconds")
          if (answering !== 2) yield* alice.peer.quiet
          yield* TestClock.adjust("1 second")
          assert.strictEqual((yield* alice.peer.next).status, answering === 2 ? 423 : 408)
          // The user may dial again.
          auth()
          yield* TestClock.adjust("30 seconds")
          assert.strictEqual((yield* alice.peer.next).status, answering === 2 ? 423 : 408)
          assert.strictEqual(world.relay.counters.dialsOverLimit, 0)
          yield* world.done
        }).pipe(
          Effect.provideService(Resolver, {
            addresses: () => Effect.die("the simulated network has its own names"),
            srv: () =>
              Effect.succeed(targets.map((target, priority) => ({ priority, weight: 0, port: 2855, target, ttl: 0 })))
          }),
          Effect.provide(Transport.layerTest())
        )
    )
  }
})

describe("a custom Transport that cannot be interrupted", () => {
  /** Connects to this host after `millis`, whatever happens meanwhile. */
  const lateBy = (millis: number, late: Array<Connection>) =>
    Layer.effect(
      Transport,
      Effect.map(Transport, (inner) => ({
        ...inner,
        connect: (options, accept) =>
          options.host === "late.example"
            ? inner.connect(options, (connection) => {
              late.push(connection)
              return accept(connection)
            }).pipe(Effect.delay(millis), Effect.uninterruptible)
            : inner.connect(options, accept)
      }))
    ).pipe(Layer.provideMerge(Transport.layerTest()))

  /** A relay at which Alice has sent a message to that host, and how it ends. */
  const dialling = Effect.gen(function*() {
    const scope = yield* Scope.make()
    const world = yield* Scope.provide(makeWorld({ plaintextAuth: "always", sessions: { hashSize: 0 } }), scope)
    const alice = yield* world.login()
    const host = { scheme: "msrp", host: "late.example", port: 2855 } as const
    yield* (yield* Transport).listen(host, () => ({ bytes: () => {}, closed: () => {} }))
    alice.peer.write(send({ to: `${alice.usePath} msrp://late.example:2855/bob;tcp`, from: alice.uri, body: "hi" }))
    assert.strictEqual((yield* alice.peer.next).status, 200)
    return { alice, world, stops: Scope.close(scope, Exit.void) }
  })

  const HOUR = 3_600_000
  const late: Array<Connection> = []
  it.effect("is not waited for without end, and its connection is closed if it comes later", () =>
    Effect.gen(function*() {
      const { alice, world } = yield* dialling
      yield* TestClock.adjust(HOUR)
      yield* alice.peer.quiet
      yield* TestClock.adjust(1000)
      assert.strictEqual(header(yield* alice.peer.next, "Status"), "000 408 Request Timeout")
      assert.strictEqual(world.relay.counters.dialsFailed, 1)
      assert.lengthOf(late, 0)
      yield* TestClock.adjust(HOUR)
      yield* world.network!.settled
      assert.lengthOf(late, 1)
      assert.isTrue(late[0]!.halfClosed)
      assert.strictEqual(world.relay.counters.connectionsDialled, 0)
      yield* world.done
    }).pipe(Effect.provide(lateBy(2 * HOUR, late))))

  it.effect("does not keep the relay from stopping", () =>
    Effect.gen(function*() {
      const { stops } = yield* dialling
      const stopped = yield* Effect.forkChild(stops, { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      assert.isDefined(stopped.pollUnsafe())
      yield* TestClock.adjust(HOUR)
    }).pipe(Effect.provide(lateBy(HOUR, []))))
})
