/**
 * Checks that response times do not reveal which users exist (RFC 4976 §6.3): sends AUTHs with wrong passwords for existing and
 * for other names in random order, and compares their times by a rank test (Mann and Whitney).
 *
 *   npm run bench:names -- [--only BACKEND] [--probes N] [--tls]
 */
import { hash, randomInt } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type Account, authorization } from "./digest.ts"
import { noFaults } from "./input.ts"
import { Link, type Target } from "./link.ts"
import { ownRelay } from "./relays.ts"
import { run, UsageError, whole } from "./usage.ts"

/** The number of existing names, and of other names. All names have the same length. */
const NAMES = 200
/** AUTHs on one connection: the relay closes one on which too many have failed. */
const PROBES_OF_LINK = 500
/** Standard deviations that are exceeded by chance once in 15,000 times. */
const TOLERANCE = 4

const account: Account = { user: "bench", password: "secret" }
const nameOf = (kind: string, n: number): string => `${kind}${String(n).padStart(4, "0")}`
const users: ReadonlyArray<Account> = [
  account,
  ...Array.from({ length: NAMES }, (_, n) => ({ user: nameOf("user", n), password: `secret of ${n}` }))
]
const ha1 = ({ password, user }: Account): string => hash("md5", `${user}:localhost:${password}`, "hex")

const backends: Readonly<Record<string, (directory: string, url: string) => Readonly<Record<string, string>>>> = {
  memory: () => ({ MSRP_USERS: users.map(({ password, user }) => `${user}:${password}`).join(",") }),
  file: (directory) => {
    const file = join(directory, "users")
    writeFileSync(file, users.map((one) => `${one.user}:localhost:${ha1(one)}\n`).join(""))
    return { MSRP_USERS: "", MSRP_CREDENTIALS_FILE: file }
  },
  sql: (directory) => ({ ...inTable(join(directory, "users.db")), MSRP_CREDENTIALS_CACHE: "0" }),
  "sql, remembered": (directory) => inTable(join(directory, "remembered.db")),
  http: (_, url) => ({ MSRP_USERS: "", MSRP_HTTP_URL: url, MSRP_CREDENTIALS_CACHE: "0" }),
  "http, remembered": (_, url) => ({ MSRP_USERS: "", MSRP_HTTP_URL: url })
}

/** A service of users that answers at once, and for who is no user as many octets. */
const httpService = async () => {
  const known = new Map(users.map((one) => [one.user, JSON.stringify({ ha1: { MD5: ha1(one) } })]))
  const server = createServer((request, response) => {
    let text = ""
    request.on("data", (octets: Buffer) => text += octets.toString())
    request.on("end", () => {
      const answer = known.get((JSON.parse(text) as { readonly username: string }).username)
      response.writeHead(answer === undefined ? 404 : 200).end(answer ?? " ".repeat(48))
    })
  })
  await once(server.listen(0, "127.0.0.1"), "listening")
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}

const inTable = (file: string) => {
  const database = new DatabaseSync(file)
  database.exec("CREATE TABLE subscriber (username TEXT, domain TEXT, ha1 TEXT, PRIMARY KEY (username, domain))")
  const insert = database.prepare("INSERT INTO subscriber VALUES (?, 'localhost', ?)")
  for (const one of users) insert.run(one.user, ha1(one))
  database.close()
  return { MSRP_USERS: "", MSRP_SQL_URL: `sqlite:${file}` }
}

interface Probe {
  readonly exists: boolean
  /** Milliseconds. */
  readonly time: number
}

const probe = async (target: Target, count: number): Promise<ReadonlyArray<Probe>> => {
  // The same number of each kind, in random order.
  const order = Array.from({ length: 2 * count }, (_, i) => i % 2 === 0)
  for (let i = order.length - 1; i > 0; i--) {
    const k = randomInt(i + 1)
    const swapped = order[i]!
    order[i] = order[k]!
    order[k] = swapped
  }
  const probes: Array<Probe> = []
  for (let done = 0; done < order.length; done += PROBES_OF_LINK) {
    const link = await Link.open(target, `names${done}`, noFaults())
    const challenge = await link.auth(target.uri)
    for (const exists of order.slice(done, done + PROBES_OF_LINK)) {
      const user = nameOf(exists ? "user" : "none", randomInt(NAMES))
      const answer = authorization(challenge, target.uri, { user, password: "a guess" })
      if (answer === undefined) throw new Error("no usable challenge")
      const start = performance.now()
      const response = await link.auth(target.uri, answer)
      const time = performance.now() - start
      if (!/ 401 /.test(response)) throw new Error(`answered ${response.split("\r\n", 1)[0]}`)
      probes.push({ exists, time })
    }
    link.destroy()
  }
  return probes
}

/** Standard deviations by which the times of existing names rank above the mean. */
const rankTest = (probes: ReadonlyArray<Probe>): number => {
  const sorted = probes.toSorted((a, b) => a.time - b.time)
  let sum = 0
  for (let first = 0, end = 0; first < sorted.length; first = end) {
    while (end < sorted.length && sorted[end]!.time === sorted[first]!.time) end++
    // Equal times share their ranks.
    const rank = (first + 1 + end) / 2
    for (let i = first; i < end; i++) if (sorted[i]!.exists) sum += rank
  }
  const n = probes.filter(({ exists }) => exists).length
  const m = probes.length - n
  return (sum - n * (n + m + 1) / 2) / Math.sqrt(n * m * (n + m + 1) / 12)
}

const median = (probes: ReadonlyArray<Probe>): number =>
  probes.map(({ time }) => time).toSorted((a, b) => a - b)[Math.trunc(probes.length / 2)] ?? NaN

const print = (text: string): void => void process.stdout.write(`${text}\n`)

const usage = `Usage: npm run bench:names -- [options]

  --only NAME  only this source of users: ${Object.keys(backends).map((name) => `"${name}"`).join(", ")}
  --probes N   guesses at names of each kind (default 2000)
  --tls        over TLS
  --help       this text
`

await run(usage, {
  options: {
    only: { type: "string" },
    probes: { type: "string", default: "2000" },
    tls: { type: "boolean", default: false }
  }
}, async ({ values }) => {
  if (values.only !== undefined && !(values.only in backends)) {
    throw new UsageError(`--only: there is no "${values.only}"`)
  }
  const count = whole(values.probes, "probes")
  const directory = mkdtempSync(join(tmpdir(), "msrp-names-"))
  const service = await httpService()
  try {
    for (const [name, settings] of Object.entries(backends)) {
      if (values.only !== undefined && values.only !== name) continue
      const relay = ownRelay(undefined, undefined, {
        MSRP_DIGEST_ALGORITHMS: "MD5",
        MSRP_AUTH_FREE_FAILURES: "1000000",
        MSRP_AUTH_FREE_FAILURES_PER_ADDRESS: "1000000",
        MSRP_MAX_FAILED_AUTH: "1000",
        MSRP_NONCE_EXPIRE: "1 hour",
        ...settings(directory, service.url)
      })
      const transport = values.tls ? "tls" : "tcp"
      const { stop, target } = await relay.start({ transport, account, processors: undefined })
      try {
        await probe(target, Math.min(count, NAMES))
        const probes = await probe(target, count)
        const z = rankTest(probes)
        const [known, unknown] = [true, false].map((wanted) => median(probes.filter(({ exists }) => exists === wanted)))
        print(
          `${name.padEnd(16)} ${count} probes each: median ${(known! * 1000).toFixed(1)} us of who is a user, ` +
            `${(unknown! * 1000).toFixed(1)} us of who is not; ${z.toFixed(2)} standard deviations apart`
        )
        if (Math.abs(z) > TOLERANCE) process.exitCode = 1
      } finally {
        await stop()
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
    service.server.close()
    service.server.closeAllConnections()
  }
})
