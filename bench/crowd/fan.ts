import { setTimeout as sleep } from "node:timers/promises"
import type { Target } from "../link.ts"
import { Table } from "../Table.ts"
import { twoRelays } from "../twoRelays.ts"
import { crowdLimits, errorsIn, measure, scaled, type Setting, Stage } from "./Stage.ts"

const WINDOW = 64
/** Routes of the one connection. As many as the window: what arrives together goes to as many connections as with more. */
const ROUTES = [1, WINDOW, 5000] as const
/** Messages by each route that do not count. */
const ROUNDS = 10
const CERTIFICATES = [1, 51] as const

export interface FanRow {
  readonly relay: string
  /** Relays in a row. */
  readonly relays: 1 | 2
  /** Certificates of each of the two. */
  readonly certificates?: number
  readonly routes: number
  readonly rate: number
  /** Of all relays in the row. */
  readonly cpuPerMessage: number
  /** CPU time per message over that with as many routes as the window is wide. */
  readonly ratio?: number
  readonly p50: number
  readonly p99: number
  readonly memory: number
  /** Share of the time in which the relay could have run, and somebody else had its processor: how far to trust this. */
  readonly waited: number
  readonly errors: number
}

/** One connection that many sessions share: a peer's, and one between two relays. */
export const fan = async (setting: Setting): Promise<Array<FanRow>> => {
  const rows: Array<FanRow> = []
  setting.print(`\nfan: one connection that writes to sessions in turn, 300 octets, ${WINDOW} under way`)
  const table = new Table<FanRow>([
    ["relay", -11, (row) => row.relay],
    ["over", -10, (row) => row.relays === 1 ? "TCP" : "TLS link"],
    ["certs", 5, (row) => row.certificates?.toFixed(0)],
    ["routes", 8, (row) => String(row.routes)],
    ["msg/s", 9, (row) => row.rate.toFixed(0)],
    ["cpu us/msg", 12, (row) => row.cpuPerMessage.toFixed(1)],
    [`to ${WINDOW}`, 7, (row) => row.ratio?.toFixed(2)],
    ["p50 ms", 9, (row) => row.p50.toFixed(2)],
    ["p99 ms", 9, (row) => row.p99.toFixed(2)],
    ["end MB", 8, (row) => row.memory.toFixed(0)],
    ["waited %", 10, (row) => (row.waited * 100).toFixed(0)],
    ["errors", 8, (row) => String(row.errors)]
  ], setting.print)
  const grow = async (stage: Stage, about: Pick<FanRow, "relay" | "relays" | "certificates">, second?: Target) => {
    const client = await stage.client("Fan", { window: WINDOW, ...(second === undefined ? {} : { second }) })
    let some: number | undefined
    // Two relays have the table of one, so that of one route says nothing new.
    const counts = second === undefined ? ROUTES : ROUTES.slice(1)
    for (const routes of counts.map((count) => count > WINDOW ? scaled(setting, count) : count)) {
      await client.call("grow", routes)
      await client.call("resume")
      await sleep(1000)
      await client.call("warm", ROUNDS * routes)
      const measured = (await measure(stage, setting.seconds, client))[0]!
      await client.call("rest")
      const cpuPerMessage = measured.relayCpu * 1e6 / measured.count
      const row: FanRow = {
        ...about,
        routes,
        rate: measured.count / measured.seconds,
        cpuPerMessage,
        ...(some === undefined ? {} : { ratio: cpuPerMessage / some }),
        p50: measured.p50,
        p99: measured.p99,
        memory: measured.after.memory / 1e6,
        waited: measured.relayWait / measured.seconds,
        errors: errorsIn(measured)
      }
      if (routes === WINDOW) some = cpuPerMessage
      rows.push(row)
      table.row(row)
    }
  }
  for (const relay of setting.relays) {
    await Stage.use(setting, relay, "tcp", "fan", (stage) => grow(stage, { relay: relay.name, relays: 1 }))
  }
  const own = setting.relays.find(({ name }) => name === "msrp-relay")
  if (own === undefined) return rows
  for (const count of CERTIFICATES) {
    let second: Target | undefined
    const both = twoRelays({
      command: setting.command,
      readySeconds: setting.readySeconds,
      certificates: count,
      settings: crowdLimits,
      started: (target) => second = target
    })
    await Stage.use(
      setting,
      both,
      "tcp",
      `fan over a link with ${count} certificates`,
      (stage) => grow(stage, { relay: own.name, relays: 2, certificates: count }, second)
    )
  }
  return rows
}
