/** Samples of the last minutes, with which the charts of a new page start. */
import type { Reading, Trouble } from "./Readings.ts"
import { troubles } from "./Readings.ts"
import type { StatusSample, StatusSamples, StatusTrouble } from "./Shapes.ts"

/** The values of a sample that do not come from counters. */
export type Moment = Pick<StatusSample, "time" | "sessions" | "connections" | "loopDelay" | "backendDelay">

interface Entry {
  readonly sample: StatusSample
  readonly trouble: Readonly<Record<Trouble, number>>
}

export class Window {
  readonly #most: number
  readonly #entries: Array<Entry> = []
  #last: { readonly at: number; readonly reading: Reading } | undefined

  /** `most` is the number of samples that are kept. */
  constructor(most: number) {
    this.#most = most
  }

  /** Adds a sample. `at` is in monotonic milliseconds, so that a change of the system time does not distort rates. */
  add(at: number, moment: Moment, reading: Reading): StatusSample {
    const last = this.#last
    const seconds = last === undefined ? 0 : (at - last.at) / 1000
    const rate = (now: number | undefined, before: number | undefined): number | null =>
      now === undefined || before === undefined || seconds <= 0 ? null : round((now - before) / seconds)
    const sample: StatusSample = {
      time: moment.time,
      sessions: moment.sessions,
      connections: moment.connections,
      messagesIn: rate(reading.messagesIn, last?.reading.messagesIn),
      messagesOut: rate(reading.messagesOut, last?.reading.messagesOut),
      octetsIn: rate(reading.octetsIn, last?.reading.octetsIn),
      octetsOut: rate(reading.octetsOut, last?.reading.octetsOut),
      loopDelay: moment.loopDelay,
      backendDelay: moment.backendDelay
    }
    this.#last = { at, reading }
    this.#entries.push({ sample, trouble: reading.trouble })
    if (this.#entries.length > this.#most) this.#entries.shift()
    return sample
  }

  get latest(): StatusSample | undefined {
    return this.#entries.at(-1)?.sample
  }

  /** Counts of problems: in total, and since the oldest sample. */
  trouble(): ReadonlyArray<StatusTrouble> {
    const first = this.#entries[0]?.trouble
    const now = this.#entries.at(-1)?.trouble
    if (first === undefined || now === undefined) return []
    // The counters of a relay younger than the window started at 0 within it.
    const whole = this.#entries.length < this.#most
    return troubles.map((kind) => ({
      kind,
      total: now[kind],
      lately: whole ? now[kind] : now[kind] - first[kind]
    }))
  }

  samples(): StatusSamples {
    const column = <K extends keyof StatusSample>(name: K): Array<StatusSample[K]> =>
      this.#entries.map(({ sample }) => sample[name])
    return {
      time: column("time"),
      sessions: column("sessions"),
      connections: column("connections"),
      messagesIn: column("messagesIn"),
      messagesOut: column("messagesOut"),
      octetsIn: column("octetsIn"),
      octetsOut: column("octetsOut"),
      loopDelay: column("loopDelay"),
      backendDelay: column("backendDelay")
    }
  }
}

/** Rounds to two decimals: charts do not show more, and the JSON is shorter. */
const round = (value: number): number => Math.round(value * 100) / 100
