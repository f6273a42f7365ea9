/** What is published: all that its documents point to, and names for what its types are made of. */
import { assert, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import * as Package from "../src/index.ts"
import type {
  Client,
  Live,
  NextHopOptions,
  RelayCounters,
  RelayOptions,
  RelayPolicy,
  RequestParts,
  ResponseParts
} from "../src/index.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

/** For who works on the package, and has its repository. */
const ELSEWHERE = /^(?:test|bench|\.ci)/

/** Exported besides: what is made in another way than the modules. */
const BESIDES = new Set(["./browser", "./browser/WebSocketTransport", "./browser/msrp.js", "./package.json"])

/** Backends of users: a module each, since some need what not everybody installs. */
const BACKENDS = ["ByRealm", "Cached", "Ephemeral", "File", "Http", "Sql"].map((name) => `credentials/${name}`)

it("what is exported are the public modules: the flat files of src, and backends of users", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, unknown>>
  }
  const modules = readdirSync(join(root, "src")).filter((name) => name.endsWith(".ts")).map((name) => name.slice(0, -3))
  assert.deepStrictEqual(
    Object.fromEntries(Object.entries(exports).filter(([path]) => !BESIDES.has(path))),
    Object.fromEntries(
      [...modules, ...BACKENDS].map((name) => [name === "index" ? "." : `./${name}`, `./dist/${name}.js`])
    )
  )
})

it("documents point to what is in the package", () => {
  const listed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8"
  })
  const [{ files }] = JSON.parse(listed) as [{ files: ReadonlyArray<{ path: string }> }]
  const packed = new Set(files.map(({ path }) => path))
  const missing = [...packed].filter((path) => path.endsWith(".md")).flatMap((path) =>
    [...readFileSync(join(root, path), "utf8").matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].flatMap(([, link]) => {
      const target = relative(root, join(root, dirname(path), link!))
      const isThere = packed.has(target) || files.some((file) => file.path.startsWith(`${target}/`))
      return isThere || ELSEWHERE.test(target) || !existsSync(join(root, target)) ? [] : [`${path}: ${target}`]
    })
  )
  assert.deepStrictEqual(missing, [])
})

it("whoever passes options or counters on can name their types", () => {
  const options: Live<RelayOptions> = { listen: [] }
  const nextHops: NextHopOptions | undefined = options.nextHops
  const peers: RelayPolicy | undefined = options.relayPeers
  const counted = (counters: Readonly<RelayCounters>): number => counters.framesIn
  assert.deepStrictEqual([nextHops, peers, counted.length], [undefined, undefined, 1])
})

it("whoever passes options on may leave them undefined", () => {
  const ends = { transactionId: "a", toPath: "b", fromPath: "c" }
  const request: RequestParts = { ...ends, method: "SEND", headers: undefined, body: undefined, flag: undefined }
  const response: ResponseParts = { ...ends, status: 200, comment: undefined, headers: undefined }
  const respond: Parameters<Client.Client["respond"]>[2] = { comment: undefined, headers: undefined }
  const report: Parameters<Client.Client["report"]>[1] = { status: 200, comment: undefined, byteRange: "1-1/1" }
  const why = { status: undefined, response: undefined, cause: undefined }
  const error = new Package.Client.ClientError({ reason: "Closed", message: "it is gone", ...why })
  const given = [request.body, response.comment, respond?.comment, report.comment, error.status]
  assert.deepStrictEqual(given.filter((one) => one !== undefined), [])
})

it("errors say in words what is wrong", () => {
  const cause = new Error("it is down")
  const errors: Readonly<Record<string, { readonly _tag: string; readonly message: string }>> = {
    CredentialsFileError: new Package.CredentialsFileError({
      path: "users",
      reason: "Unreadable",
      problems: [],
      cause
    }),
    CredentialsUnavailable: new Package.CredentialsUnavailable({ backend: "sql", cause }),
    NoCommonAlgorithm: new Package.NoCommonAlgorithm({ allowed: ["MD5"], available: ["SHA-256"] }),
    OptionsError: new Package.OptionsError({
      layer: "Relay.layer",
      problems: [{ option: "uris", problem: "is empty" }]
    }),
    ResolverError: new Package.ResolverError({ name: "example.com", code: "EAI_AGAIN" }),
    SessionRepoUnavailable: new Package.SessionRepoUnavailable({ cause }),
    SessionsExhausted: new Package.SessionsExhausted({ of: "user", limit: 3 }),
    SocketRulesError: new Package.SocketRulesError({ problems: [{ number: 1, rule: "x", problem: "is no rule" }] }),
    SqlSettingsError: new Package.SqlSettingsError({ problem: "the URL is none" }),
    TokensUnavailable: new Package.TokensUnavailable(),
    TooManyTraces: new Package.TooManyTraces({ limit: 16 }),
    TransportError: new Package.TransportError({ operation: "connect", target: "msrp://a:1", reason: "Refused", cause })
  }
  const names = Object.entries(Package).flatMap(([name, one]) =>
    typeof one === "function" && one.prototype instanceof Error ? [name] : []
  )
  assert.sameMembers(Object.keys(errors), names)
  for (const [name, { _tag, message }] of Object.entries(errors)) {
    assert.strictEqual(_tag, name)
    assert.notStrictEqual(message, "", name)
  }
})
