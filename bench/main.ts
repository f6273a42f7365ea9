/**
 * The benchmark: starts a relay, loads it over loopback from another process, and prints what that cost.
 *
 *   npm run bench -- --help
 */
import { fork } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { cpus } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { apartProcessors, onProcessors, type Processors } from "./cpu.ts"
import { crowd, crowdScenarios, isCrowdScenario } from "./crowd/main.ts"
import { crowdLimits } from "./crowd/Stage.ts"
import type { Account } from "./digest.ts"
import type { Job, Measurement } from "./load.ts"
import { kamailio, ownRelay, type Relay, startCommand } from "./relays.ts"
import { describe, type Scenario, scenarios, type Transport, transports as all } from "./scenarios.ts"
import { positive, run, UsageError, whole } from "./usage.ts"

const help = `Usage: npm run bench -- [options]

  --crowd                very many clients at once, instead of the scenarios for single figures
  --only NAME            only this scenario (may be repeated): ${scenarios.map(({ name }) => name).join(", ")};
                         with --crowd: ${Object.keys(crowdScenarios).join(", ")}
  --tcp, --tls           only over TCP, only over TLS (default both)
  --ws, --wss            by WebSocket, without and with TLS; not with --crowd
  --seconds N            length of each measurement (default 3; with --crowd 1.5)
  --repeat N             measure N times and take the medians (default 1; not with --crowd)
  --scale N              with --crowd: numbers of clients are multiplied with this (default 1)
  --json FILE            where the results go (default bench/results/TIME.json)
  --command COMMAND      what starts the relay (default "${startCommand}")
  --ready-seconds N      how long that may take (default 20)
  --kamailio             also measure Kamailio, in turn with this relay, and compare
  --kamailio-workers N   how many of its processes read from connections (default 1)
  --no-pin               leave relay and client to the scheduler (default: on processors of their own, if there is
                         more than one and \`taskset\` is there)
  --no-relay             only Kamailio
  --help                 this text
`

/** What one scenario cost one relay: medians where it was repeated. Absent: it does not apply. */
interface Row {
  readonly scenario: string
  readonly transport: Transport
  readonly relay: string
  /** Messages, or AUTHs, per second. */
  readonly rate?: number
  /** 10^6 octets of bodies per second. */
  readonly megabytes?: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** The relay's CPU time: microseconds per message (AUTH, session), milliseconds per 10^6 octets. */
  readonly cpuPerMessage: number
  readonly cpuPerMegabyte?: number
  /**
   * 10^6 octets: the most the relay has held, summed over its processes (which counts shared memory more than once), and
   * what it held at the end.
   */
  readonly peak?: number
  readonly memory: number
  /** Octets of memory for each further session. */
  readonly sessionOctets?: number
  /** The client's own CPU time, in microseconds per message, and the share of one processor it used. */
  readonly clientPerMessage: number
  readonly clientShare: number
  /** Responses other than 200, REPORTs, damaged and lost messages, lost connections; over all repetitions. */
  readonly errors: number
  readonly firstError?: string
}

type Numbers = Omit<Row, "scenario" | "transport" | "relay">

const numbers = (scenario: Scenario, measured: Measurement): Numbers => {
  const { after, before, count, faults, octets, seconds } = measured
  const errors = faults.responses + faults.reports + faults.damaged + faults.broken + measured.lost +
    measured.unanswered
  const firstError = faults.first ??
    (errors === 0 ? undefined : `${measured.lost} messages lost, ${measured.unanswered} without a response`)
  return {
    ...(scenario.kind === "idle" ? {} : { rate: count / seconds }),
    ...(octets > 0 ? { megabytes: octets / 1e6 / seconds, cpuPerMegabyte: measured.relayCpu * 1e9 / octets } : {}),
    p50: measured.p50,
    p99: measured.p99,
    cpuPerMessage: measured.relayCpu * 1e6 / count,
    ...(after.peak === undefined ? {} : { peak: after.peak / 1e6 }),
    memory: after.memory / 1e6,
    ...(scenario.kind === "idle" ? { sessionOctets: (after.memory - before.memory) / count } : {}),
    clientPerMessage: measured.clientCpu * 1e6 / count,
    clientShare: measured.clientCpu / seconds,
    errors,
    ...(firstError === undefined ? {} : { firstError })
  }
}

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((x, y) => x - y)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const medians = (runs: ReadonlyArray<Numbers>): Numbers => {
  const first = runs[0]!
  const row: Record<string, number | string> = {}
  for (const [key, value] of Object.entries(first)) {
    if (typeof value === "number") row[key] = median(runs.map((run) => run[key as keyof Numbers] as number))
  }
  row["errors"] = runs.reduce((sum, run) => sum + run.errors, 0)
  const firstError = runs.find((run) => run.firstError !== undefined)?.firstError
  if (firstError !== undefined) row["firstError"] = firstError
  return row as unknown as Numbers
}

const account: Account = { user: "bench", password: "secret" }

/** Hands a job to a new load process, on the given processors. */
const load = (job: Job, processors: string | undefined): Promise<Measurement> =>
  new Promise((resolve, reject) => {
    const [execPath, ...execArgv] = onProcessors(processors, [process.execPath])
    const child = fork(fileURLToPath(new URL("load.ts", import.meta.url)), { execPath, execArgv })
    const limit = setTimeout(() => {
      child.kill("SIGKILL")
      reject(new Error("the load client did not end in time"))
    }, (job.warmup + job.seconds + 120) * 1000)
    child.once("message", (answer: { measurement?: Measurement; error?: string }) => {
      if (answer.measurement === undefined) reject(new Error(answer.error))
      else resolve(answer.measurement)
    })
    child.once("exit", (status) => {
      clearTimeout(limit)
      reject(new Error(`the load client ended with status ${status}`))
    })
    child.send(job)
  })

const measure = async (
  relay: Relay,
  scenario: Scenario,
  transport: Transport,
  seconds: number,
  apart: Processors | undefined
): Promise<Numbers> => {
  const { pid, stop, target } = await relay.start({ transport, account, processors: apart?.relay })
  const warmup = Math.min(1, seconds)
  try {
    return numbers(scenario, await load({ scenario, target, account, pid, warmup, seconds }, apart?.client))
  } finally {
    await stop()
  }
}

const columns: ReadonlyArray<readonly [title: string, width: number, text: (row: Row) => string]> = [
  ["relay", -11, (row) => row.relay],
  ["", -4, (row) => row.transport],
  ["msg/s", 9, (row) => row.rate?.toFixed(0) ?? ""],
  ["MB/s", 8, (row) => row.megabytes?.toFixed(1) ?? ""],
  ["p50 ms", 9, (row) => row.p50.toFixed(3)],
  ["p99 ms", 9, (row) => row.p99.toFixed(3)],
  ["cpu us/msg", 11, (row) => row.cpuPerMessage.toFixed(2)],
  ["cpu ms/MB", 10, (row) => row.cpuPerMegabyte?.toFixed(2) ?? ""],
  ["peak MB", 8, (row) => row.peak?.toFixed(1) ?? ""],
  ["end MB", 8, (row) => row.memory.toFixed(1)],
  ["KB/session", 11, (row) => row.sessionOctets === undefined ? "" : (row.sessionOctets / 1000).toFixed(1)],
  ["client us", 10, (row) => row.clientPerMessage.toFixed(2)],
  ["client %", 9, (row) => (row.clientShare * 100).toFixed(0)],
  ["errors", 7, (row) => String(row.errors)]
]

const line = (cell: (column: (typeof columns)[number]) => string): string =>
  columns.map((column) => column[1] < 0 ? cell(column).padEnd(-column[1]) : cell(column).padStart(column[1])).join("")
    .trimEnd()

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const compare = (rows: ReadonlyArray<Row>): void => {
  print("\nRelay CPU per message, memory per session: msrp-relay / kamailio (below 1: msrp-relay takes less)")
  for (const own of rows.filter((row) => row.relay === "msrp-relay")) {
    const other = rows.find((row) =>
      row.relay !== own.relay && row.scenario === own.scenario && row.transport === own.transport
    )
    if (other === undefined) continue
    const cpu = (own.cpuPerMessage / other.cpuPerMessage).toFixed(2)
    const memory = own.sessionOctets === undefined || other.sessionOctets === undefined
      ? ""
      : `   memory ${(own.sessionOctets / other.sessionOctets).toFixed(2)}`
    print(`  ${own.scenario.padEnd(15)}${own.transport}   cpu ${cpu}${memory}`)
  }
}

/** Measures the scenarios one after the other, each with all relays in turn. */
const measureAll = async (
  relays: ReadonlyArray<Relay>,
  chosen: ReadonlyArray<Scenario>,
  transports: ReadonlyArray<Transport>,
  { apart, fail, repeat, seconds }: {
    readonly seconds: number
    readonly repeat: number
    readonly apart: Processors | undefined
    readonly fail: (what: string) => void
  }
): Promise<Array<Row>> => {
  const rows: Array<Row> = []
  print(line(([title]) => title))
  for (const scenario of chosen) {
    if (!relays.some((relay) => transports.some((transport) => relay.supports(scenario, transport)))) continue
    print(`\n${scenario.name}: ${describe(scenario)}`)
    for (const transport of transports) {
      const able = relays.filter((relay) => relay.supports(scenario, transport)).map((relay) => ({
        relay,
        runs: [] as Array<Numbers>
      }))
      for (let i = 0; i < repeat; i++) {
        for (const { relay, runs } of able) {
          try {
            runs.push(await measure(relay, scenario, transport, seconds, apart))
          } catch (error) {
            fail(`${scenario.name} ${transport} ${relay.name}: ${(error as Error).message}`)
          }
        }
      }
      for (const { relay, runs } of able) {
        if (runs.length === 0) continue
        const row = { scenario: scenario.name, transport, relay: relay.name, ...medians(runs) }
        rows.push(row)
        print(line(([, , text]) => text(row)) + (row.firstError === undefined ? "" : `  (${row.firstError})`))
      }
    }
  }
  if (relays.length > 1) compare(rows)
  return rows
}

await run(help, {
  options: {
    crowd: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    tcp: { type: "boolean", default: false },
    tls: { type: "boolean", default: false },
    ws: { type: "boolean", default: false },
    wss: { type: "boolean", default: false },
    seconds: { type: "string" },
    scale: { type: "string", default: "1" },
    repeat: { type: "string", default: "1" },
    json: { type: "string" },
    command: { type: "string", default: startCommand },
    "ready-seconds": { type: "string", default: "20" },
    kamailio: { type: "boolean", default: false },
    "kamailio-workers": { type: "string", default: "1" },
    "no-pin": { type: "boolean", default: false },
    "no-relay": { type: "boolean", default: false }
  }
}, async ({ values: options }) => {
  const known = (name: string) =>
    options.crowd ? isCrowdScenario(name) : scenarios.some((scenario) => scenario.name === name)
  const unknown = options.only.find((name) => !known(name))
  if (unknown !== undefined) throw new UsageError(`--only: there is no scenario "${unknown}"`)
  const seconds = positive(options.seconds ?? (options.crowd ? "1.5" : "3"), "seconds")
  const repeat = whole(options.repeat, "repeat")
  const readySeconds = positive(options["ready-seconds"], "ready-seconds")
  const workers = whole(options["kamailio-workers"], "kamailio-workers")
  const named = all.filter((transport) => options[transport])
  const transports = named.length === 0 ? ["tcp", "tls"] as const : named
  if (options.crowd && (options.ws || options.wss)) throw new UsageError("--crowd: not by WebSocket")
  const chosen = scenarios.filter(({ name }) => options.only.length === 0 || options.only.includes(name))

  const relays = options["no-relay"] ? [] : [ownRelay(options.command, readySeconds, options.crowd ? crowdLimits : {})]
  if (options.kamailio || options["no-relay"]) {
    const other = await kamailio(workers)
    if (other === undefined) print("Kamailio with its msrp module is not installed; going on without it.\n")
    else relays.push(other)
  }

  const apart = options["no-pin"] ? undefined : apartProcessors()
  const started = new Date()
  const failures: Array<string> = []
  const fail = (what: string): void => void failures.push(what)
  const { command } = options
  const scale = positive(options.scale, "scale")
  const results = options.crowd
    ? await crowd(
      { relays, apart, seconds, scale, transports, print, fail, command, readySeconds },
      options.only.filter(isCrowdScenario)
    )
    : { rows: await measureAll(relays, chosen, transports, { seconds, repeat, apart, fail }) }

  const file = options.json ??
    join(dirname(fileURLToPath(import.meta.url)), "results", `${started.toISOString().replaceAll(":", "-")}.json`)
  await mkdir(dirname(file), { recursive: true })
  const machine = { node: process.version, platform: process.platform, cpu: cpus()[0]?.model, cores: cpus().length }
  await writeFile(
    file,
    `${
      JSON.stringify(
        { started, machine, processors: apart, command, seconds, repeat, ...results, failures },
        undefined,
        2
      )
    }\n`
  )
  print(`\nResults: ${file}`)
  for (const failure of failures) print(`failed: ${failure}`)
  if (failures.length > 0 || Object.values(results).flat().some(({ errors }) => errors > 0)) process.exitCode = 1
})
