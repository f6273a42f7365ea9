import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import { MAX_FILE, passwordOf } from "../../src/service/Password.ts"

interface Given {
  readonly password?: string
  readonly passwordFile?: string
  readonly variable?: string
  readonly input?: Iterable<string>
}

const noTerminal = Layer.succeed(
  Terminal.Terminal,
  Terminal.make({
    columns: Effect.succeed(80),
    rows: Effect.succeed(24),
    size: Effect.die("unused"),
    readInput: Effect.die("unused"),
    readLine: Effect.die("unused"),
    display: () => Effect.void
  })
)

const read = ({ input = [], password, passwordFile, variable }: Given) =>
  passwordOf({
    password: Option.map(Option.fromUndefinedOr(password), (text) => Redacted.make(text)),
    passwordFile: Option.fromUndefinedOr(passwordFile)
  }).pipe(
    Effect.map(Redacted.value),
    Effect.provideService(
      ConfigProvider.ConfigProvider,
      ConfigProvider.fromEnvRecord(variable === undefined ? {} : { MSRP_PASSWORD: variable })
    ),
    Effect.provideService(TerminalCapabilities.TerminalCapabilities, {
      canColor: false,
      canAnimate: false,
      canPrompt: false
    }),
    Effect.provide([
      Stdio.layerTest({ stdin: Stream.map(Stream.fromIterable(input), (text) => Buffer.from(text)) }),
      noTerminal,
      Path.layer,
      NodeFileSystem.layer
    ])
  )

it.effect("comes from the command line, a file, standard input or the environment, in this order", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = `${yield* fs.makeTempDirectoryScoped()}/password`
    yield* fs.writeFileString(path, " from a file\r\n")
    const [password, variable] = ["typed", "of the environment"]
    assert.strictEqual(yield* read({ password, variable }), password)
    assert.strictEqual(yield* read({ passwordFile: path, variable }), " from a file")
    assert.strictEqual(yield* read({ passwordFile: "-", input: ["pip", "ed\n"], variable }), "piped")
    assert.strictEqual(yield* read({ variable }), variable)
  }).pipe(Effect.provide(NodeFileSystem.layer)))

it.effect("where there is none, or no usable one, it is said how to give it, and not what it is", () =>
  Effect.gen(function*() {
    const fails = (given: Given) => Effect.map(Effect.flip(read(given)), ({ message }) => message)
    assert.match(yield* fails({}), /--password-file.*MSRP_PASSWORD/)
    assert.match(yield* fails({ variable: "" }), /^No password/)
    assert.match(yield* fails({ password: "wonderland", passwordFile: "-" }), /^Give one of/)
    assert.match(yield* fails({ passwordFile: "/nowhere" }), /^\/nowhere cannot be read: there is no such file/)
    const endless = function*() {
      for (;;) yield "wonderland".repeat(100)
    }
    for (const input of [[], ["\n"], ["wonder\nland\n"], ["wonderland".repeat(MAX_FILE)], endless()]) {
      const message = yield* fails({ passwordFile: "-", input })
      assert.match(message, /^Standard input (?:contains no password|has more than)/)
      assert.notInclude(message, "wonder")
    }
  }))
