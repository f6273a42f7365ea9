/**
 * Measures what a flood costs the users of the relay: delays of messages and logins before and during each attack, and the
 * relay's memory after it.
 *
 *   npm run bench:flood -- [--tls] [--seconds N] [--attack NAME]...
 */
import { fork } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import type { Attack, AttackJob } from "./attack.ts"
import { Bystanders, type Times } from "./bystanders.ts"
import { processTree, usage } from "./cpu.ts"
import type { Account } from "./digest.ts"
import type { Target } from "./link.ts"
import { ownRelay, type Relay, startCommand } from "./relays.ts"
import { twoRelays } from "./twoRelays.ts"
import { positive, run, UsageError } from "./usage.ts"

const ROUNDS = 3
/** Seconds between the start of an attack and the measurement. */
const BEFORE = 2
/**
 * Octets that memory may grow by between the last two rounds, because of garbage that is not collected yet. In earlier rounds
 * it grows to what floods at the speed of this machine take, because Node.js keeps the pages that it has allocated.
 */
const MEMORY_TOLERANCE = 32_000_000
/** The most octets of memory beyond those that the relay takes without an attack. */
const MOST_MEMORY = 100_000_000
/** The most octets that the relay may log because of one attack. */
const MOST_LOGGED = 100_000

const account: Account = { user: "bench", password: "secret" }
const attacker: Account = { user: "mallory", password: "malice" }

/** A relay, the attacks on it, and what is measured besides the delays of bystanders. */
interface Scene {
  readonly attacks: ReadonlyArray<Attack>
  readonly as: Account
  readonly settings: Readonly<Record<string, string>>
  /** Whether there are two relays. */
  readonly linked?: true
  /** Whether memory must not grow between the last two rounds. */
  readonly levels?: true
  /** Whether the peak of memory is bounded. */
  readonly peak?: true
  /** Whether the octets that are logged are bounded. */
  readonly log?: true
}

const users = { MSRP_USERS: [account, attacker].map(({ password, user }) => `${user}:${password}`).join(",") }

const scenes: ReadonlyArray<Scene> = [
  { attacks: ["silence", "guesses", "dials"], as: account, settings: {}, levels: true },
  { attacks: ["hops"], as: attacker, settings: { ...users, MSRP_NEXT_HOP_ALLOW: "127.0.0.0/8" } },
  { attacks: ["trickle", "storm"], as: attacker, settings: users, linked: true },
  { attacks: ["paths"], as: attacker, settings: users, peak: true },
  { attacks: ["garbage"], as: attacker, settings: { MSRP_LOG_LEVEL: "info" }, log: true }
]

/** Runs `use` during an attack; returns its result, and what the attacker has done. */
const during = async <A>(job: AttackJob, use: () => Promise<A>): Promise<readonly [A, string]> => {
  const child = fork(fileURLToPath(new URL("attack.ts", import.meta.url)))
  const did = new Promise<string>((resolve, reject) => {
    child.once("message", (answer: { did: string }) => resolve(answer.did))
    child.once("exit", () => reject(new Error("the attacker ended early")))
  })
  child.send(job)
  await sleep(BEFORE * 1000)
  const result = await use()
  if (child.connected) child.send("stop")
  return [result, await did]
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const megabytes = (octets: number): string => `${(octets / 1e6).toFixed(0)} MB`
const show = ({ failedLogins, login, logins, p50, p99 }: Times): string =>
  `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, login ${
    login.toFixed(1)
  } ms, ${failedLogins} of ${logins} failed`

interface Play {
  readonly scene: Scene
  readonly attacks: ReadonlyArray<Attack>
  readonly tls: boolean
  readonly seconds: number
}

/** Plays one scene; returns the problems that were found. */
const play = async ({ attacks, scene, seconds, tls }: Play): Promise<ReadonlyArray<string>> => {
  let second: Target | undefined
  const settings = { MSRP_MAX_SESSIONS_PER_USER: "100000", ...scene.settings }
  const relay: Relay = scene.linked
    ? twoRelays({
      command: startCommand,
      readySeconds: 20,
      certificates: 1,
      settings,
      started: (target) => second = target
    })
    : ownRelay(startCommand, 20, settings)
  const { logged = () => 0, others = [], pid, stop, target } = await relay.start({
    transport: tls ? "tls" : "tcp",
    account,
    processors: undefined
  })
  const problems: Array<string> = []
  const used = () => usage([pid, ...others].flatMap(processTree))
  let bystanders: Bystanders | undefined
  try {
    bystanders = await Bystanders.open({ target, second, account })
    await sleep(2000)
    const idle = used()
    const levels: Array<number> = []
    print(`${attacks.join(", ")}: memory before ${megabytes(idle.memory)}, peak ${megabytes(idle.peak ?? NaN)}`)
    for (let round = 1; round <= ROUNDS; round++) {
      for (const attack of attacks) {
        const quiet = await bystanders.measure(seconds)
        const before = logged()
        const job = { attack, target, second, account: scene.as, seconds: BEFORE + seconds }
        const [busy, did] = await during(job, () => bystanders!.measure(seconds))
        const lines = logged() - before
        const { memory, peak = NaN } = used()
        print(`${attack.padEnd(8)} quiet   ${show(quiet)}`)
        print(`${"".padEnd(8)} attack  ${show(busy)}; ${did}`)
        print(
          `${"".padEnd(8)} ratio   ${(busy.p50 / quiet.p50).toFixed(2)}; memory ${megabytes(memory)}` +
            (scene.peak ? `, peak ${megabytes(peak)}` : "") +
            (scene.log ? `; ${(lines / 1000).toFixed(1)} KB logged` : "")
        )
        if (busy.p50 > 2 * quiet.p50) problems.push(`${attack}: messages take more than twice as long`)
        if (scene.log && lines > MOST_LOGGED) problems.push(`${attack}: ${lines} octets logged`)
        if (scene.peak && round === ROUNDS && peak > (idle.peak ?? NaN) + MOST_MEMORY) {
          problems.push(`${attack}: ${megabytes(peak)} of memory`)
        }
      }
      await sleep(3000)
      levels.push(used().memory)
      print(`round ${round}: memory afterwards ${megabytes(levels.at(-1)!)}`)
    }
    const grown = levels.at(-1)! > levels.at(-2)! + MEMORY_TOLERANCE
    if (scene.levels && grown) problems.push("memory grows from round to round")
    const { failedLogins, faults } = bystanders
    const names = attacks.join(", ")
    if (failedLogins > 0) problems.push(`${names}: ${failedLogins} logins with the right password failed`)
    if (faults.first !== undefined) problems.push(`${names}: a session noticed: ${faults.first}`)
  } finally {
    bystanders?.stop()
    await sleep(200)
    await stop()
  }
  return problems
}

const known = scenes.flatMap(({ attacks }) => attacks)
const help = `Usage: npm run bench:flood -- [options]

  --attack NAME  only this attack (may be repeated): ${known.join(", ")}
  --tls          those who use the relay, and who attack it, do so over TLS
  --seconds N    length of each measurement (default 5)
  --help         this text
`

await run(help, {
  options: {
    tls: { type: "boolean", default: false },
    seconds: { type: "string", default: "5" },
    attack: { type: "string", multiple: true, default: [] }
  }
}, async ({ values: { attack: wanted, seconds, tls } }) => {
  const unknown = wanted.find((one) => !known.some((name) => name === one))
  if (unknown !== undefined) throw new UsageError(`--attack: there is no "${unknown}"`)
  const length = positive(seconds, "seconds")
  const problems: Array<string> = []
  for (const scene of scenes) {
    const attacks = scene.attacks.filter((attack) => wanted.length === 0 || wanted.includes(attack))
    if (attacks.length === 0) continue
    problems.push(...await play({ scene, attacks, tls, seconds: length }))
  }
  for (const problem of problems) print(`problem: ${problem}`)
  if (problems.length > 0) process.exitCode = 1
})
