import { setTimeout as sleep } from "node:timers/promises"
import type { Transport } from "../scenarios.ts"
import { Table } from "../Table.ts"
import type { Metered } from "./roles/Meter.ts"
import { errorsIn, measure, type Setting, Stage } from "./Stage.ts"

const SIZES = [100, 8192, 500_000] as const
const SENDERS = [0, 1, 4, 16, 64] as const
const MOST = SENDERS.at(-1)!

/** Seconds that the senders need until all buffers are full. */
const SETTLE = 0.3

/** Seconds in which the senders write before the first measurement, because a relay that has just started still compiles. */
const WARM_UP = 2

export interface QuietRow {
  readonly relay: string
  readonly transport: Transport
  /** Octets of each message of the other pairs. */
  readonly size: number
  readonly senders: number
  /** Round trips of the quiet pair in milliseconds, and their number. */
  readonly p50: number
  readonly p99: number
  readonly longest: number
  readonly trips: number
  /** Messages of the other pairs that arrive in a second, and 10^6 octets of them. */
  readonly rate: number
  readonly megabytes: number
  /** The share of the time in which the relay was ready to run and had no processor; a large share makes the results unreliable. */
  readonly waited: number
  readonly errors: number
}

/** A pair that sends little, beside pairs whose senders never wait. */
export const quiet = async (setting: Setting): Promise<Array<QuietRow>> => {
  const rows: Array<QuietRow> = []
  setting.print("\nquiet: round trips of 100 octets, one every 20 ms, beside pairs whose senders wait for nothing")
  const table = new Table<QuietRow>([
    ["relay", -11, (row) => row.relay],
    ["", -4, (row) => row.transport],
    ["octets", 8, (row) => row.senders === 0 ? "" : String(row.size)],
    ["senders", 9, (row) => row.senders === 0 ? "none" : String(row.senders)],
    ["p50 ms", 9, (row) => row.p50.toFixed(2)],
    ["p99 ms", 9, (row) => row.p99.toFixed(2)],
    ["max ms", 9, (row) => row.longest.toFixed(2)],
    ["msg/s", 10, (row) => row.senders === 0 ? "" : row.rate.toFixed(0)],
    ["MB/s", 9, (row) => row.senders === 0 ? "" : row.megabytes.toFixed(1)],
    ["waited %", 10, (row) => (row.waited * 100).toFixed(0)],
    ["errors", 8, (row) => String(row.errors)]
  ], setting.print)
  for (const transport of setting.transports) {
    for (const size of SIZES) {
      for (const relay of setting.relays) {
        if (
          !relay.supports({ kind: "messages", name: "quiet", pairs: MOST, size, window: 1, body: "text" }, transport)
        ) continue
        await Stage.use(setting, relay, transport, `quiet, ${size} octets`, async (stage) => {
          const pair = await stage.client("Quiet")
          const flood = await stage.client("Flood", { pairs: MOST, size, deaf: false })
          await flood.call("run", 1)
          await sleep(WARM_UP * 1000)
          await flood.call("run", 0)
          await sleep(SETTLE * 1000)
          for (const senders of SENDERS) {
            await flood.call("run", senders)
            await sleep(SETTLE * 1000)
            const [others, own] = await measure(stage, setting.seconds, flood, pair) as [Metered, Metered]
            const row: QuietRow = {
              relay: relay.name,
              transport,
              size,
              senders,
              p50: own.p50,
              p99: own.p99,
              longest: own.longest,
              trips: own.count,
              rate: others.count / others.seconds,
              megabytes: others.octets / 1e6 / others.seconds,
              waited: others.relayWait / others.seconds,
              errors: errorsIn(own) + errorsIn(others)
            }
            rows.push(row)
            table.row(row)
          }
        })
      }
    }
  }
  return rows
}
