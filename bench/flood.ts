/**
 * What those who use the relay notice of a flood: message and login times before and during each attack, and the relay's
 * memory after it.
 *
 *   npm run bench:flood -- [--tls] [--seconds N]
 */
import { fork } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import type { Attack, AttackJob } from "./attack.ts"
import { processTree, usage } from "./cpu.ts"
import type { Account } from "./digest.ts"
import { Counter, makeBody, SendFrame } from "./frames.ts"
import { Latencies } from "./latencies.ts"
import { Link, noFaults, type Target } from "./link.ts"
import { ownRelay } from "./relays.ts"

const PAIRS = 10
/** Milliseconds between two messages of a pair. */
const INTERVAL = 10
const LOGIN_INTERVAL = 100
const ROUNDS = 3
/**
 * Octets that memory may differ by between the last two rounds: what the collector of garbage leaves to chance. Before them
 * it grows to what floods of this machine's speed take, since Node.js keeps pages that it has had.
 */
const MEMORY_TOLERANCE = 32_000_000

const account: Account = { user: "bench", password: "secret" }
const faults = noFaults()
const messages = new Latencies()
const logins = new Latencies()
const state = { stop: false, failedLogins: 0 }

/** One message at a time, from a peer to the owner of a session. */
const converse = async (target: Target, index: number): Promise<void> => {
  const owner = await Link.open(target, `a${index}`, faults)
  const usePath = await owner.authenticate(target, account)
  const peer = await Link.open(target, `b${index}`, faults)
  const body = makeBody("text", 300)
  const prefix = `f${index}x`
  peer.converse(
    new SendFrame({
      prefix,
      toPath: `${usePath} ${owner.uri}`,
      fromPath: peer.uri,
      body,
      contentType: "text/plain"
    }),
    { id: new Counter("none"), body }
  )
  const nobody = { prefix: "none", toPath: peer.uri, fromPath: owner.uri, body, contentType: "text/plain" }
  owner.converse(new SendFrame(nobody), { id: new Counter(prefix), body })
  let sentAt = 0
  owner.onRead = () => {
    if (owner.delivered === peer.sent && sentAt > 0) {
      messages.record(performance.now() - sentAt)
      sentAt = 0
    }
    owner.flush()
  }
  void (async () => {
    while (!state.stop) {
      if (sentAt === 0) {
        sentAt = performance.now()
        peer.send()
        peer.flush()
      }
      await sleep(INTERVAL)
    }
    await Promise.all([owner.close(), peer.close()])
  })()
}

const login = async (target: Target): Promise<void> => {
  const start = performance.now()
  try {
    const link = await Link.open(target, "login", noFaults())
    await link.authenticate(target, account)
    logins.record(performance.now() - start)
    link.destroy()
  } catch {
    state.failedLogins++
  }
}

interface Times {
  readonly p50: number
  readonly p99: number
  readonly login: number
}

const measure = async (seconds: number): Promise<Times> => {
  messages.clear()
  logins.clear()
  await sleep(seconds * 1000)
  return { p50: messages.quantile(0.5), p99: messages.quantile(0.99), login: logins.quantile(0.5) }
}

/** Runs what is given while the attack goes on; then what was done. */
const during = async <A>(job: AttackJob, use: () => Promise<A>): Promise<readonly [A, string]> => {
  const child = fork(fileURLToPath(new URL("attack.ts", import.meta.url)))
  const did = new Promise<string>((resolve, reject) => {
    child.once("message", (answer: { did: string }) => resolve(answer.did))
    child.once("exit", () => reject(new Error("the attacker ended early")))
  })
  child.send(job)
  await sleep(2000)
  const result = await use()
  child.send("stop")
  return [result, await did]
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const show = ({ login, p50, p99 }: Times): string =>
  `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, login ${login.toFixed(1)} ms`

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { tls: { type: "boolean", default: false }, seconds: { type: "string", default: "5" } }
  })
  const seconds = Number(values.seconds)
  const { pid, stop, target } = await ownRelay().start({
    transport: values.tls ? "tls" : "tcp",
    account,
    processors: undefined
  })
  const problems: Array<string> = []
  const memory = (): number => usage(processTree(pid)).memory
  try {
    for (let i = 0; i < PAIRS; i++) await converse(target, i)
    void (async () => {
      while (!state.stop) {
        void login(target)
        await sleep(LOGIN_INTERVAL)
      }
    })()
    await sleep(2000)
    const levels: Array<number> = []
    print(`memory before ${(memory() / 1e6).toFixed(0)} MB`)
    for (let round = 1; round <= ROUNDS; round++) {
      for (const attack of ["silence", "guesses", "dials"] as const satisfies ReadonlyArray<Attack>) {
        const quiet = await measure(seconds)
        const [busy, did] = await during({ attack, target, account }, () => measure(seconds))
        print(`${attack.padEnd(8)} quiet   ${show(quiet)}`)
        print(`${"".padEnd(8)} attack  ${show(busy)}; ${did}`)
        print(`${"".padEnd(8)} ratio   ${(busy.p50 / quiet.p50).toFixed(2)}; memory ${(memory() / 1e6).toFixed(0)} MB`)
        if (busy.p50 > 2 * quiet.p50) problems.push(`${attack}: messages take more than twice as long`)
      }
      await sleep(3000)
      levels.push(memory())
      print(`round ${round}: memory afterwards ${(levels.at(-1)! / 1e6).toFixed(0)} MB`)
    }
    if (levels.at(-1)! > levels.at(-2)! + MEMORY_TOLERANCE) problems.push("memory grows from round to round")
    if (state.failedLogins > 0) problems.push(`${state.failedLogins} logins with the right password failed`)
    if (faults.first !== undefined) problems.push(`a session noticed: ${faults.first}`)
  } finally {
    state.stop = true
    await sleep(200)
    await stop()
  }
  for (const problem of problems) print(`problem: ${problem}`)
  if (problems.length > 0) process.exitCode = 1
}

await main()
