import { setTimeout as sleep } from "node:timers/promises"
import type { Target } from "../link.ts"
import { Table } from "../Table.ts"
import { twoRelays } from "../twoRelays.ts"
import { crowdLimits, errorsIn, measure, scaled, type Setting, Stage } from "./Stage.ts"

const WINDOW = 64
/** Routes of the connection. With as many as the window, messages that arrive together go to as many connections as with more. */
const ROUTES = [1, WINDOW, 5000] as const
/** Messages by each route before the measurement. */
const ROUNDS = 10
const CERTIFICATES = [1, 51] as const

export interface FanRow {
  readonly relay: string
  /** The number of relays in a chain. */
  readonly relays: 1 | 2
  /** The number of certificates of each of two relays. */
  readonly certificates?: number
  readonly routes: number
  readonly rate: number
  /** CPU time of all relays in the chain. */
  readonly cpuPerMessage: number
  /** CPU time per message divided by that with as many routes as the window. */
  readonly ratio?: number
  readonly p50: number
  readonly p99: number
  readonly memory: number
  /** The share of the time in which the relay was ready to run and had no processor; a large share makes the results unreliable. */
  readonly waited: number
  readonly errors: number
}

/** One connection that many sessions share: that of a peer, and one between two relays. */
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
    // One route is not measured with two relays, because it would show nothing that the others do not.
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
