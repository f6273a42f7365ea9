import { setTimeout as sleep } from "node:timers/promises"
import type { Transport } from "../scenarios.ts"
import { Table } from "../Table.ts"
import { errorsIn, measure, scaled, type Setting, Stage } from "./Stage.ts"

const SIZES = [300, 8192] as const
const PAIRS = [100, 1000, 4000] as const
/** Seconds before the measurement, and then messages of each end that do not count. */
const WARMUP = 1
const ROUNDS = 4
const MANY = 1000
/** Bodies that are too large for Kamailio. */
const LARGE = { size: 60_000, pairs: 500 }

export interface GrowthRow {
  readonly relay: string
  readonly transport: Transport
  readonly pairs: number
  readonly size: number
  /** Messages per second. */
  readonly rate: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Microseconds. */
  readonly cpuPerMessage: number
  readonly clientPerMessage: number
  /** CPU time per message divided by that with the fewest pairs. */
  readonly ratio?: number
  /** Memory in 10^6 octets, as in the other scenarios: the sum of the peaks of all processes, and the sum at the end. */
  readonly peak?: number
  readonly memory: number
  /** The share of the time in which the relay was ready to run and had no processor; a large share makes the results unreliable. */
  readonly waited: number
  readonly errors: number
}

/** More and more pairs, each with one message under way in each direction. */
export const growth = async (setting: Setting): Promise<Array<GrowthRow>> => {
  const rows: Array<GrowthRow> = []
  setting.print("\ngrowth: busy pairs, both ways, window 1")
  const table = new Table<GrowthRow>([
    ["relay", -11, (row) => row.relay],
    ["", -4, (row) => row.transport],
    ["octets", 7, (row) => String(row.size)],
    ["pairs", 7, (row) => String(row.pairs)],
    ["msg/s", 9, (row) => row.rate.toFixed(0)],
    ["cpu us/msg", 12, (row) => row.cpuPerMessage.toFixed(1)],
    ["ratio", 7, (row) => row.ratio?.toFixed(2)],
    ["p50 ms", 9, (row) => row.p50.toFixed(1)],
    ["p99 ms", 9, (row) => row.p99.toFixed(1)],
    ["peak MB", 9, (row) => row.peak?.toFixed(0)],
    ["end MB", 8, (row) => row.memory.toFixed(0)],
    ["client us", 11, (row) => row.clientPerMessage.toFixed(1)],
    ["waited %", 10, (row) => (row.waited * 100).toFixed(0)],
    ["errors", 8, (row) => String(row.errors)]
  ], setting.print)
  const one = async (transport: Transport, size: number, pairs: number) => {
    for (const relay of setting.relays) {
      if (!relay.supports({ kind: "messages", name: "growth", pairs, size, window: 1, body: "text" }, transport)) {
        continue
      }
      await Stage.use(setting, relay, transport, `growth, ${pairs} pairs of ${size} octets`, async (stage) => {
        const busy = await stage.client("Busy", { pairs, size, window: 1 })
        await sleep(WARMUP * 1000)
        await busy.call("warm", ROUNDS * 2 * pairs)
        // Each of thousands of pairs has only a few messages in the normal time.
        const measured = (await measure(stage, setting.seconds * (pairs > MANY ? 2 : 1), busy))[0]!
        const { after, count, seconds } = measured
        const cpuPerMessage = measured.relayCpu * 1e6 / count
        const few = rows.find((row) => row.relay === relay.name && row.transport === transport && row.size === size)
        const row: GrowthRow = {
          relay: relay.name,
          transport,
          pairs,
          size,
          rate: count / seconds,
          p50: measured.p50,
          p99: measured.p99,
          cpuPerMessage,
          clientPerMessage: measured.clientCpu * 1e6 / count,
          ...(few === undefined ? {} : { ratio: cpuPerMessage / few.cpuPerMessage }),
          ...(after.peak === undefined ? {} : { peak: after.peak / 1e6 }),
          memory: after.memory / 1e6,
          waited: measured.relayWait / measured.seconds,
          errors: errorsIn(measured)
        }
        rows.push(row)
        table.row(row)
      })
    }
  }
  for (const transport of setting.transports) {
    for (const size of SIZES) {
      for (const pairs of PAIRS) await one(transport, size, scaled(setting, pairs))
    }
    if (transport === "tcp") await one(transport, LARGE.size, scaled(setting, LARGE.pairs))
  }
  return rows
}
