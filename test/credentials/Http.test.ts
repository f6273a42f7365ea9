/** How often, and for how long, a service of users is asked that does not answer as it should. */
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Credentials } from "../../src/Credentials.ts"
import { layerHttp } from "../../src/credentials/Http.ts"

/** When a service is asked that answers so, in milliseconds, until it counts as down. */
const asked = (answer: Effect.Effect<Response>) =>
  Effect.gen(function*() {
    const times: Array<number> = []
    const client = HttpClient.make((request) =>
      Effect.gen(function*() {
        times.push(yield* Clock.currentTimeMillis)
        return HttpClientResponse.fromWeb(request, yield* answer)
      })
    )
    const layer = layerHttp({ url: "http://users.example.com/" }).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
    )
    const lookup = Effect.flatMap(Credentials, ({ lookup }) => lookup({ username: "alice", realm: "example.com" }))
    const looking = yield* Effect.forkChild(Effect.flip(Effect.provide(lookup, layer)))
    yield* TestClock.adjust("1 minute")
    assert.isDefined(looking.pollUnsafe(), "it counts as down")
    return times.map((one) => one - times[0]!)
  })

it.effect("one that does not answer within two seconds is asked twice more, and then counts as down", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* asked(Effect.never), [0, 2100, 4300])
  }))

it.effect("so is one whose answer says nothing, at once", () =>
  Effect.gen(function*() {
    for (const status of [302, 500]) {
      assert.deepStrictEqual(yield* asked(Effect.sync(() => new Response("", { status }))), [0, 100, 300])
    }
  }))
