import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { makeDialler } from "../../src/relay/edge/Dialler.ts"
import { layerCached, Resolver, ResolverError, type ResolverShape } from "../../src/Resolver.ts"
import { Asker, lookupsAtOnce, oneByOne } from "../../src/resolver/Asker.ts"

/** Look-ups that end when the test says so, whoever still waits for them. */
const slow = Effect.fnUntraced(function*() {
  const asked: Array<string> = []
  const answer = yield* Deferred.make<void>()
  const addresses: ResolverShape["addresses"] = (host) =>
    Effect.andThen(
      Effect.sync(() => void asked.push(host)),
      Effect.as(host.endsWith(".slow.example") ? Deferred.await(answer) : Effect.void, ["192.0.2.1"])
    )
  return { asked, answer, layer: layerCached({ addresses, srv: () => Effect.succeed([]) }) }
})

const lookUp = (asker: string | undefined, host: string) =>
  Effect.flatMap(Resolver, ({ addresses }) => addresses(host)).pipe(Effect.provideService(Asker, asker))

it.effect("R4976-9.3-04 R4976-9.3-06: a user has one look-up of addresses at a time, also when he waits for it no more", () =>
  Effect.gen(function*() {
    const { answer, asked, layer } = yield* slow()
    yield* Effect.gen(function*() {
      for (let round = 0; round < 3; round++) {
        const lookups = yield* Effect.forkChild(Effect.all(
          Array.from(
            { length: 32 },
            (_, i) => Effect.timeoutOption(lookUp("eve", `${round}-${i}.slow.example`), "10 seconds")
          ),
          { concurrency: "unbounded" }
        ))
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(lookups)
      }
      assert.deepStrictEqual(asked, ["0-0.slow.example"])
      // Nobody else waits for that.
      assert.deepStrictEqual(yield* lookUp("alice", "bob.example"), ["192.0.2.1"])
      assert.deepStrictEqual(yield* lookUp(undefined, "bob.example"), ["192.0.2.1"])
      // Nor is anything left of it when it is over.
      const next = yield* Effect.forkChild(lookUp("eve", "bob.example"))
      yield* Deferred.succeed(answer, undefined)
      assert.deepStrictEqual(yield* Fiber.join(next), ["192.0.2.1"])
      assert.deepStrictEqual(asked, ["0-0.slow.example", "bob.example", "bob.example", "bob.example"])
    }).pipe(Effect.provide(layer))
  }))

it.effect("R4976-9.3-04 R4976-9.3-06: users together leave some of what the system looks up to the relay itself", () =>
  Effect.gen(function*() {
    const asked: Array<string> = []
    const answers = new Map<string, Deferred.Deferred<void>>()
    const lookUp = yield* oneByOne((host) =>
      Effect.suspend(() => {
        const answer = Deferred.makeUnsafe<void>()
        asked.push(host)
        answers.set(host, answer)
        return Effect.as(Deferred.await(answer), host)
      }), 2)
    const by = (asker: string | undefined, host: string) =>
      Effect.forkChild(Effect.provideService(lookUp(host), Asker, asker), { startImmediately: true })
    const answer = (host: string) => Deferred.succeed(answers.get(host)!, undefined)
    const first = yield* by("eve", "a")
    yield* by("mallory", "b")
    const given = yield* by("trudy", "c")
    const alice = yield* by("alice", "d")
    yield* TestClock.adjust(0)
    // For the relay itself.
    yield* by(undefined, "e")
    assert.deepStrictEqual(asked, ["a", "b", "e"])
    yield* Fiber.interrupt(given)
    // Nobody waits for it any more: the system goes on.
    yield* Fiber.interrupt(first)
    yield* by("trudy", "f")
    assert.deepStrictEqual(asked, ["a", "b", "e"])
    yield* answer("a")
    yield* TestClock.adjust(0)
    assert.deepStrictEqual(asked, ["a", "b", "e", "d"])
    yield* answer("d")
    assert.strictEqual(yield* Fiber.join(alice), "d")
    yield* TestClock.adjust(0)
    assert.deepStrictEqual(asked, ["a", "b", "e", "d", "f"])
  }).pipe(Effect.scoped))

it.effect("a look-up that cannot be interrupted does not keep the scope from closing", () =>
  Effect.gen(function*() {
    const stuck = Effect.uninterruptible(Effect.sleep("1 hour"))
    const asked = yield* Effect.forkChild(
      Effect.flatMap(oneByOne(() => stuck), (lookUp) => lookUp("a")).pipe(
        Effect.provideService(Asker, "eve"),
        Effect.timeoutOption("10 seconds"),
        Effect.scoped
      )
    )
    yield* TestClock.adjust("10 seconds")
    assert.isDefined(asked.pollUnsafe())
    yield* TestClock.adjust("1 hour")
  }))

it.effect("R4976-9.3-04 R4976-9.3-06: the silent domains of some users keep nobody else from asking for the relay of his", () =>
  Effect.gen(function*() {
    const asked: Array<string> = []
    const srv: ResolverShape["srv"] = (name) =>
      Effect.andThen(
        Effect.sync(() => void asked.push(name)),
        name.endsWith(".silent.example")
          ? Effect.delay(Effect.fail(new ResolverError({ name, code: "ETIMEOUT" })), "4 seconds")
          : Effect.succeed([])
      )
    const ask = (asker: string, name: string) =>
      Effect.flatMap(Resolver, (resolver) => resolver.srv(name)).pipe(Effect.provideService(Asker, asker))
    yield* Effect.gen(function*() {
      yield* ask("alice", "known.example")
      for (let user = 0; user < 10; user++) {
        for (let i = 0; i < 32; i++) {
          yield* Effect.forkChild(Effect.ignore(ask(`eve${user}`, `${user}-${i}.silent.example`)))
        }
      }
      yield* TestClock.adjust(0)
      assert.lengthOf(asked, 11)
      assert.deepStrictEqual(yield* ask("alice", "relay.example"), [])
      // What is remembered is not asked for, but waits its turn behind what he asked for before.
      const known = yield* Effect.forkChild(ask("eve0", "known.example"))
      yield* TestClock.adjust(32 * 4000)
      assert.deepStrictEqual(yield* Fiber.join(known), [])
      assert.lengthOf(asked, 1 + 10 * 32 + 1 + 1)
    }).pipe(Effect.provide(layerCached({ addresses: () => Effect.succeed([]), srv })))
  }))

it.effect("R4976-9.3-04 R4976-9.3-06: many users with names that take long leave room for one whose do not", () =>
  Effect.gen(function*() {
    const asked: Array<string> = []
    const lookUp = yield* oneByOne((host) =>
      Effect.andThen(
        Effect.sync(() => void asked.push(host)),
        Effect.as(Effect.sleep(host.endsWith(".silent.example") ? "10 seconds" : "100 millis"), host)
      ), 4)
    const by = (asker: string, host: string) =>
      Effect.forkChild(Effect.provideService(lookUp(host), Asker, asker), { startImmediately: true })
    for (let round = 0; round < 3; round++) {
      for (let user = 0; user < 16; user++) yield* by(`eve${user}`, `${round}-${user}.silent.example`)
    }
    // Each of them is new once.
    yield* TestClock.adjust("40 seconds")
    assert.lengthOf(asked, 16 + 2)
    for (let i = 0; i < 3; i++) {
      const alice = yield* by("alice", "bob.example")
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(yield* Fiber.join(alice), "bob.example")
    }
    // They all have their answers in the end, two at a time, and are like others when they have asked for nothing long enough.
    yield* TestClock.adjust("160 seconds")
    assert.lengthOf(asked, 3 + 3 * 16)
    yield* TestClock.adjust("10 minutes")
    for (let user = 0; user < 4; user++) yield* by(`eve${user}`, `last-${user}.silent.example`)
    assert.lengthOf(asked, 3 + 3 * 16 + 4)
  }).pipe(Effect.scoped))

it("R4976-9.3-06: of few threads all are for users, who would else stand behind one of them", () => {
  const sizes = ["16", undefined, "1", "8", "64", "", "many", "100000"]
  assert.deepStrictEqual(sizes.map(lookupsAtOnce), [6, 2, 1, 3, 24, 1, 1, 384])
})

it.effect("R4976-9.3-04: what is looked up for a dial is asked for by the user for whom it is", () =>
  Effect.gen(function*() {
    const askers: Array<string | undefined> = []
    const dial = makeDialler({
      transport: {
        connect: () => Effect.andThen(Effect.map(Asker, (asker) => void askers.push(asker)), Effect.never)
      } as never,
      selector: { select: () => Effect.undefined },
      nextHops: { admitsAddress: () => true } as never,
      journal: { dialled: () => {}, undialled: () => {} },
      log: () => Effect.void
    })
    const uri = { host: "bob.example", port: 2855, scheme: "msrps" }
    const wanted = { uri, relay: false, localName: "", source: {}, session: { user: "alice", realm: "a.example" } }
    const dialling = yield* Effect.forkChild(dial(wanted as never, {} as never, () => {}))
    yield* TestClock.adjust(0)
    yield* Fiber.interrupt(dialling)
    assert.deepStrictEqual(askers, ["alice\na.example"])
  }))
