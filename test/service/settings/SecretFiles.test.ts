/** Secrets in files: which count, and that none is told. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { inspect } from "node:util"
import { Settings, type SettingsShape } from "../../../src/service/Settings.ts"
import { secretFileVariables, secretVariables } from "../../../src/service/settings/SecretFiles.ts"
import type { Variables } from "../../../src/service/settings/Table.ts"
import { temporaryDirectory } from "../../support/directory.ts"
import type { Env } from "./environment.ts"

const read = (env: Env) =>
  Settings.read.pipe(
    Effect.provide([ConfigProvider.layer(ConfigProvider.fromEnvRecord({ ...env })), NodeFileSystem.layer])
  )

const textOf = ({ texts }: SettingsShape, key: keyof Variables) => Redacted.value(texts).get(key)

const problemsOf = (env: Env) => Effect.map(Effect.flip(read(env)), ({ message, problems }) => ({ message, problems }))

/** A value of each that may be set beside the others. */
const values: Record<string, readonly [keyof Variables, string]> = {
  MSRP_USERS: ["users", "alice:wonderland"],
  MSRP_SQL_URL: ["sqlUrl", "postgres://msrp:wonderland@db/opensips"],
  MSRP_HTTP_URL: ["httpUrl", "https://users.example.com/wonderland"],
  MSRP_HTTP_TOKEN: ["httpToken", "wonderland"],
  MSRP_EPHEMERAL_SECRET: ["ephemeralSecret", "wonderland"],
  MSRP_HEP_KEY: ["hepKey", "wonderland"]
}

it.effect("each secret may be in a file, or a credential of systemd", () =>
  Effect.gen(function*() {
    assert.sameMembers(Object.keys(values), [...secretVariables])
    const directory = yield* temporaryDirectory
    const names: Record<string, string> = { MSRP_CREDENTIALS: "memory", MSRP_HEP: "udp:127.0.0.1:9060" }
    for (const variable of secretVariables) {
      writeFileSync(join(directory, variable), `${values[variable]![1]}\n`)
      names[`${variable}_FILE`] = join(directory, variable)
    }
    assert.includeMembers(Object.keys(names), [...secretFileVariables])
    const inFiles = yield* read(names)
    const { MSRP_CREDENTIALS, MSRP_HEP } = names
    const ofSystemd = yield* read({ MSRP_CREDENTIALS, MSRP_HEP, CREDENTIALS_DIRECTORY: directory })
    for (const [key, value] of Object.values(values)) {
      assert.strictEqual(textOf(inFiles, key), value)
      assert.strictEqual(textOf(ofSystemd, key), value)
    }
    assert.lengthOf(inFiles.secretFiles, secretVariables.size)
    assert.notInclude(inspect([inFiles, ofSystemd], { depth: 9 }), "wonderland@")
  }))

it.effect("the environment counts before the file of variables, and that before systemd", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const write = (name: string, text: string) => {
      writeFileSync(join(directory, name), text)
      return join(directory, name)
    }
    const users = (env: Env) => Effect.map(read(env), (settings) => textOf(settings, "users"))
    const of = write("users", "of:environment")
    write("MSRP_USERS", "of:systemd")
    const file = { MSRP_ENV_FILE: write("relay.env", `MSRP_USERS_FILE=${write("users.file", "of:file")}\n`) }
    const systemd = { CREDENTIALS_DIRECTORY: directory }
    assert.strictEqual(yield* users({ ...file, ...systemd, MSRP_USERS_FILE: of }), "of:environment")
    assert.strictEqual(yield* users({ ...file, ...systemd, MSRP_USERS: "of:variable" }), "of:variable")
    assert.strictEqual(yield* users({ ...file, ...systemd }), "of:file")
    assert.strictEqual(yield* users(systemd), "of:systemd")
    // A reload sees what the file has now.
    write("users.file", "of:other")
    assert.strictEqual(yield* users({ ...file, ...systemd }), "of:other")
  }))

it.effect("a file that cannot be used is named, and what is in it is not told", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const path = join(directory, "secret")
    writeFileSync(path, "wonder\u0007land")
    for (
      const [env, expected] of [
        [{ MSRP_USERS_FILE: "/nowhere" }, "there is no such file (/nowhere, which MSRP_USERS_FILE names)"],
        [{ MSRP_USERS_FILE: path, MSRP_USERS: "a:b" }, "is set, and MSRP_USERS_FILE as well: only one of them may be"]
      ] as const
    ) {
      const { problems } = yield* problemsOf(env)
      assert.deepStrictEqual(problems.map(({ problem, variable }) => [variable, problem]), [["MSRP_USERS", expected]])
    }
    const { message, problems } = yield* problemsOf({ MSRP_EPHEMERAL_SECRET_FILE: path })
    assert.deepStrictEqual(problems.map(({ variable }) => variable), ["MSRP_EPHEMERAL_SECRET"])
    assert.notInclude(message, "wonder")
    writeFileSync(path, " \n")
    assert.match((yield* problemsOf({ MSRP_HTTP_URL_FILE: path })).message, /MSRP_HTTP_URL: the file is empty/)
    writeFileSync(join(directory, "MSRP_USERS"), "")
    assert.match((yield* problemsOf({ CREDENTIALS_DIRECTORY: directory })).message, /the file is empty .*systemd/)
  }))
