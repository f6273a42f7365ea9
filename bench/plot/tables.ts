/** The tables of docs/performance.md, in Markdown. */
import type { GrowthRow } from "../crowd/growth.ts"
import type { QuietRow } from "../crowd/quiet.ts"

interface Row {
  readonly relay: string
  readonly transport: string
  readonly size: number
}

/** A column for each transport and relay of which there are rows. */
const columnsOf = (rows: ReadonlyArray<Row>): ReadonlyArray<readonly [transport: string, relay: string]> => {
  const pairs = new Map(rows.map(({ relay, transport }) => [`${transport} ${relay}`, [transport, relay] as const]))
  return [...pairs.values()].toSorted(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
}

const lineOf = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |\n`

/** A line for each distinct `head`, with what `cell` says of each column. */
const tableOf = <R extends Row>(
  rows: ReadonlyArray<R>,
  names: ReadonlyArray<string>,
  head: (row: R) => ReadonlyArray<string>,
  cell: (row: R) => string
): string => {
  const columns = columnsOf(rows)
  const titles = [...names, ...columns.map(([transport, relay]) => `${relay}, ${transport.toUpperCase()}`)]
  const lines = [...Map.groupBy(rows, (row) => lineOf(head(row))).values()].map((line) =>
    lineOf([
      ...head(line[0]!),
      ...columns.map(([transport, relay]) => {
        const row = line.find((one) => one.transport === transport && one.relay === relay)
        return row === undefined ? "–" : cell(row)
      })
    ])
  )
  return `${lineOf(titles)}${lineOf(titles.map(() => "---"))}${lines.join("")}`
}

const count = (value: number): string => Math.round(value).toLocaleString("en")

const failed = (errors: number): string => errors === 0 ? "" : ` (${count(errors)} errors)`

export const growthTable = (rows: ReadonlyArray<GrowthRow>): string =>
  tableOf(
    rows,
    ["octets", "busy pairs"],
    ({ pairs, size }) => [count(size), count(pairs)],
    ({ cpuPerMessage, errors }) => cpuPerMessage.toFixed(1) + failed(errors)
  )

export const quietTable = (rows: ReadonlyArray<QuietRow>): string =>
  tableOf(
    rows.filter(({ senders }) => senders > 0),
    ["octets", "senders"],
    ({ senders, size }) => [count(size), String(senders)],
    ({ errors, megabytes, p50, rate, size }) =>
      `${p50.toFixed(1)} (${size < 1000 ? `${count(rate / 1000)},000/s` : `${count(megabytes)} MB/s`})${failed(errors)}`
  )
