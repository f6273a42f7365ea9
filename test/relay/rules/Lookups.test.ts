import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Lookups } from "../../../src/relay/rules/Lookups.ts"
import { layerRecords } from "../../../src/Resolver.ts"
import { Transport } from "../../../src/Transport.ts"
import { makeWorld, type Owner, request } from "../../support/harness.ts"

describe("R4976-9.3-06: look-ups of other domains", () => {
  it("are so many for each user in a minute", () => {
    const lookups = new Lookups({ lookups: 2 })
    const admitted = (user: string, now: number) => lookups.admits(user, now)
    assert.deepStrictEqual([admitted("a", 0), admitted("a", 0), admitted("a", 59_999)], [true, true, false])
    assert.isTrue(admitted("b", 59_999))
    assert.deepStrictEqual([admitted("a", 60_000), admitted("a", 60_000), admitted("a", 60_001)], [true, true, false])
    assert.isFalse(new Lookups({ lookups: 0 }).admits("a", 0))
  })

  it("are counted of 10,000 users", () => {
    const lookups = new Lookups({ lookups: 1 })
    for (let i = 0; i < 10_000; i++) assert.isTrue(lookups.admits(`user${i}`, i % 50_000))
    assert.isFalse(lookups.admits("user0", 50_000))
    assert.isTrue(lookups.admits("one more", 50_000))
    assert.isTrue(lookups.admits("user0", 50_000))
  })

  it.effect("a user that has used up its look-ups is answered 408; others are not affected, nor are requests that need none", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ limits: { lookups: 3, unsuccessful: 1000 } })
      const alice = yield* world.login()
      const carol = yield* world.login({ username: "carol" })
      /** How many were not looked up. */
      const refused = Effect.fnUntraced(function*({ peer, uri, usePath }: Owner, ...domains: Array<string>) {
        const before = world.relay.counters.dialsOverLimit
        for (const domain of domains) {
          peer.write(request("AUTH", { to: `${usePath} msrps://${domain};tcp`, from: uri }))
        }
        yield* world.network!.settled
        const count = world.relay.counters.dialsOverLimit - before
        const statuses = peer.frames.splice(0).map(({ status }) => status)
        assert.isAtLeast(statuses.filter((status) => status === 408).length, count)
        return count
      })
      assert.strictEqual(yield* refused(alice, "a.example", "b.example", "c.example", "d.example", "e.example"), 2)
      assert.strictEqual(yield* refused(carol, "a.example", "f.example"), 0)
      assert.strictEqual(yield* refused(alice, "g.example:2855", "h.example:2855"), 0)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* refused(alice, "d.example", "e.example"), 0)
      yield* TestClock.adjust("1 minute")
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest()), Effect.provide(layerRecords({}))))
})
