/** Measures the scenarios, each against a relay of its own that another process loads. */
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { onProcessors, type Processors } from "./cpu.ts"
import type { Account } from "./digest.ts"
import type { Job, Measurement } from "./load.ts"
import type { Relay } from "./relays.ts"
import { describe, type Scenario, type Transport } from "./scenarios.ts"
import { type Column, Table } from "./Table.ts"

/** The results of a scenario with one relay: medians if it was repeated. Absent values do not apply. */
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
   * Memory in 10^6 octets: the sum of the peaks of the relay's processes, in which shared memory counts more than once, and the
   * memory at the end.
   */
  readonly peak?: number
  readonly memory: number
  /** Octets of memory for each further session. */
  readonly sessionOctets?: number
  /** The client's CPU time in microseconds per message, and its share of one processor. */
  readonly clientPerMessage: number
  readonly clientShare: number
  /** Responses other than 200, REPORTs, damaged and lost messages, and lost connections of all repetitions. */
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

/** Starts a load process on the given processors, and gives it a job. */
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

const columns: ReadonlyArray<Column<Row>> = [
  ["relay", -11, (row) => row.relay],
  ["", -4, (row) => row.transport],
  ["msg/s", 9, (row) => row.rate?.toFixed(0)],
  ["MB/s", 8, (row) => row.megabytes?.toFixed(1)],
  ["p50 ms", 9, (row) => row.p50.toFixed(3)],
  ["p99 ms", 9, (row) => row.p99.toFixed(3)],
  ["cpu us/msg", 11, (row) => row.cpuPerMessage.toFixed(2)],
  ["cpu ms/MB", 10, (row) => row.cpuPerMegabyte?.toFixed(2)],
  ["peak MB", 8, (row) => row.peak?.toFixed(1)],
  ["end MB", 8, (row) => row.memory.toFixed(1)],
  ["KB/session", 11, (row) => row.sessionOctets === undefined ? undefined : (row.sessionOctets / 1000).toFixed(1)],
  ["client us", 10, (row) => row.clientPerMessage.toFixed(2)],
  ["client %", 9, (row) => (row.clientShare * 100).toFixed(0)],
  ["errors", 7, (row) => String(row.errors)],
  ["", 0, (row) => row.firstError === undefined ? undefined : `  (${row.firstError})`]
]

/** Prints the cost of a message and a session for this relay, as a multiple of the cost for the other one. */
const compare = (rows: ReadonlyArray<Row>, print: (line: string) => void): void => {
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

/** Measures one scenario after the other, each with all relays in turn. */
export const measureAll = async (
  relays: ReadonlyArray<Relay>,
  chosen: ReadonlyArray<Scenario>,
  transports: ReadonlyArray<Transport>,
  { apart, fail, print, repeat, seconds }: {
    readonly seconds: number
    readonly repeat: number
    readonly apart: Processors | undefined
    readonly print: (line: string) => void
    readonly fail: (what: string) => void
  }
): Promise<Array<Row>> => {
  const rows: Array<Row> = []
  const table = new Table(columns, print)
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
        table.row(row)
      }
    }
  }
  if (relays.length > 1) compare(rows, print)
  return rows
}
