/** What the charts show: the samples of the server's last minutes, and those that have come since. */
import type { StatusSample, StatusSamples } from "../status/Shapes.ts"

export type SampleColumn = Exclude<keyof StatusSample, "time">

const columns: ReadonlyArray<SampleColumn> = [
  "sessions",
  "connections",
  "messagesIn",
  "messagesOut",
  "octetsIn",
  "octetsOut",
  "loopDelay",
  "backendDelay"
]

/** Seconds that a chart shows at least, so that what a relay does in its first minutes is more than a stroke. */
const SHORTEST = 120

/** What a chart shows of these times, in seconds: the window, or less while there is less. */
export const rangeOf = (times: ReadonlyArray<number>, window: number): [from: number, until: number] => {
  const until = times.at(-1) ?? 0
  const first = times[0] ?? until
  return [Math.max(until - window, Math.min(first, until - SHORTEST)), until]
}

export class History {
  #samples: Array<StatusSample> = []

  /** The server's come first: after a loss of the connection it knows what the page has missed. */
  begin(samples: StatusSamples): void {
    const server = samples.time.map((time, at): StatusSample => {
      const sample: Record<string, number | null> = {}
      for (const name of columns) sample[name] = samples[name][at] ?? null
      return { ...sample, time } as StatusSample
    })
    const last = server.at(-1)?.time ?? -Infinity
    this.#samples = [...server, ...this.#samples.filter(({ time }) => time > last)]
  }

  /** Keeps what is not older than `window` milliseconds. */
  add(sample: StatusSample, window: number): void {
    if (sample.time <= (this.#samples.at(-1)?.time ?? -Infinity)) return
    this.#samples.push(sample)
    const from = sample.time - window
    const first = this.#samples.findIndex(({ time }) => time >= from)
    if (first > 0) this.#samples.splice(0, first)
  }

  get latest(): StatusSample | undefined {
    return this.#samples.at(-1)
  }

  /** Seconds since 1970, then the columns; a time without samples is a gap. */
  columns(names: ReadonlyArray<SampleColumn>, interval: number): [Array<number>, ...Array<Array<number | null>>] {
    const times: Array<number> = []
    const values: Array<Array<number | null>> = names.map(() => [])
    let before: number | undefined
    for (const sample of this.#samples) {
      if (before !== undefined && sample.time - before > 5 * interval) {
        times.push((before + interval) / 1000)
        for (const column of values) column.push(null)
      }
      times.push(sample.time / 1000)
      names.forEach((name, at) => values[at]!.push(sample[name]))
      before = sample.time
    }
    return [times, ...values]
  }
}
