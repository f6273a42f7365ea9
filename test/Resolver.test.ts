import { assert, it } from "@effect/vitest"
import type { Answer, Packet } from "dns-packet"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import {
  inOrder,
  layerCached,
  layerNode,
  layerRecords,
  relaysOf,
  Resolver,
  type ResolverShape,
  type SrvRecord
} from "../src/Resolver.ts"
import { nameServerOf } from "../src/resolver/Srv.ts"
import { nameServer } from "./support/nameServer.ts"
import { withTimeOfDay } from "./support/timeOfDay.ts"

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
    assert.deepStrictEqual(yield* relaysOf("Here.example."), [{ host: "msrp.here.example", port: 2855 }])
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

it.effect("a time of day that is set anew neither prolongs nor ends what is remembered", () =>
  withTimeOfDay((set) =>
    Effect.gen(function*() {
      const { address, asked } = yield* nameServer({
        "_msrps._tcp.here.example": [{ ...record(1, 1, "a.here.example"), ttl: 300 }]
      })
      yield* Effect.gen(function*() {
        yield* relaysOf("here.example")
        set(5 * 3_600_000)
        yield* relaysOf("here.example")
        assert.lengthOf(asked, 1)
        set(-10 * 3_600_000)
        yield* TestClock.adjust("300 seconds")
        yield* relaysOf("here.example")
        assert.lengthOf(asked, 2)
      }).pipe(Effect.provide(layerNode({ servers: [address] })))
    })
  ))

it.effect("R2782-01: an answer is remembered as long as its shortest-lived record says", () =>
  Effect.gen(function*() {
    const here = { ...record(1, 1, "a.here.example"), ttl: 300 }
    const { address, asked } = yield* nameServer({
      "_msrps._tcp.here.example": [here, { ...record(2, 1, "b.here.example"), ttl: 7 }],
      "_msrps._tcp.never.example": [{ ...here, ttl: 0 }],
      "_msrps._tcp.forever.example": [{ ...here, ttl: 2 ** 31 - 1 }]
    })
    const asks = (domain: string, after: `${number} seconds`) =>
      Effect.gen(function*() {
        yield* TestClock.adjust(after)
        asked.length = 0
        yield* relaysOf(domain)
        return asked.length
      })
    yield* Effect.gen(function*() {
      assert.deepStrictEqual(
        [yield* asks("here.example", "0 seconds"), yield* asks("here.example", "6 seconds")],
        [1, 0]
      )
      assert.strictEqual(yield* asks("here.example", "1 seconds"), 1)
      assert.deepStrictEqual(
        [yield* asks("never.example", "0 seconds"), yield* asks("never.example", "0 seconds")],
        [1, 1]
      )
      assert.strictEqual(yield* asks("forever.example", "0 seconds"), 1)
      assert.deepStrictEqual(
        [yield* asks("forever.example", "3599 seconds"), yield* asks("forever.example", "1 seconds")],
        [0, 1]
      )
    }).pipe(Effect.provide(layerNode({ servers: [address] })))
  }))

it.effect("R2782-01: what is too long for a datagram is read over TCP, and another server is asked when one fails", () =>
  Effect.gen(function*() {
    const many = Array.from({ length: 60 }, (_, n) => record(n, 1, `relay-number-${n}.here.example`))
    const broken = yield* nameServer({}, { fails: true })
    const { address } = yield* nameServer({ "_msrps._tcp.here.example": many }, { truncates: true })
    const { srv } = yield* Effect.provide(Resolver, layerNode({ servers: [broken.address, address] }))
    assert.deepStrictEqual(
      (yield* srv("_msrps._tcp.here.example")).map(({ target }) => target),
      many.slice(0, 32).map(({ target }) => target)
    )
    assert.lengthOf(broken.asked, 1)
    const none = yield* Effect.provide(Resolver, layerNode({ servers: [broken.address] }))
    assert.strictEqual((yield* Effect.flip(none.srv("_msrps._tcp.here.example"))).code, "ESERVFAIL")
    for (const name of [`_msrps._tcp.${"x".repeat(64)}.example`, `${"x.".repeat(127)}x`, "_msrps._tcp.a..example"]) {
      assert.strictEqual((yield* Effect.flip(srv(name))).code, "EBADNAME")
    }
    const closed = yield* Effect.scoped(nameServer({}))
    const gone = yield* Effect.provide(Resolver, layerNode({ servers: [closed.address] }))
    assert.strictEqual((yield* Effect.flip(gone.srv("_msrps._tcp.here.example"))).code, "ECONNREFUSED")
    // A socket cannot be connected to this address, as to one that has no route.
    const unreachable = yield* Effect.provide(Resolver, layerNode({ servers: ["255.255.255.255"] }))
    assert.strictEqual((yield* Effect.flip(unreachable.srv("_msrps._tcp.here.example"))).code, "EACCES")
  }))

it.effect("an answer with more records than any domain needs is none", () =>
  Effect.gen(function*() {
    const many = Array.from({ length: 1000 }, (_, n) => record(n, 1, "here.example"))
    const { address } = yield* nameServer({ "_msrps._tcp.here.example": many }, { truncates: true })
    const { srv } = yield* Effect.provide(Resolver, layerNode({ servers: [address] }))
    assert.strictEqual((yield* Effect.flip(srv("_msrps._tcp.here.example"))).code, "EBADRESP")
  }))

it.effect("R2782-01: only what answers the question is an answer", () =>
  Effect.gen(function*() {
    const name = "_msrps._tcp.here.example"
    const srv = (owner: string, target: string, more: object = {}): Answer => ({
      type: "SRV",
      name: owner,
      ttl: 60,
      data: { port: 2855, target, priority: 1, weight: 1 },
      ...more
    })
    const alias = (from: string, to: string): Answer => ({ type: "CNAME", name: from, ttl: 60, data: to })
    const right = srv(name.toUpperCase(), "right.here.example")
    const targets = Effect.fnUntraced(function*(instead: (answer: Packet) => ReadonlyArray<Packet>) {
      const { address } = yield* nameServer({ [name]: [] }, { instead })
      const resolver = yield* Effect.provide(Resolver, layerNode({ servers: [address] }))
      return (yield* resolver.srv(name)).map(({ target }) => target)
    })
    const wrong = [srv(name, "wrong.example")]
    // Not an answer, or not to this question: the right one is waited for.
    for (
      const odd of [
        { flags: 2 << 11 },
        { flags: 5 << 11 },
        { type: "query" },
        { questions: [{ type: "A", name }] },
        { questions: [{ type: "SRV", name, class: "CH" }] },
        { questions: [{ type: "SRV", name: "_msrps._tcp.other.example" }] },
        { questions: [] }
      ] as ReadonlyArray<Partial<Packet>>
    ) {
      assert.deepStrictEqual(
        yield* targets((answer) => [{ ...answer, answers: wrong, ...odd }, { ...answer, answers: [right] }]),
        ["right.here.example"],
        JSON.stringify(odd)
      )
    }
    // Records of others beside it, which are nobody's answer.
    const beside = [
      srv("_msrps._tcp.evil.example", "wrong.example"),
      srv(name, "wrong.example", { class: "CH" }),
      right
    ]
    assert.deepStrictEqual(yield* targets((answer) => [{ ...answer, answers: beside }]), ["right.here.example"])
    // There is no such name, whatever comes with that.
    assert.deepStrictEqual(yield* targets((answer) => [{ ...answer, flags: 3, answers: wrong }]), [])
    // An alias leads to the records of another name, in circles to none.
    const far = [alias(name, "a.example"), alias("a.example", "B.example"), srv("b.example", "far.example"), ...wrong]
    assert.deepStrictEqual(yield* targets((answer) => [{ ...answer, answers: far }]), ["far.example"])
    const circle = [alias(name, "a.example"), alias("a.example", name), srv("c.example", "wrong.example")]
    assert.deepStrictEqual(yield* targets((answer) => [{ ...answer, answers: circle }]), [])
  }))

it.effect("R2782-01: of many records those of the lowest priorities are kept, and put in order", () =>
  Effect.gen(function*() {
    const many = Array.from({ length: 1000 }, (_, n) => record(1000 - n, 1, `relay${n}.here.example`))
    const other: ResolverShape = {
      addresses: () => Effect.succeed(Array.from({ length: 4000 }, (_, n) => `192.0.2.${n % 256}`)),
      srv: () => Effect.succeed(many)
    }
    const foremost = many.slice(-8).toReversed().map(({ port, target }) => ({ host: target, port }))
    assert.deepStrictEqual(
      yield* relaysOf("here.example").pipe(Effect.provideService(Resolver, other)),
      foremost
    )
    yield* Effect.gen(function*() {
      const { addresses, srv } = yield* Resolver
      assert.lengthOf(yield* srv("_msrps._tcp.here.example"), 32)
      assert.lengthOf(yield* addresses("here.example"), 16)
      assert.deepStrictEqual(yield* relaysOf("here.example"), foremost)
    }).pipe(Effect.provide(layerCached(other)))
  }))

it.effect("R4976-9.3-06: so many look-ups are under way, so many wait, and what is beyond can be asked again at once", () =>
  Effect.gen(function*() {
    const gate = yield* Deferred.make<void>()
    let underWay = 0
    let most = 0
    const slow: ResolverShape = {
      addresses: () => Effect.succeed([]),
      srv: () =>
        Effect.gen(function*() {
          most = Math.max(most, ++underWay)
          yield* Deferred.await(gate)
          underWay--
          return [record(1, 1, "a.here.example")]
        })
    }
    yield* Effect.gen(function*() {
      const { srv } = yield* Resolver
      const fibers = yield* Effect.forEach(
        Array.from({ length: 32 + 256 }),
        (_, n) => Effect.forkChild(srv(`_msrps._tcp.n${n}.example`), { startImmediately: true })
      )
      assert.strictEqual(underWay, 32)
      const beyond = srv("_msrps._tcp.beyond.example")
      assert.strictEqual((yield* Effect.flip(beyond)).code, "too many look-ups")
      // Who asks what is being asked waits for the same answer.
      const same = yield* Effect.forkChild(srv("_msrps._tcp.n7.example"), { startImmediately: true })
      yield* Deferred.succeed(gate, undefined)
      for (const fiber of [...fibers, same]) assert.lengthOf(yield* Fiber.join(fiber), 1)
      assert.lengthOf(yield* beyond, 1)
      assert.strictEqual(most, 32)
    }).pipe(Effect.provide(layerCached(slow)))
  }))

it("name servers as they are written", () => {
  const servers = ["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]", "[2001:db8::53]:5353"]
  assert.deepStrictEqual(servers.map((text) => Object.values(nameServerOf(text)).join(" ")), [
    "192.0.2.53 53",
    "192.0.2.53 5353",
    "2001:db8::53 53",
    "2001:db8::53 53",
    "2001:db8::53 5353"
  ])
})
