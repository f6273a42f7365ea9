/** The repository in memory; what the relay makes of one is tested in `test/relay/edge`. */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type SessionChange, SessionRepo } from "../src/SessionRepo.ts"

const layer = SessionRepo.layerMemoryConfig(
  Config.map(Config.Number("MAX_CHANGES"), (maxChanges) => ({ maxChanges }))
)

const withEnvironment = (env: Readonly<Record<string, string>>) =>
  Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnvRecord(env)))

const idsOf = (changes: ReadonlyArray<SessionChange>) =>
  changes.map((change) => change._tag === "Ended" ? change.id : change.session.id)

describe("layerMemoryConfig", () => {
  it.effect("takes its options from a Config: a slow reader misses the oldest changes", () =>
    Effect.gen(function*() {
      const { changes, end } = yield* SessionRepo
      const pull = yield* Stream.toPull(changes)
      // The subscription begins with the first pull.
      const first = yield* Effect.forkChild(pull, { startImmediately: true })
      yield* end("0", "expired")
      assert.deepStrictEqual(idsOf(yield* Fiber.join(first)), ["0"])
      for (const id of ["1", "2", "3", "4"]) yield* end(id, "expired")
      assert.deepStrictEqual(idsOf(yield* pull), ["3", "4"])
    }).pipe(Effect.scoped, Effect.provide(withEnvironment({ MAX_CHANGES: "2" }))))

  it.effect("fails for options that cannot be used, and for a Config without a value", () =>
    Effect.gen(function*() {
      const failure = (env: Readonly<Record<string, string>>) =>
        Effect.map(Effect.flip(Layer.build(withEnvironment(env))), ({ _tag }) => _tag)
      assert.strictEqual(yield* failure({ MAX_CHANGES: "0" }), "OptionsError")
      assert.strictEqual(yield* failure({}), "ConfigError")
    }).pipe(Effect.scoped))
})
