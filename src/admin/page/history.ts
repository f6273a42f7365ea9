/** Samples for the charts: those that the server has kept, and those received since. */
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

/** Seconds that a chart shows at least, even if there are fewer samples. */
const SHORTEST = 120

/** The range of a chart in seconds: the window, or less while the samples cover less. */
export const rangeOf = (times: ReadonlyArray<number>, window: number): [from: number, until: number] => {
  const until = times.at(-1) ?? 0
  const first = times[0] ?? until
  return [Math.max(until - window, Math.min(first, until - SHORTEST)), until]
}

export class History {
  #samples: Array<StatusSample> = []

  /** Replaces samples by those of the server, which has the ones that the page missed while disconnected. Later ones are kept. */
  begin(samples: StatusSamples): void {
    const server = samples.time.map((time, at): StatusSample => {
      const sample: Record<string, number | null> = {}
      for (const name of columns) sample[name] = samples[name][at] ?? null
      return { ...sample, time } as StatusSample
    })
    const last = server.at(-1)?.time ?? -Infinity
    this.#samples = [...server, ...this.#samples.filter(({ time }) => time > last)]
  }

  /** Adds a sample, and drops those older than `window` milliseconds. */
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

  /** Times in seconds since 1970, followed by the columns; a time without samples becomes a gap. */
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
