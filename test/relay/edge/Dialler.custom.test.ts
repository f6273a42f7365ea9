/** Dials with a custom `SocketSelector` or `Resolver` that fails or never answers. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { ADDRESS_BURST } from "../../../src/logging/LineBudget.ts"
import { Resolver } from "../../../src/Resolver.ts"
import { SocketSelector } from "../../../src/SocketSelector.ts"
import { TestRelay } from "../../../src/testing/TestRelay.ts"

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
