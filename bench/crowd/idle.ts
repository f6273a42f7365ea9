import { setTimeout as sleep } from "node:timers/promises"
import { Table } from "../Table.ts"
import { errorsIn, measure, scaled, type Setting, Stage } from "./Stage.ts"

const SESSIONS = 9000
const BUSY = { pairs: 100, size: 300, window: 1 }
/** Logins at a time. */
const CALM = 64

export interface IdleRow {
  readonly relay: string
  readonly sessions: number
  /** Messages per second of the busy pairs. */
  readonly rate: number
  readonly cpuPerMessage: number
  /** CPU time per message divided by that without the idle sessions. */
  readonly ratio?: number
  readonly p50: number
  readonly p99: number
  readonly memory: number
  /** The share of the time in which the relay was ready to run and had no processor; a large share makes the results unreliable. */
  readonly waited: number
  readonly errors: number
}

/** Busy pairs, without and with many idle sessions. */
export const idle = async (setting: Setting): Promise<Array<IdleRow>> => {
  const rows: Array<IdleRow> = []
  setting.print(`\nidle: ${BUSY.pairs} busy pairs of ${BUSY.size} octets, window 1, over TCP, beside idle sessions`)
  const table = new Table<IdleRow>([
    ["relay", -11, (row) => row.relay],
    ["sessions", 9, (row) => String(row.sessions)],
    ["msg/s", 9, (row) => row.rate.toFixed(0)],
    ["cpu us/msg", 12, (row) => row.cpuPerMessage.toFixed(1)],
    ["ratio", 7, (row) => row.ratio?.toFixed(2)],
    ["p50 ms", 9, (row) => row.p50.toFixed(2)],
    ["p99 ms", 9, (row) => row.p99.toFixed(2)],
    ["end MB", 8, (row) => row.memory.toFixed(0)],
    ["waited %", 10, (row) => (row.waited * 100).toFixed(0)],
    ["errors", 8, (row) => String(row.errors)]
  ], setting.print)
  for (const relay of setting.relays) {
    await Stage.use(setting, relay, "tcp", "idle", async (stage) => {
      const busy = await stage.client("Busy", BUSY)
      await sleep(1000)
      let without: number | undefined
      for (const sessions of [0, scaled(setting, SESSIONS)]) {
        if (sessions > 0) {
          await busy.call("rest")
          const { loggedIn, reason } = await (await stage.client("Logins")).call("logIn", sessions, CALM)
          if (loggedIn < sessions) throw new Error(`only ${loggedIn} sessions are up: ${reason}`)
          await busy.call("resume")
          await sleep(500)
        }
        const measured = (await measure(stage, setting.seconds, busy))[0]!
        const cpuPerMessage = measured.relayCpu * 1e6 / measured.count
        const row: IdleRow = {
          relay: relay.name,
          sessions,
          rate: measured.count / measured.seconds,
          cpuPerMessage,
          ...(without === undefined ? {} : { ratio: cpuPerMessage / without }),
          p50: measured.p50,
          p99: measured.p99,
          memory: measured.after.memory / 1e6,
          waited: measured.relayWait / measured.seconds,
          errors: errorsIn(measured)
        }
        without ??= cpuPerMessage
        rows.push(row)
        table.row(row)
      }
    })
  }
  return rows
}
