/** A user who was taken out of the users, and is thrown out: his password, which is remembered, is of no use any more. */
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { Credentials, CredentialsUnavailable } from "../../../src/Credentials.ts"
import { layerCached } from "../../../src/credentials/Cached.ts"
import { makeEndUser } from "../../../src/service/admin/UserEnd.ts"
import { TestRelay } from "../../../src/testing.ts"

const REALM = "relay.example.com"

const world = (state: { gone: boolean; down?: boolean; gate?: Effect.Effect<void> }) => {
  const backend = Layer.succeed(
    Credentials,
    Credentials.make(() =>
      Effect.suspend(() => {
        if (state.down === true) return Effect.fail(new CredentialsUnavailable({ backend: "test", cause: "down" }))
        const found = state.gone
          ? Option.none()
          : Option.some({ _tag: "Password", password: Redacted.make("wonderland") } as const)
        return Effect.as(state.gate ?? Effect.void, found)
      })
    )
  )
  const users = layerCached(backend, { timeToLive: "1 hour" })
  return TestRelay.layer().pipe(Layer.provideMerge(users))
}

const endAlice = Effect.gen(function*() {
  const { relay } = yield* TestRelay
  return yield* makeEndUser(relay.operator, yield* Credentials, () => ["other.example.com", REALM])("alice")
})

it.effect("he does not come back by what is remembered of him", () => {
  const state = { gone: false }
  return Effect.gen(function*() {
    const { login } = yield* TestRelay
    yield* login("alice")
    state.gone = true
    yield* login("alice")
    assert.strictEqual(yield* endAlice, 2)
    assert.strictEqual((yield* Effect.flip(login("alice")))._tag, "ClientError")
  }).pipe(Effect.provide(world(state)))
})

it.effect("he is out at once, and again if he has come back while a slow backend was asked", () => {
  const state: Parameters<typeof world>[0] = { gone: false }
  return Effect.gen(function*() {
    const { login, relay } = yield* TestRelay
    yield* login("alice")
    const gate = yield* Deferred.make<void>()
    state.gone = true
    state.gate = Deferred.await(gate)
    const ending = yield* Effect.forkChild(endAlice, { startImmediately: true })
    yield* TestClock.adjust("1 second")
    assert.strictEqual(relay.gauges().sessions, 0)
    yield* login("alice")
    yield* Deferred.succeed(gate, undefined)
    assert.strictEqual(yield* Fiber.join(ending), 2)
    assert.strictEqual(relay.gauges().sessions, 0)
  }).pipe(Effect.provide(world(state)))
})

it.effect("he is out although the backend does not answer, or cannot", () => {
  const state: Parameters<typeof world>[0] = { gone: false }
  return Effect.gen(function*() {
    const { login } = yield* TestRelay
    yield* login("alice")
    state.down = true
    assert.strictEqual(yield* endAlice, 1)
    yield* login("alice")
    Object.assign(state, { down: false, gate: Effect.never })
    const ending = yield* Effect.forkChild(endAlice, { startImmediately: true })
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual(yield* Fiber.join(ending), 1)
  }).pipe(Effect.provide(world(state)))
})
