import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as AtomRef from "effect/reactivity/AtomRef"
import * as Schema from "effect/Schema"
import { follow } from "../../src/options/Live.ts"
import { whole, wrongOptions } from "../../src/options/Options.ts"

const wrong = wrongOptions<{ readonly n: number }>("test", Schema.Struct({ n: whole([1, 9]) }))

it.effect("what is set counts at once; what cannot be used is logged, and does not", () =>
  Effect.gen(function*() {
    const log: Array<string> = []
    const logger = Logger.make<unknown, void>((entry) => void log.push(Logger.formatLogFmt.log(entry)))
    const options = AtomRef.make({ n: 1 })
    const seen: Array<number> = []
    const live = yield* Effect.scoped(
      Effect.gen(function*() {
        const followed = yield* follow(options, wrong, ({ n }) => void seen.push(n))
        options.set({ n: 2 })
        assert.strictEqual(followed.current.n, 2)
        options.set({ n: 10 })
        assert.strictEqual(followed.current.n, 2)
        yield* Effect.yieldNow
        assert.match(
          log.join(),
          /level=ERROR .*message="the new options are not used" reason=".*n must be a whole number from 1 to 9/
        )
        options.set({ n: 3 })
        return followed
      }).pipe(Effect.provide(Logger.layer([logger])))
    )
    options.set({ n: 4 })
    assert.strictEqual(live.current.n, 3)
    assert.deepStrictEqual(seen, [2, 3])
  }))

it.effect("those that are wrong at first fail", () =>
  Effect.gen(function*() {
    for (const given of [{ n: 0 }, AtomRef.make({ n: 0 })]) {
      assert.deepStrictEqual((yield* Effect.flip(follow(given, wrong))).problems.map(({ option }) => option), ["n"])
    }
  }))
