/** A relay to test against, in one line. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Authenticator } from "../../src/Authenticator.ts"
import { SessionRepo } from "../../src/SessionRepo.ts"
import { TestRelay } from "../../src/testing.ts"

describe("TestRelay", () => {
  it.effect("has users, who can write to each other", () =>
    Effect.gen(function*() {
      const relay = yield* TestRelay
      const alice = yield* relay.login("alice")
      const bob = yield* relay.login("bob", { expires: 60 })
      assert.strictEqual(bob.grant.expires, 60)
      yield* bob.client.send({ toPath: [...bob.grant.usePath.map(({ text }) => text), ...alice.path], body: "hello" })
      assert.strictEqual((yield* alice.client.messages.take).body?.toString(), "hello")
      const wrong = yield* Effect.flip(relay.login("nobody", { password: "guess" }))
      assert.strictEqual("status" in wrong && wrong.status, 401)
    }).pipe(Effect.provide(TestRelay.layer())))

  it.effect("uses what is provided to it", () => {
    const kept: Array<string> = []
    return Effect.gen(function*() {
      const relay = yield* TestRelay
      const client = yield* relay.connect
      const { status } = yield* client.request({
        method: "AUTH",
        toPath: relay.uri,
        headers: [["Authorization", "Bearer good"]]
      })
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(kept, ["dora"])
    }).pipe(
      Effect.provide(
        TestRelay.layer().pipe(Layer.provide([
          Authenticator.layerBearer(() => Effect.succeed(Option.some({ username: "dora" }))),
          Layer.effect(
            SessionRepo,
            SessionRepo.make({
              create: ({ username }) => Effect.sync(() => void kept.push(username)),
              end: () => Effect.void,
              list: Stream.empty
            })
          )
        ]))
      )
    )
  })
})
