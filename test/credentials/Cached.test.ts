import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Hash from "effect/Hash"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { Credentials, CredentialsUnavailable, type Secret } from "../../src/Credentials.ts"
import { type CachedOptions, layerCached } from "../../src/credentials/Cached.ts"
import { withTimeOfDay } from "../support/timeOfDay.ts"

const make = (options: CachedOptions = {}) => {
  const state = { asked: [] as Array<string>, down: false, password: "one", gate: Effect.void }
  const backend = Layer.succeed(
    Credentials,
    Credentials.make(({ realm, username }) =>
      Effect.suspend(() => {
        state.asked.push(`${username}@${realm}`)
        if (state.down) return Effect.fail(new CredentialsUnavailable({ backend: "test", cause: "down" }))
        const secret = { _tag: "Password", password: Redacted.make(state.password) } as const
        return Effect.as(state.gate, username === "nobody" ? Option.none() : Option.some(secret))
      }), ["MD5"])
  )
  const told = (found: Effect.Effect<Option.Option<Secret>, CredentialsUnavailable>) =>
    found.pipe(
      Effect.map(Option.match({
        onNone: () => "none",
        onSome: (secret) => secret._tag === "Password" ? Redacted.value(secret.password) : "HA1"
      })),
      Effect.catch(() => Effect.succeed("unavailable"))
    )
  const lookup = (username: string, realm = "r") =>
    Effect.flatMap(Credentials, (credentials) => told(credentials.lookup({ username, realm })))
  /** As for somebody whose credentials are wrong: what is found at first, and then. */
  const guess = Effect.fnUntraced(function*(username: string) {
    const credentials = yield* Credentials
    const user = { username, realm: "r" }
    return [yield* told(credentials.lookup(user)), yield* told(credentials.recheck!(user))]
  })
  return { state, lookup, guess, told, layer: layerCached(backend, options) }
}

it.effect("a user is remembered for a while, by name and realm, and that there is none for as long", () => {
  const { layer, lookup, state } = make()
  return Effect.gen(function*() {
    assert.deepStrictEqual((yield* Credentials).algorithms, ["MD5"])
    assert.strictEqual(yield* lookup("alice"), "one")
    state.password = "two"
    assert.deepStrictEqual([yield* lookup("alice"), yield* lookup("alice", "other")], ["one", "two"])
    assert.strictEqual(yield* lookup("nobody"), "none")
    yield* TestClock.adjust("29 seconds")
    assert.strictEqual(yield* lookup("alice"), "one")
    assert.strictEqual(yield* lookup("nobody"), "none")
    assert.deepStrictEqual(state.asked, ["alice@r", "alice@other", "nobody@r"])
    yield* TestClock.adjust("1 seconds")
    assert.strictEqual(yield* lookup("alice"), "two")
    assert.strictEqual(yield* lookup("nobody"), "none")
    assert.deepStrictEqual(state.asked.slice(3), ["alice@r", "nobody@r"])
  }).pipe(Effect.provide(layer))
})

it.effect("R7616-3.4-04: who guesses waits for the backend as often whether there is such a user, whoever else was here", () => {
  const { guess, layer, lookup, state } = make()
  /** How often the backend is asked for each of several guesses, so many milliseconds after the one before. */
  const asked = (username: string) =>
    Effect.gen(function*() {
      const counts: Array<number> = []
      for (const after of [0, 500, 499, 1, 5000, 6000, 25_000, 29_999, 30_000, 999, 60_000]) {
        yield* TestClock.adjust(after)
        state.asked.length = 0
        yield* guess(username)
        counts.push(state.asked.length)
      }
      return counts
    })
  return Effect.gen(function*() {
    const ofNobody = yield* asked("nobody")
    assert.deepStrictEqual(ofNobody, [1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 1])
    assert.deepStrictEqual(yield* asked("alice"), ofNobody)
    // He has logged in a moment ago.
    yield* lookup("bob")
    assert.deepStrictEqual(yield* asked("bob"), ofNobody)
  }).pipe(Effect.provide(layer))
})

it.effect("a password that was changed, and a user who is new, are found by who presents what seems wrong", () => {
  const { guess, layer, lookup, state } = make()
  return Effect.gen(function*() {
    yield* lookup("alice")
    state.password = "two"
    assert.deepStrictEqual(yield* guess("alice"), ["one", "two"])
    assert.strictEqual(yield* lookup("alice"), "two")
    // Guesses are no load: the backend is asked once in a second, however many come at once.
    state.asked.length = 0
    yield* TestClock.adjust("1 seconds")
    yield* Effect.all(Array.from({ length: 100 }, () => guess("alice")), { concurrency: 100 })
    yield* TestClock.adjust("999 millis")
    state.password = "three"
    assert.deepStrictEqual(yield* guess("alice"), ["two", "two"])
    assert.lengthOf(state.asked, 1)
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(yield* guess("alice"), ["two", "three"])
  }).pipe(Effect.provide(layer))
})

it.effect("a backend that is down is asked no more often for that, and what is remembered stays", () => {
  const { guess, layer, lookup, state } = make()
  return Effect.gen(function*() {
    yield* lookup("alice")
    state.down = true
    for (let i = 0; i < 5; i++) assert.deepStrictEqual(yield* guess("alice"), ["one", "unavailable"])
    assert.lengthOf(state.asked, 2)
    assert.strictEqual(yield* lookup("alice"), "one")
  }).pipe(Effect.provide(layer))
})

it.effect("what is true now can be asked for, and is remembered then", () => {
  const { layer, lookup, state, told } = make()
  return Effect.gen(function*() {
    const { refresh } = yield* Credentials
    yield* lookup("alice")
    state.password = "two"
    assert.strictEqual(yield* told(refresh!({ username: "alice", realm: "r" })), "two")
    assert.strictEqual(yield* lookup("alice"), "two")
    assert.lengthOf(state.asked, 2)
  }).pipe(Effect.provide(layer))
})

it.effect("many who ask at once ask the backend once; that it is down is not remembered", () => {
  const { layer, lookup, state } = make()
  return Effect.gen(function*() {
    const gate = yield* Deferred.make<void>()
    state.gate = Deferred.await(gate)
    yield* Effect.forkChild(
      Effect.all(Array.from({ length: 50 }, () => lookup("alice")), { concurrency: 50 })
    )
    yield* TestClock.adjust(1)
    yield* Deferred.succeed(gate, undefined)
    yield* TestClock.adjust(1)
    assert.strictEqual(yield* lookup("alice"), "one")
    assert.lengthOf(state.asked, 1)
    state.down = true
    assert.deepStrictEqual([yield* lookup("bob"), yield* lookup("bob"), yield* lookup("alice")], [
      "unavailable",
      "unavailable",
      "one"
    ])
    state.down = false
    assert.strictEqual(yield* lookup("bob"), "one")
    assert.lengthOf(state.asked, 4)
  }).pipe(Effect.provide(layer))
})

it.effect("who was there before joins no question of anybody else, and shares what is remembered", () => {
  const { layer, lookup, state, told } = make()
  return Effect.gen(function*() {
    const credentials = yield* Credentials
    const known = told(credentials.lookup({ username: "alice", realm: "r", known: true }))
    const gate = yield* Deferred.make<void>()
    state.gate = Deferred.await(gate)
    const stranger = yield* Effect.forkChild(lookup("alice"), { startImmediately: true })
    state.gate = Effect.yieldNow
    assert.deepStrictEqual(yield* Effect.all([known, known], { concurrency: 2 }), ["one", "one"])
    assert.lengthOf(state.asked, 2)
    assert.strictEqual(yield* known, "one")
    assert.strictEqual(yield* lookup("alice"), "one")
    assert.lengthOf(state.asked, 2)
    yield* Deferred.succeed(gate, undefined)
    assert.strictEqual(yield* Fiber.join(stranger), "one")
  }).pipe(Effect.provide(layer))
})

it.effect("no more are remembered than there may be", () => {
  const { layer, lookup, state } = make({ capacity: 3 })
  return Effect.gen(function*() {
    for (const user of ["a", "b", "c", "d", "d", "a"]) yield* lookup(user)
    assert.deepStrictEqual(state.asked, ["a@r", "b@r", "c@r", "d@r", "a@r"])
  }).pipe(Effect.provide(layer))
})

it.effect("the backend is told where the client is that asks", () => {
  const sources: Array<string | undefined> = []
  const backend = Layer.succeed(
    Credentials,
    Credentials.make(({ source }) => Effect.sync(() => (sources.push(source), Option.none())))
  )
  return Effect.gen(function*() {
    const { lookup } = yield* Credentials
    const of = (username: string, source: string) => lookup({ username, realm: "r", source })
    yield* Effect.all([of("alice", "192.0.2.1"), of("bob", "192.0.2.2")], { concurrency: 2 })
    yield* of("alice", "192.0.2.3")
    assert.deepStrictEqual(sources, ["192.0.2.1", "192.0.2.2"])
  }).pipe(Effect.provide(layerCached(backend)))
})

/** Texts that `Hash.string` cannot tell apart when `\nr` follows them: each block has another that leads to the same. */
const colliding = (doublings: number): ReadonlyArray<string> => {
  const step = (from: number, text: string): number =>
    text.split("").reduceRight((hash, char) => (hash * 33) ^ char.charCodeAt(0), from)
  let state = step(5381, "\nr")
  let texts: ReadonlyArray<string> = [""]
  for (let i = 0; i < doublings; i++) {
    const found = new Map<number, string>()
    for (let n = 0, other: string | undefined; other === undefined; n++) {
      const block = Math.imul(n, 0x9e3779b1).toString(36)
      const hash = step(state, block)
      other = found.get(hash)
      found.set(hash, block)
      if (other !== undefined) {
        const pair = [block, other]
        state = hash
        texts = texts.flatMap((text) => pair.map((one) => one + text))
      }
    }
  }
  return texts
}

it.effect("names that are made to have the same hash are looked up as fast as others", () => {
  const { layer, lookup } = make()
  return Effect.gen(function*() {
    const bad = colliding(10)
    const good = bad.map((_, n) => `user${n}`)
    assert.strictEqual(new Set(bad).size, 1024)
    assert.strictEqual(new Set(bad.map((name) => Hash.string(`${name}\nr`))).size, 1)
    /** Milliseconds for all of them, when nothing else is in the way. */
    const time = (names: ReadonlyArray<string>) =>
      Effect.gen(function*() {
        let best = Infinity
        for (let i = 0; i < 4; i++) {
          const start = performance.now()
          for (const name of names) yield* lookup(name)
          best = Math.min(best, performance.now() - start)
        }
        return best
      })
    // A walk over all of them takes a hundred times as long.
    assert.isBelow(yield* time(bad), 15 * (yield* time(good)))
  }).pipe(Effect.provide(layer))
})

it.effect("a time of day that is set anew neither prolongs nor ends what is remembered, and the backend is asked by it", () =>
  withTimeOfDay((set) => {
    const HOURS = 5 * 3_600_000
    const times: Array<number> = []
    const { guess, layer, lookup, state } = make()
    return Effect.gen(function*() {
      const start = yield* Clock.currentTimeMillis
      yield* lookup("alice")
      state.password = "two"
      set(HOURS)
      assert.strictEqual(yield* lookup("alice"), "one")
      set(-2 * HOURS)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* lookup("alice"), "two")
      yield* TestClock.adjust("2 seconds")
      yield* guess("alice")
      state.password = "three"
      set(-HOURS)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* guess("alice"), ["two", "three"])
      state.gate = Effect.map(Clock.currentTimeMillis, (now) => void times.push(now - start))
      yield* lookup("bob")
      assert.deepStrictEqual(times, [33_000 - 2 * HOURS])
    }).pipe(Effect.provide(layer))
  }))
