/** Reports of a probe: a line for each step, with a bar for each file on a terminal, or one JSON document. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

/** A completed step. */
export interface ProbeStep {
  readonly name: string
  readonly ok: boolean
  /** Duration in milliseconds. */
  readonly millis: number
  /** What else was seen; may be empty. */
  readonly detail: string
}

/** The result of all steps. */
interface ProbeVerdict {
  readonly relay: string
  readonly user: string
  /** Duration of all steps in milliseconds. */
  readonly millis: number
  readonly steps: ReadonlyArray<ProbeStep>
  /** The step that failed and why; undefined if all succeeded. */
  readonly failure: string | undefined
}

export interface ProbeReport {
  readonly began: (relay: string) => Effect.Effect<void>
  /** Called as a file is sent, with the octets given to the connection and the size of the file. */
  readonly moved: (octets: number, size: number) => Effect.Effect<void>
  readonly step: (step: ProbeStep) => Effect.Effect<void>
  readonly ended: (verdict: ProbeVerdict) => Effect.Effect<void>
}

/** The terminal on which bars are drawn. */
interface BarOutput {
  readonly columns: number
  readonly write: (text: string) => unknown
}

/** Milliseconds between two drawings of a bar. */
const REDRAW = 100

/** Maximum width of a bar in columns. */
const MAX_BAR = 40

const CLEAR = "\r\u001b[K"

/** `[#####.....]  50 %  10.0 of 20.0 MiB`; without the bar if there are too few columns. */
export const barOf = (octets: number, size: number, columns: number): string => {
  const part = size === 0 ? 1 : Math.min(1, octets / size)
  const mebi = (count: number): string => (count / 1_048_576).toFixed(1)
  const text = ` ${String(Math.floor(part * 100)).padStart(3)} %  ${mebi(octets)} of ${mebi(size)} MiB`
  // The last column stays free, because some terminals would wrap the line.
  const width = Math.min(MAX_BAR, columns - text.length - 3)
  if (width < 10) return text.trim().slice(0, Math.max(0, columns - 1))
  const full = Math.floor(part * width)
  return `[${"#".repeat(full)}${".".repeat(width - full)}]${text}`
}

/** Prints a line for each step, and draws a bar on `output`, if given, while a file is sent. */
export const inLines = (output?: BarOutput): ProbeReport => {
  let drawn = -Infinity
  let isDrawn = false
  const clear = Effect.sync(() => {
    if (isDrawn) output?.write(CLEAR)
    isDrawn = false
    drawn = -Infinity
  })
  return {
    began: (relay) => Console.log(`probing ${relay}`),
    moved: (octets, size) =>
      output === undefined ? Effect.void : Effect.map(Clock.currentTimeMillis, (now) => {
        if (now - drawn < REDRAW) return
        drawn = now
        isDrawn = true
        output.write(`${CLEAR}${barOf(octets, size, output.columns)}`)
      }),
    step: ({ detail, millis, name, ok }) =>
      Effect.andThen(
        clear,
        Console.log(
          `${ok ? "ok    " : "FAILED"} ${`${millis}`.padStart(7)} ms  ${name}${detail === "" ? "" : `: ${detail}`}`
        )
      ),
    ended: ({ failure, millis, steps }) =>
      failure === undefined
        ? Console.log(`the relay works: ${steps.length} steps in ${millis} ms, every octet as it was sent`)
        : clear
  }
}

/** Prints one JSON document at the end. */
export const asJson: ProbeReport = {
  began: () => Effect.void,
  moved: () => Effect.void,
  step: () => Effect.void,
  ended: (verdict) => Console.log(JSON.stringify({ ok: verdict.failure === undefined, ...verdict }, undefined, 2))
}
