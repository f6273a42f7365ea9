import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as AtomRef from "effect/reactivity/AtomRef"
import * as Schema from "effect/Schema"
import { Authenticator } from "../../src/Authenticator.ts"
import { Codec } from "../../src/Codec.ts"
import { Credentials } from "../../src/Credentials.ts"
import { follow } from "../../src/options/Live.ts"
import { whole, wrongOptions } from "../../src/options/Options.ts"
import { Relay, type RelayOptions } from "../../src/Relay.ts"
import { SessionRepo } from "../../src/SessionRepo.ts"
import { SocketSelector } from "../../src/SocketSelector.ts"
import { Transport } from "../../src/Transport.ts"

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

it.effect("what is set while the first options are looked at counts", () =>
  Effect.gen(function*() {
    const options = AtomRef.make({ n: 1 })
    const seen: Array<number> = []
    const meanwhile = (given: { readonly n: number }) => {
      if (given.n === 1) options.set({ n: 2 })
      return wrong(given)
    }
    const live = yield* follow(options, meanwhile, ({ n }) => void seen.push(n))
    assert.strictEqual(live.current.n, 2)
    assert.deepStrictEqual(seen, [2])
  }))

it.effect("those that take effect only at the start only are named in the log when they are others later", () =>
  Effect.gen(function*() {
    const log: Array<string> = []
    const logger = Logger.make<unknown, void>((entry) => void log.push(Logger.formatLogFmt.log(entry)))
    const made = (n: number, port: number) => ({ n, listen: [{ host: "localhost", port }] })
    const options = AtomRef.make(made(1, 2855))
    const never = () => undefined
    yield* Effect.scoped(Effect.gen(function*() {
      const followed = yield* follow(options, never, () => {}, ["listen"])
      options.set(made(2, 2855))
      yield* Effect.yieldNow
      assert.deepStrictEqual(log, [])
      options.set(made(3, 2856))
      yield* Effect.yieldNow
      assert.strictEqual(followed.current.n, 3)
      assert.match(log.join(), /level=WARN .*message="these options take effect only at the start" options=listen/)
    })).pipe(Effect.provide(Logger.layer([logger])))
  }))

it.effect("a relay says so of listen, of which it opens none later", () =>
  Effect.gen(function*() {
    const log: Array<string> = []
    const logger = Logger.make<unknown, void>((entry) => void log.push(Logger.formatLogFmt.log(entry)))
    const at = (port: number): RelayOptions => ({ listen: [{ scheme: "msrp", host: "relay.example.com", port }] })
    const options = AtomRef.make(at(2855))
    const relay = yield* Layer.build(
      Relay.layer(options).pipe(Layer.provide([
        Transport.layerTest(),
        Codec.layer,
        SessionRepo.layerMemory(),
        SocketSelector.layerDefault([]),
        Authenticator.layerDigest().pipe(Layer.provide(Credentials.layerMemory([]))),
        Logger.layer([logger])
      ]))
    )
    options.set({ ...at(2855), authExpires: 600 })
    options.set(at(2856))
    yield* Effect.yieldNow
    assert.lengthOf(log.filter((line) => line.includes("take effect only at the start")), 1)
    assert.match(log.join(), /options=listen/)
    assert.deepStrictEqual(Context.get(relay, Relay).sockets.map(({ port }) => port), [2855])
  }).pipe(Effect.scoped))

it.effect("those that are wrong at first fail", () =>
  Effect.gen(function*() {
    for (const given of [{ n: 0 }, AtomRef.make({ n: 0 })]) {
      assert.deepStrictEqual((yield* Effect.flip(follow(given, wrong))).problems.map(({ option }) => option), ["n"])
    }
  }))
