import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { Credentials, CredentialsUnavailable } from "../../src/Credentials.ts"
import { type CachedOptions, layerCached } from "../../src/credentials/Cached.ts"

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
  const lookup = (username: string, realm = "r") =>
    Effect.flatMap(Credentials, (credentials) => credentials.lookup({ username, realm })).pipe(
      Effect.map(Option.match({
        onNone: () => "none",
        onSome: (secret) => secret._tag === "Password" ? Redacted.value(secret.password) : "HA1"
      })),
      Effect.catch(() => Effect.succeed("unavailable"))
    )
  return { state, lookup, layer: layerCached(backend, options) }
}

it.effect("a user is remembered for a while, by name and realm, and that there is none for less", () => {
  const { layer, lookup, state } = make()
  return Effect.gen(function*() {
    assert.deepStrictEqual((yield* Credentials).algorithms, ["MD5"])
    assert.strictEqual(yield* lookup("alice"), "one")
    state.password = "two"
    assert.deepStrictEqual([yield* lookup("alice"), yield* lookup("alice", "other")], ["one", "two"])
    assert.strictEqual(yield* lookup("nobody"), "none")
    yield* TestClock.adjust("5 seconds")
    yield* lookup("nobody")
    assert.deepStrictEqual(state.asked, ["alice@r", "alice@other", "nobody@r", "nobody@r"])
    yield* TestClock.adjust("24 seconds")
    assert.strictEqual(yield* lookup("alice"), "one")
    yield* TestClock.adjust("1 seconds")
    assert.strictEqual(yield* lookup("alice"), "two")
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

it.effect("no more are remembered than there may be", () => {
  const { layer, lookup, state } = make({ capacity: 3 })
  return Effect.gen(function*() {
    for (const user of ["a", "b", "c", "d", "d", "a"]) yield* lookup(user)
    assert.deepStrictEqual(state.asked, ["a@r", "b@r", "c@r", "d@r", "a@r"])
  }).pipe(Effect.provide(layer))
})
