import { readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { Table } from "../Table.ts"
import type { LoginResult } from "./roles/Logins.ts"
import type { Metered } from "./roles/Meter.ts"
import { errorsIn, measure, scaled, type Setting, Stage } from "./Stage.ts"

const CLIENTS = 10_000

/** Seconds within which all connections must be closed, and seconds for which a pair is measured alone. */
const PATIENCE = 30
const BEFORE = 2
/** Logins at a time outside of a storm. */
const CALM = 64
/** Pairs that are always busy, and clients that log in beside them one after the other. */
const BUSY = 1000
const BESIDE = 50

export interface StormRow {
  readonly relay: string
  readonly event: "before" | "login" | "close" | "beside" | "stop"
  readonly clients: number
  /** The duration of the event. */
  readonly seconds: number
  readonly login?: LoginResult
  /** Connections that the operating system delayed because the relay had not accepted earlier ones. */
  readonly overflows?: number
  /** Round trips of a pair during the event, in milliseconds. */
  readonly p50?: number
  readonly p99?: number
  readonly longest?: number
  /** The longest pause of the relay's event loop, in milliseconds. */
  readonly pause?: number
  readonly errors: number
}

/** Many clients log in at once, and leave at once; some log in beside busy pairs; many are connected when the relay stops. */
export const storm = async (setting: Setting): Promise<Array<StormRow>> => {
  const rows: Array<StormRow> = []
  const clients = scaled(setting, CLIENTS)
  setting.print(
    `\nstorm: ${clients} clients log in at once over TCP, close at once, ${BESIDE} beside ${BUSY} busy pairs, and are there when the relay stops`
  )
  const table = new Table<StormRow>([
    ["relay", -11, (row) => row.relay],
    ["event", -8, (row) => row.event],
    ["seconds", 8, (row) => row.seconds.toFixed(2)],
    ["in", 7, (row) => row.login?.loggedIn.toFixed(0)],
    ["again", 7, (row) => row.login?.again.toFixed(0)],
    ["overflows", 11, (row) => row.overflows?.toFixed(0)],
    ["login p50", 11, (row) => row.login?.p50.toFixed(0)],
    ["p99 ms", 8, (row) => row.login?.p99.toFixed(0)],
    ["pair p50", 10, (row) => row.p50?.toFixed(2)],
    ["p99", 9, (row) => row.p99?.toFixed(2)],
    ["max ms", 9, (row) => row.longest?.toFixed(2)],
    ["pause ms", 10, (row) => row.pause?.toFixed(1)],
    ["errors", 8, (row) => String(row.errors)]
  ], setting.print)
  for (const relay of setting.relays) {
    await Stage.use(setting, relay, "tcp", "storm", async (stage) => {
      const ours = relay.name === "msrp-relay"
      const pair = await stage.client("Quiet")
      const crowd = await stage.client("Logins")
      const add = (row: Omit<StormRow, "relay" | "clients">) => {
        const whole = { relay: relay.name, clients, ...row }
        rows.push(whole)
        table.row(whole)
      }
      const during = async (event: "login" | "close" | "beside", happen: () => Promise<LoginResult | undefined>) => {
        if (ours) await stage.pause()
        await pair.begin([])
        const start = performance.now()
        const before = listenOverflows()
        const login = await happen()
        const overflows = listenOverflows() - before
        const seconds = (performance.now() - start) / 1000
        const lived = await pair.measured()
        const pause = ours ? await stage.pause() : undefined
        add({
          event,
          seconds,
          ...(login === undefined ? {} : { login, overflows }),
          ...delays(lived),
          ...(pause === undefined ? {} : { pause })
        })
        if (login?.reason !== undefined) setting.print(`           (again because: ${login.reason})`)
      }
      await sleep(1000)
      const alone = (await measure(stage, BEFORE, pair))[0]!
      add({ event: "before", seconds: BEFORE, ...delays(alone) })
      const empty = stage.connections()
      await during("login", () => crowd.call("logIn", clients, clients))
      await during("close", async () => {
        await crowd.call("closeAll")
        const deadline = performance.now() + PATIENCE * 1000
        while (stage.connections() > empty + clients / 100 && performance.now() < deadline) await sleep(20)
        return undefined
      })
      const busy = await stage.client("Busy", { pairs: scaled(setting, BUSY), size: 300, window: 1 })
      await sleep(1000)
      await during("beside", () => crowd.call("logIn", BESIDE, 1))
      busy.end()
      await crowd.call("closeAll")
      await crowd.call("logIn", clients, CALM)
      if (ours) await stage.pause()
      const { pause, seconds } = await stage.stopWithClients()
      add({ event: "stop", seconds, ...(pause === undefined ? {} : { pause }), errors: 0 })
    }, true)
  }
  return rows
}

/** Overflows of the accept queues of all sockets of this machine; 0 where unknown. */
const listenOverflows = (): number => {
  try {
    const [names = "", values = ""] = readFileSync("/proc/net/netstat", "latin1").split("\n")
    return Number(values.split(" ")[names.split(" ").indexOf("ListenOverflows")] ?? 0)
  } catch {
    return 0
  }
}

const delays = (measured: Metered) => ({
  p50: measured.p50,
  p99: measured.p99,
  longest: measured.longest,
  errors: errorsIn(measured)
})
