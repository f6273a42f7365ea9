import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import { makeRefusalLog } from "../../../src/relay/edge/RefusalLog.ts"
import { Transport } from "../../../src/Transport.ts"
import { makeWorld, request, send } from "../../support/harness.ts"

describe("RefusalLog", () => {
  it.effect("has a line for each request that goes no further, answered or not, and the counters have its status", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ limits: { unsuccessful: 100 } })
      const alice = yield* world.login()
      const nobody = { to: `${alice.usePath.replace(/[^/]+;tcp$/, "nobody;tcp")} ${alice.uri}`, from: alice.uri }
      const { counters } = world.relay
      const before = { ...counters }
      alice.peer.write(send({ ...nobody, body: "hi" }))
      alice.peer.write(send({ ...nobody, failureReport: "no", body: "hi" }))
      alice.peer.write(send({ ...nobody, failureReport: "no", body: "x".repeat(100_000) }))
      alice.peer.write(request("REPORT", { ...nobody, headers: ["Message-ID: m.01", "Status: 000 200 OK"] }))
      alice.peer.write(request("DANCE", { ...nobody, headers: ["no colon"] }))
      alice.peer.write(request("DANCE", { ...nobody, headers: ["Content-Type: a/b"], body: "x".repeat(20_000) }))
      alice.peer.write(request("SEND", { to: alice.usePath, from: "nobody at all" }))
      alice.peer.write(request("AUTH", { to: world.uri, from: alice.uri, headers: ["Expires: soon"] }))
      assert.deepStrictEqual((yield* alice.peer.take(5)).map(({ status }) => status), [481, 400, 413, 400, 400])
      const { host, port } = alice.peer.connection.local
      const lines = world.log.filter((line) => line.includes("request refused"))
      assert.deepStrictEqual(
        lines.map((line) => line.replace(/^.*message="request refused" /, "")),
        [
          "method=SEND status=481",
          "method=SEND status=481",
          "method=SEND status=481",
          "method=REPORT status=481",
          `method=another status=400 problem="malformed header line"`,
          "method=another status=413",
          "method=SEND status=400",
          "method=AUTH status=400"
        ].map((line) => `remote=${host}:${port} ${line}`)
      )
      for (const line of lines) assert.match(line, /level=debug/i)
      assert.deepStrictEqual(
        [counters.refused, counters.refused481, counters.refused400, counters.refused413].map((n, i) =>
          n - [before.refused, before.refused481, before.refused400, before.refused413][i]!
        ),
        [8, 4, 3, 1]
      )
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))

  it.effect("has no more than 50 lines a second, whatever strangers send, and tells how many it left out", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ limits: { unsuccessful: 1000 } })
      const stranger = yield* world.connect
      const lines = () => world.log.filter((line) => line.includes("request refused"))
      const refused = Effect.suspend(() => {
        stranger.write(request("DANCE", { to: world.uri, from: "msrp://x.invalid:9/x;tcp" }))
        return stranger.next
      })
      for (let i = 0; i < 120; i++) yield* refused
      assert.strictEqual(lines().length, 50)
      yield* TestClock.adjust("1 second")
      yield* refused
      yield* refused
      assert.strictEqual(lines().length, 52)
      assert.deepStrictEqual(lines().map((line) => / omitted=(\d+)/.exec(line)?.[1]).slice(49), [
        undefined,
        "70",
        undefined
      ])
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))

  it.effect("is not there when nobody would see it", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* makeRefusalLog(() => {}))
    }).pipe(Effect.provideService(References.MinimumLogLevel, "Info")))
})
