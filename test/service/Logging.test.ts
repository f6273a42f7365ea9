import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
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
})
