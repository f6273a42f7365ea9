/** Charts of the last minutes, drawn with uPlot. */
import uPlot from "uplot"
import { byId, make, setText } from "./dom.ts"
import { type History, rangeOf, type SampleColumn } from "./history.ts"
import { hourAndMinute, timeOfDay } from "./numbers.ts"

export interface Line {
  readonly column: SampleColumn
  readonly name: string
  readonly colour: "one" | "two"
}

const HEIGHT = 132
const FONT = "11px system-ui, -apple-system, \"Segoe UI\", Roboto, Arial, sans-serif"
/** Width in pixels of the axis with the values. */
const AXIS = 58

/** Minimum distance in pixels between two values of that axis. */
const SPACE = 36

/** Minimum distance in pixels between two times. */
const TIME_SPACE = 48

/** Possible seconds between two times. None is below a minute, because two would then show the same text. */
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60].map((minutes) => minutes * 60)

/** A chart in the element with the given id. */
export class Chart {
  readonly #element: HTMLElement
  readonly #lines: ReadonlyArray<Line>
  readonly #text: (value: number) => string
  readonly #tip = make("div", "tip")
  #plot: uPlot | undefined
  #range: [from: number, until: number] = [0, 1]

  constructor(id: string, lines: ReadonlyArray<Line>, text: (value: number) => string) {
    this.#element = byId(id)
    this.#lines = lines
    this.#text = text
    this.#tip.hidden = true
    new ResizeObserver(() => {
      const width = this.#element.clientWidth
      if (width > 0) this.#plot?.setSize({ width, height: HEIGHT })
    }).observe(this.#element)
    // A canvas does not follow changes of the style sheet.
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      const data = this.#plot?.data
      this.#plot?.destroy()
      this.#plot = data === undefined ? undefined : this.#make(data)
    })
  }

  /** Draws the samples. `interval` is the time between two samples, `window` that of the whole chart, in milliseconds. */
  draw(history: History, interval: number, window: number): void {
    const data = history.columns(this.#lines.map(({ column }) => column), interval)
    this.#range = rangeOf(data[0], window / 1000)
    if (this.#plot === undefined) this.#plot = this.#make(data)
    else this.#plot.setData(data)
  }

  #make(data: uPlot.AlignedData): uPlot {
    const style = getComputedStyle(document.documentElement)
    const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim()
    const axis = { stroke: colour("soft"), font: FONT, ticks: { show: false } }
    const plot = new uPlot(
      {
        width: this.#element.clientWidth || 300,
        height: HEIGHT,
        padding: [8, 18, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { size: 7 } },
        scales: {
          x: { time: true, range: () => this.#range },
          y: { range: (_, __, most) => [0, Math.max(1, (most ?? 0) * 1.15)] }
        },
        axes: [
          {
            ...axis,
            size: 24,
            gap: 6,
            space: TIME_SPACE,
            incrs: TIME_STEPS,
            grid: { show: false },
            values: (_, all) => all.map((at) => hourAndMinute(at * 1000))
          },
          {
            ...axis,
            size: AXIS,
            gap: 6,
            space: SPACE,
            grid: { stroke: colour("faint"), width: 1 },
            // Of values with the same text, such as 0.5 and 1 of a count, only the highest is right.
            values: (_, all) => all.map(this.#text).map((text, at, texts) => text === texts[at + 1] ? "" : text)
          }
        ],
        series: [
          {},
          ...this.#lines.map((line) =>
            ({
              stroke: colour(line.colour),
              fill: line.colour === "one" ? `${colour("one")}18` : undefined,
              width: 1.75,
              points: { show: false }
            }) as uPlot.Series
          )
        ],
        hooks: { setCursor: [(plot) => this.#tell(plot)] }
      },
      data,
      this.#element
    )
    this.#element.append(this.#tip)
    return plot
  }

  /** Shows the values under the pointer. */
  #tell({ cursor: { idx }, data }: uPlot): void {
    const at = idx === null || idx === undefined ? undefined : data[0][idx]
    this.#tip.hidden = at === undefined
    if (at === undefined || idx === null || idx === undefined) return
    const values = this.#lines.map(({ name }, line) => {
      const value = data[line + 1]?.[idx]
      return `${name} ${value === null || value === undefined ? "–" : this.#text(value)}`
    })
    setText(this.#tip, [timeOfDay(at * 1000), ...values].join("  ·  "))
  }
}
