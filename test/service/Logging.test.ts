import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { ADDRESS_BURST } from "../../src/logging/LineBudget.ts"
import * as Logging from "../../src/service/Logging.ts"
import { Settings } from "../../src/service/Settings.ts"

/** What one message of each of two levels becomes. */
const logged = Effect.fnUntraced(function*(env: Record<string, string>) {
  const lines: Array<string> = []
  const note = (...args: ReadonlyArray<unknown>) => void lines.push(args.map(String).join(" "))
  const console = new Proxy(globalThis.console, { get: () => note })
  const settings = Settings.layer.pipe(
    Layer.provide([FileSystem.layerNoop({}), ConfigProvider.layer(ConfigProvider.fromEnvRecord(env))])
  )
  yield* Effect.logDebug("quiet").pipe(
    Effect.andThen(Effect.annotateLogs(Effect.logWarning("loud"), { port: 2855 })),
    Effect.provide(Logging.layer.pipe(Layer.provide(settings))),
    Effect.provideService(Console.Console, console)
  )
  return lines
})

describe("Logging", () => {
  it.effect("writes one JSON object a line", () =>
    Effect.gen(function*() {
      const lines = yield* logged({ MSRP_LOG_FORMAT: "json" })
      assert.strictEqual(lines.length, 1)
      const { annotations, level, message } = JSON.parse(lines[0]!)
      assert.deepStrictEqual({ annotations, level, message }, {
        annotations: { port: 2855 },
        level: "WARN",
        message: "loud"
      })
    }))

  it.effect("writes logfmt", () =>
    Effect.gen(function*() {
      const [line, ...more] = yield* logged({ MSRP_LOG_FORMAT: "logfmt" })
      assert.match(line!, /^timestamp=\S+ level=WARN .*message=loud .*port=2855$/)
      assert.deepStrictEqual(more, [])
    }))

  it.effect("writes for people when not told otherwise", () =>
    Effect.gen(function*() {
      const text = (yield* logged({})).join("\n")
      assert.match(text, /^\S*\[\d\d:\d\d:\d\d\.\d{3}\].*WARN.*loud/)
    }))

  it.effect("drops what is below the level", () =>
    Effect.gen(function*() {
      const count = (level: string) =>
        Effect.map(logged({ MSRP_LOG_FORMAT: "json", MSRP_LOG_LEVEL: level }), (lines) => lines.length)
      assert.deepStrictEqual(yield* Effect.all([count("debug"), count("warn"), count("error"), count("none")]), [
        2,
        1,
        0,
        0
      ])
    }))

  it.effect("holds back what one address causes, tells how much, and lets everybody else's lines through", () =>
    Effect.gen(function*() {
      const lines: Array<{ message: unknown; annotations: Record<string, unknown> }> = []
      const note = (line: string) => void lines.push(JSON.parse(line))
      const console = new Proxy(globalThis.console, { get: () => note })
      const refused = (source: string) => Effect.annotateLogs(Effect.logInfo("AUTH refused"), { source, reason: "x" })
      yield* Effect.gen(function*() {
        yield* Effect.replicateEffect(refused("192.0.2.1"), 1000, { discard: true })
        assert.lengthOf(lines, ADDRESS_BURST)
        yield* refused("192.0.2.2")
        yield* Effect.annotateLogs(Effect.logWarning("closing connection: not MSRP"), { remote: "192.0.2.1:4711" })
        assert.lengthOf(lines, ADDRESS_BURST + 2)
        // An address of IPv6 counts as its network, whatever port it comes from.
        for (let i = 0; i < 100; i++) {
          yield* Effect.annotateLogs(Effect.logInfo("closing"), { remote: `2001:db8::${i}:${1000 + i}` })
        }
        assert.lengthOf(lines, 2 * ADDRESS_BURST + 2)
        lines.length = 0
        // With a port or without one, the address is the same.
        for (const remote of ["::1", "[::1]:4711", "::1", "2001:db8:0:1::", "[2001:db8:0:1::2]:80"]) {
          yield* Effect.replicateEffect(Effect.annotateLogs(Effect.logInfo("wrong token"), { remote }), 100, {
            discard: true
          })
        }
        assert.lengthOf(lines, 2 * ADDRESS_BURST)
        lines.length = 0
        yield* Effect.replicateEffect(Effect.logDebug("detail"), 1000, { discard: true })
        assert.lengthOf(lines, 1000)
        lines.length = 0
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(lines.map(({ annotations, message }) => [message, annotations]), [
          ["more of the same was not logged", { what: "AUTH refused", lines: 1000 - ADDRESS_BURST }],
          ["more of the same was not logged", { what: "closing", lines: 100 - ADDRESS_BURST }],
          ["more of the same was not logged", { what: "wrong token", lines: 500 - 2 * ADDRESS_BURST }]
        ])
        lines.length = 0
        yield* refused("192.0.2.1")
        assert.lengthOf(lines, 1)
      }).pipe(
        Effect.provide(Logging.layerWith({ format: "json", level: "Debug" })),
        Effect.provideService(Console.Console, console)
      )
    }))
})
