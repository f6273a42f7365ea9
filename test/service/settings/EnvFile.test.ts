/** The file of variables: which one, and what counts of it. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Settings } from "../../../src/service/Settings.ts"
import { exportOthers, MAX_OCTETS } from "../../../src/service/settings/EnvFile.ts"
import { temporaryDirectory } from "../../support/directory.ts"
import type { Env } from "./environment.ts"

/** What is read of a file with this text; `undefined`: there is none. */
const inFile = Effect.fnUntraced(function*(text: string | undefined, env: Env = {}) {
  const directory = yield* temporaryDirectory
  const path = join(directory, "relay.env")
  if (text !== undefined) writeFileSync(path, text)
  const provider = ConfigProvider.layer(ConfigProvider.fromEnvRecord({ MSRP_ENV_FILE: path, ...env }))
  return yield* Settings.read.pipe(Effect.provide([provider, NodeFileSystem.layer]))
})

const problemsIn = (text: string | undefined, env?: Env) =>
  Effect.map(
    Effect.flip(inFile(text, env)),
    ({ problems }) => problems.map(({ problem, variable }) => [variable, problem])
  )

describe("the file of variables", () => {
  it.effect("has what the environment does not have", () =>
    Effect.gen(function*() {
      const { relay } = yield* inFile(
        "# mine\nMSRP_USERS='alice:a#b'\nMSRP_MAX_SESSIONS=7\nexport MSRP_AUTH_EXPIRES=\"60\"\nOTHER=1\n",
        { MSRP_MAX_SESSIONS: "8" }
      )
      assert.strictEqual(relay.sessions.maxSessions, 8)
      assert.strictEqual(relay.authExpires, 60)
    }))

  it.effect("what is empty in the environment is not set there", () =>
    Effect.gen(function*() {
      for (const empty of ["", " "]) {
        const { relay } = yield* inFile("MSRP_MAX_SESSIONS=7\n", { MSRP_MAX_SESSIONS: empty })
        assert.strictEqual(relay.sessions.maxSessions, 7)
      }
    }))

  it.effect("a variable whose name begins as another one of the environment does counts as well", () =>
    Effect.gen(function*() {
      const { credentials } = yield* inFile("MSRP_CREDENTIALS=memory\nMSRP_USERS=alice:secret\n", {
        MSRP_CREDENTIALS_FILE: "/users"
      })
      assert.strictEqual(credentials._tag, "Memory")
    }))

  it.effect("has no names that the relay does not know", () =>
    Effect.gen(function*() {
      const expected = ["MSRP_UIRS", "there is no such variable; did you mean MSRP_URIS?"]
      assert.deepStrictEqual(yield* problemsIn("MSRP_UIRS=x\n"), [expected])
      assert.deepStrictEqual(yield* problemsIn("MSRP_UIRS=x\n", { MSRP_UIRS: "y" }), [expected])
    }))

  it.effect("does not name another one", () =>
    Effect.gen(function*() {
      const { relay, warnings } = yield* inFile("MSRP_ENV_FILE=/nowhere\nMSRP_MAX_SESSIONS=7\n")
      assert.strictEqual(relay.sessions.maxSessions, 7)
      assert.match(warnings.join(), /^MSRP_ENV_FILE in .* is not used/)
    }))

  it.effect("that is named has to be there, a file, and not too large", () =>
    Effect.gen(function*() {
      const [[variable, problem]] = (yield* problemsIn(undefined)) as [[string, string]]
      assert.strictEqual(variable, "MSRP_ENV_FILE")
      assert.match(problem, /^there is no such file \(/)
      assert.match((yield* problemsIn(undefined, { MSRP_ENV_FILE: tmpdir() }))[0]![1]!, /^is not a file \(/)
      assert.match((yield* problemsIn("#".repeat(MAX_OCTETS + 1)))[0]![1]!, /^is larger than 1048576 octets \(/)
    }))

  it.effect("that cannot be used is not blamed for what may be in it; what is wrong in the environment is said too", () =>
    Effect.gen(function*() {
      const env = { MSRP_LISTEN: "msrp:127.0.0.1:2855", MSRP_TLS_KEY: "/key", MSRP_MAX_SESSIONS: "0", MSRP_UIRS: "x" }
      for (const text of [undefined, "MSRP_USERS=alice:secret\nMSRP_MAX_DI"]) {
        const variables = (yield* problemsIn(text, env)).map(([variable]) => variable)
        assert.deepStrictEqual(variables, ["MSRP_ENV_FILE", "MSRP_MAX_SESSIONS", "MSRP_UIRS"])
      }
    }))

  it.effect("has nothing but variables, comments and empty lines in it, and says where it has", () =>
    Effect.gen(function*() {
      const wrong = (text: string) => Effect.map(problemsIn(text), ([first]) => first![1]!.replace(/ \(.*/, ""))
      assert.strictEqual(
        yield* wrong("# mine\nMSRP_MAX_SESSIONS=7\nMSRP_MAX_DI"),
        "the file is wrong in line 3: not NAME=value"
      )
      assert.strictEqual(
        yield* wrong("MSRP_USERS='a:b,\n c:d'\n\n<<<<<<< HEAD\n"),
        "the file is wrong in line 4: not NAME=value"
      )
      assert.strictEqual(yield* wrong("MSRP_MAX_SESSIONS=7\n\0\0\0\0"), "is not text in UTF-8")
      const { relay } = yield* inFile(
        "; of systemd\r\n  # mine\r\n\r\nA=\nB='two\nlines' # both\n export  MSRP_MAX_SESSIONS = 7\nC=\"open\nD.e-f=`x\n\ny`"
      )
      assert.strictEqual(relay.sessions.maxSessions, 7)
    }))

  it.effect("without a name is .env in the working directory, if there is one", () =>
    Effect.gen(function*() {
      const directory = mkdtempSync(join(tmpdir(), "msrp-relay-"))
      const before = process.cwd()
      const read = Settings.read.pipe(
        Effect.provide([ConfigProvider.layer(ConfigProvider.fromEnvRecord({})), NodeFileSystem.layer]),
        Effect.map(({ envFile, relay }) => {
          assert.isUndefined(envFile)
          return relay.sessions.maxSessions
        })
      )
      process.chdir(directory)
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* read, 100_000)
        mkdirSync(".env")
        assert.strictEqual(yield* read, 100_000)
        rmSync(".env", { recursive: true })
        writeFileSync(".env", "MSRP_ENV_FILE=/nowhere\nMSRP_MAX_SESSIONS=7\n")
        assert.strictEqual(yield* read, 7)
      }).pipe(Effect.ensuring(Effect.sync(() => {
        process.chdir(before)
        rmSync(directory, { recursive: true })
      })))
    }))

  it("gives the environment what others read there, and keeps what it has", () => {
    const environment: NodeJS.ProcessEnv = { TZ: "UTC" }
    const variables = { MSRP_USERS: "alice:secret", TZ: "CET", OTEL_SERVICE_NAME: "relay-1" }
    exportOthers({ path: ".env", variables, warnings: [] }, environment)
    assert.deepStrictEqual(environment, { TZ: "UTC", OTEL_SERVICE_NAME: "relay-1" })
  })
})
