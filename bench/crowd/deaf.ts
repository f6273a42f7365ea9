import { setTimeout as sleep } from "node:timers/promises"
import { Table } from "../Table.ts"
import { errorsIn, scaled, type Setting, Stage } from "./Stage.ts"

const READERS = 1000
const SIZE = 8192
/** Seconds within which all senders should be held, and between two counts of those that are. */
const FILLING = 15
const LOOK = 0.5

export interface DeafRow {
  readonly relay: string
  readonly readers: number
  /** The number of senders that are held, and what they had written to the relay before, in 10^6 octets. */
  readonly held: number
  readonly written: number
  /** The relay's memory in 10^6 octets. */
  readonly peak?: number
  readonly memory: number
  /** Round trips of a pair whose receiver reads, in milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly longest: number
  readonly pause?: number
  readonly errors: number
}

/** Receivers that read nothing, each with a sender that writes as much as it can. */
export const deaf = async (setting: Setting): Promise<Array<DeafRow>> => {
  const rows: Array<DeafRow> = []
  const most = scaled(setting, READERS)
  setting.print(`\ndeaf: ${most} sessions whose owners read nothing, over TCP, ${SIZE} octets to them until held`)
  const table = new Table<DeafRow>([
    ["relay", -11, (row) => row.relay],
    ["readers", 9, (row) => String(row.readers)],
    ["held", 7, (row) => String(row.held)],
    ["sent MB", 9, (row) => row.written.toFixed(0)],
    ["peak MB", 9, (row) => row.peak?.toFixed(0)],
    ["end MB", 8, (row) => row.memory.toFixed(0)],
    ["pair p50", 10, (row) => row.p50.toFixed(2)],
    ["p99", 9, (row) => row.p99.toFixed(2)],
    ["max ms", 9, (row) => row.longest.toFixed(2)],
    ["pause ms", 10, (row) => row.pause?.toFixed(1)],
    ["errors", 8, (row) => String(row.errors)]
  ], setting.print)
  for (const relay of setting.relays) {
    const ours = relay.name === "msrp-relay"
    await Stage.use(setting, relay, "tcp", "deaf", async (stage) => {
      const pair = await stage.client("Quiet")
      const flood = await stage.client("Flood", { pairs: most, size: SIZE, deaf: true })
      await sleep(500)
      for (const readers of [0, most]) {
        if (ours) await stage.pause()
        await pair.begin(stage.pids)
        await flood.call("run", readers)
        const deadline = performance.now() + (readers === 0 ? setting.seconds : FILLING) * 1000
        // When nothing more is written, all senders are held: by the relay, or because the buffers of the system are full.
        let { held, messages } = await flood.call("written")
        while (performance.now() < deadline) {
          await sleep(LOOK * 1000)
          const before = messages
          ;({ held, messages } = await flood.call("written"))
          if (readers > 0 && held === readers && messages === before) break
        }
        const lived = await pair.measured()
        const pause = ours ? await stage.pause() : undefined
        const row: DeafRow = {
          relay: relay.name,
          readers,
          held,
          written: messages * SIZE / 1e6,
          ...(lived.after.peak === undefined ? {} : { peak: lived.after.peak / 1e6 }),
          memory: lived.after.memory / 1e6,
          p50: lived.p50,
          p99: lived.p99,
          longest: lived.longest,
          ...(pause === undefined ? {} : { pause }),
          errors: errorsIn(lived)
        }
        rows.push(row)
        table.row(row)
      }
    }, true)
  }
  return rows
}
