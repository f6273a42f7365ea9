import { logScale, logSteps, stepScale } from "./Scale.ts"

/** The style of a line: its colour stands for the relay, its dashes for the rest. */
export interface Style {
  readonly colour: "own" | "other" | "before"
  readonly dashed: boolean
}

export interface Series {
  readonly label: string
  readonly style: Style
  readonly points: ReadonlyArray<readonly [x: number, y: number]>
}

export interface Panel {
  readonly title: string
  readonly series: ReadonlyArray<Series>
}

export interface Figure {
  readonly title: string
  /** The labels of the axes, with units. */
  readonly x: string
  readonly y: string
  /** Values of the horizontal axis: by their logarithm, or at equal distances. */
  readonly steps: "log" | "equal"
  readonly nameX?: (value: number) => string
  readonly columns: number
  readonly panels: ReadonlyArray<Panel>
}

const PANEL = { width: 400, height: 220 } as const
/** The margins of each panel, for the labels of its axes. */
const MARGIN = { left: 66, right: 14, top: 30, bottom: 48 } as const
/** The height of the title with one row of the legend, and of each further row. */
const HEAD = 62
const LEGEND_ROW = 20
const FOOT = 6
/** Entries of the legend in a row. */
const perRow = (entries: number): number => entries <= 4 ? 4 : 3

/** Colours for a light and a dark page; both have enough contrast for text and thin lines. */
const css = (colours: Readonly<Record<string, string>>): string =>
  `svg{background:${colours["page"]}}` +
  `.page{fill:${colours["page"]}}` +
  `text{fill:${colours["text"]}}` +
  `.grid{stroke:${colours["grid"]}}.axis{stroke:${colours["axis"]}}` +
  ["own", "other", "before"].map((name) =>
    `.${name}{stroke:${colours[name]}}.dot.${name}{fill:${colours[name]};stroke:${colours["page"]}}`
  ).join("")

const light = {
  page: "#ffffff",
  text: "#24292f",
  grid: "#e4e7eb",
  axis: "#8c959f",
  own: "#0b62c4",
  other: "#c2410c",
  before: "#7d8590"
}
const dark = {
  page: "#0d1117",
  text: "#d7dde3",
  grid: "#262c34",
  axis: "#6e7681",
  own: "#6cb2ff",
  other: "#ff9d5c",
  before: "#8b949e"
}

export type Theme = "auto" | "dark"

const style = (theme: Theme): string =>
  `text{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}.title{font-size:15px;font-weight:600}` +
  `.panel{font-weight:600}.line{fill:none;stroke-width:2}.dot{stroke-width:1.5}.grid,.axis{stroke-width:1}` +
  (theme === "dark" ? css(dark) : `${css(light)}@media(prefers-color-scheme:dark){${css(dark)}}`)

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
const round = (value: number): string => String(Math.round(value * 10) / 10)
const text = (x: number, y: number, what: string, attributes = ""): string =>
  `<text x="${round(x)}" y="${round(y)}"${attributes === "" ? "" : ` ${attributes}`}>${escape(what)}</text>`
const path = (points: ReadonlyArray<readonly [number, number]>): string =>
  points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${round(x)} ${round(y)}`).join("")
const stroke = ({ colour, dashed }: Style): string =>
  `class="line ${colour}"${dashed ? " stroke-dasharray=\"6 4\"" : ""}`

/** Draws a figure as SVG. All panels have the same scales, so that they can be compared. */
export const draw = (figure: Figure, theme: Theme = "auto"): string => {
  const { columns, panels } = figure
  const cell = { width: MARGIN.left + PANEL.width + MARGIN.right, height: MARGIN.top + PANEL.height + MARGIN.bottom }
  const width = columns * cell.width
  const legend = [...new Map(panels.flatMap(({ series }) => series.map((one) => [one.label, one.style] as const)))]
  const inRow = perRow(legend.length)
  const head = HEAD + LEGEND_ROW * (Math.ceil(legend.length / inRow) - 1)
  const height = head + Math.ceil(panels.length / columns) * cell.height + FOOT
  const points = panels.flatMap(({ series }) => series.flatMap((one) => one.points))
  const xs = (figure.steps === "log" ? logSteps : stepScale)(points.map(([x]) => x))
  const ys = logScale(points.map(([, y]) => y))
  const nameX = figure.nameX ?? ((value) => value.toLocaleString("en"))

  const panel = ({ series, title }: Panel, index: number): string => {
    const left = (index % columns) * cell.width + MARGIN.left
    const top = head + Math.trunc(index / columns) * cell.height + MARGIN.top
    const bottom = top + PANEL.height
    const at = ([x, y]: readonly [number, number]) =>
      [left + xs.at(x) * PANEL.width, bottom - ys.at(y) * PANEL.height] as const
    const grid = ys.ticks.map((tick) => {
      const y = bottom - ys.at(tick) * PANEL.height
      return `<path class="grid" d="M${left} ${round(y)}h${PANEL.width}"/>` +
        text(left - 8, y + 4, tick.toLocaleString("en", { maximumFractionDigits: 3 }), "text-anchor=\"end\"")
    })
    const marks = xs.ticks.map((tick) => {
      const x = left + xs.at(tick) * PANEL.width
      return `<path class="axis" d="M${round(x)} ${bottom}v5"/>` +
        text(x, bottom + 19, nameX(tick), "text-anchor=\"middle\"")
    })
    const lines = series.map((one) => {
      const places = one.points.map(at)
      const dots = places.map(([x, y]) =>
        `<circle class="dot ${one.style.colour}" cx="${round(x)}" cy="${round(y)}" r="3.5"/>`
      )
      return `<path ${stroke(one.style)} d="${path(places)}"/>${dots.join("")}`
    })
    const middle = top + PANEL.height / 2
    return [
      text(left, top - 10, title, "class=\"panel\""),
      ...grid,
      `<path class="axis" d="M${left} ${bottom}h${PANEL.width}"/>`,
      ...marks,
      ...lines,
      text(left + PANEL.width / 2, bottom + 38, figure.x, "text-anchor=\"middle\""),
      text(left - 48, middle, figure.y, `text-anchor="middle" transform="rotate(-90 ${left - 48} ${round(middle)})"`)
    ].join("\n")
  }

  const entry = (width - MARGIN.left - MARGIN.right) / inRow
  const entries = legend.map(([label, look], i) => {
    const x = MARGIN.left + (i % inRow) * entry
    const y = 46 + LEGEND_ROW * Math.trunc(i / inRow)
    return `<path ${stroke(look)} d="M${round(x)} ${y}h28"/>` + text(x + 36, y + 4, label)
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escape(figure.title)}</title>`,
    `<style>${style(theme)}</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    text(MARGIN.left, 24, figure.title, "class=\"title\""),
    ...entries,
    ...panels.map(panel),
    "</svg>",
    ""
  ].join("\n")
}
