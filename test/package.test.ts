/** What is published: all that its documents point to, and names for what its types are made of. */
import { assert, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import type { Live, NextHopOptions, RelayCounters, RelayOptions, RelayPolicy } from "../src/index.ts"

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
