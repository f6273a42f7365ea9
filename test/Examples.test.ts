/** The examples in the doc comments of the public modules: each compiles, so that whoever copies one starts from what works. */
import { spawnSync } from "node:child_process"
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, it, vi } from "vitest"

vi.setConfig({ testTimeout: 180_000 })

const root = fileURLToPath(new URL("..", import.meta.url))

/** Which modules are to have one. */
const SERVICES =
  "Admin Authenticator Client Codec Credentials Metrics Relay Resolver Service SessionRepo SocketSelector Transport testing"
    .split(" ")

/** For an example without imports of its own. */
const IMPORTS = `
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import {
  Authenticator, Client, Codec, Credentials, CredentialsUnavailable, type FrameSink, Metrics, passwordUser, Relay, Resolver, type Secret,
  type SessionEntry, SessionRepo, SocketSelector, Transport
} from "msrp-relay"
import { sessionRepoContract } from "msrp-relay/testing"
import { type Accept, makeDuplexes, wrapConnection, wrapTransport } from "msrp-relay/Transport"
`

/** What examples leave to their reader. */
const PLACEHOLDERS = `
type Effect_<A> = import("effect/Effect").Effect<A>
declare const OwnCredentials: import("effect/Layer").Layer<import("msrp-relay").Credentials>
declare const OwnRepo: import("effect/Layer").Layer<import("msrp-relay").SessionRepo>
declare const unknownHost: import("msrp-relay").ResolverError
declare const UserService: Effect_<
  { readonly passwordOf: (name: string, realm: string) => Effect_<import("effect/Option").Option<import("effect/Redacted").Redacted>> }
>
declare const password: import("effect/Redacted").Redacted
declare const peersPath: ReadonlyArray<string>
declare const onTunnel: (
  use: (stream: import("node:stream").Duplex) => void
) => Effect_<import("msrp-relay").LocalSocket>
declare const openTunnel: (options: import("msrp-relay").ConnectOptions) => Effect_<import("node:stream").Duplex>
`

const examplesIn = (path: string): ReadonlyArray<string> =>
  [...readFileSync(path, "utf8").matchAll(/\/\*\*(.*?)\*\//gs)].flatMap(([, comment]) =>
    [...comment!.replaceAll(/^ *\* ?/gm, "").matchAll(/```ts\n(.*?)```/gs)].map(([, example]) => example!)
  )

/** As a module: its imports first; the rest in a generator, for those that are a part of one. */
const moduleOf = (example: string): string => {
  const imports = example.split("\n").filter((line) => line.startsWith("import "))
  const rest = example.split("\n").filter((line) => !line.startsWith("import "))
  const head = imports.length === 0 ? IMPORTS : imports.join("\n")
  return `${head}\n${PLACEHOLDERS}\nexport function* example() {\n${rest.join("\n")}\n}\n`
}

it("examples in doc comments compile, and each service has one", () => {
  const folder = join(root, "node_modules/.cache/examples")
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const files = globSync("src/*.ts", { cwd: root }).flatMap((path) =>
    examplesIn(join(root, path)).map((example, i) => {
      const name = `${basename(path, ".ts")}-${i + 1}.ts`
      writeFileSync(join(folder, name), moduleOf(example))
      return name
    })
  )
  assert.deepStrictEqual(SERVICES.filter((name) => !files.includes(`${name}-1.ts`)), [])
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false, noImplicitReturns: false }
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, files, include: [] })
  )
  const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" })
  assert.deepStrictEqual({ status, stdout }, { status: 0, stdout: "" })
})
