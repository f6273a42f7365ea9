import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { inOrder, layerNode, layerRecords, relaysOf, type SrvRecord } from "../src/Resolver.ts"
import { nameServer } from "./nameServer.ts"

const record = (priority: number, weight: number, target: string): SrvRecord => ({
  priority,
  weight,
  port: 2855,
  target
})

it.effect("R2782-01 R2782-02: by priority, and among equals by weight", () =>
  Effect.gen(function*() {
    const records = [record(20, 0, "last"), record(10, 0, "rare"), record(10, 30, "often"), record(10, 10, "seldom")]
    const first: Record<string, number> = { rare: 0, often: 0, seldom: 0 }
    for (let i = 0; i < 4000; i++) {
      const targets = (yield* inOrder(records)).map(({ target }) => target)
      assert.strictEqual(targets[3], "last")
      assert.deepStrictEqual(targets.toSorted(), ["last", "often", "rare", "seldom"])
      first[targets[0]!]!++
    }
    // 41 numbers, one of which is 0: 1/41, 10/41, 30/41 of 4000.
    assert.isTrue(first["rare"]! > 40 && first["rare"]! < 180, `rare ${first["rare"]}`)
    assert.isTrue(first["seldom"]! > 800 && first["seldom"]! < 1150, `seldom ${first["seldom"]}`)
  }).pipe(Random.withSeed("srv")))

it.effect("R2782-03 R4976-8-11: no records is no answer, the root as only target is a refusal", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* relaysOf("nowhere.example"), [])
    assert.deepStrictEqual(yield* relaysOf("Here.example"), [{ host: "msrp.here.example", port: 2855 }])
    assert.strictEqual((yield* Effect.flip(relaysOf("without.example"))).code, "no service")
  }).pipe(Effect.provide(layerRecords({
    "_msrps._tcp.here.example": [record(1, 1, "msrp.here.example")],
    "_msrps._tcp.without.example": [record(0, 0, "")]
  }))))

it.effect("R4976-8-10 R2782-05: asks a name server, and remembers what it said", () =>
  Effect.gen(function*() {
    const { address, asked } = yield* nameServer({
      "_msrps._tcp.here.example": [record(2, 1, "b.here.example"), record(1, 1, "a.here.example")]
    })
    yield* Effect.gen(function*() {
      const both = Effect.all([relaysOf("here.example"), relaysOf("HERE.example")], { concurrency: 2 })
      for (const targets of yield* both) {
        assert.deepStrictEqual(targets, [{ host: "a.here.example", port: 2855 }, {
          host: "b.here.example",
          port: 2855
        }])
      }
      assert.deepStrictEqual(asked, ["SRV _msrps._tcp.here.example"])
      assert.deepStrictEqual(yield* relaysOf("nowhere.example"), [])
      yield* TestClock.adjust("59 seconds")
      yield* relaysOf("here.example")
      yield* relaysOf("nowhere.example")
      assert.deepStrictEqual(asked.slice(1), ["SRV _msrps._tcp.nowhere.example", "SRV _msrps._tcp.nowhere.example"])
      yield* TestClock.adjust("1 seconds")
      yield* relaysOf("here.example")
      assert.lengthOf(asked, 4)
    }).pipe(Effect.provide(layerNode({ servers: [address] })))
  }))
