/** Tables, durations and sizes for a terminal. */
import { lengthOf } from "../Wrapping.ts"

/** Default width of a line in characters. */
export const WIDTH = 100

/** The gap between two columns, or two fields of a line. */
export const GAP = "  "

export interface Column<A> {
  readonly title: string
  readonly of: (row: A) => string
  /** Whether the column is aligned to the right, as numbers are. */
  readonly right?: true
  /** Minimum width to which the column may be cut if a line would be too long. */
  readonly least?: number
}

/** Text without control characters or marks that change the writing direction, which could manipulate the terminal. */
export const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{fffd}")

/** Keeps the beginning and the end, because addresses and names may differ in either. */
const cut = (text: string, width: number): string => {
  const all = Array.from(text)
  if (all.length <= width) return text
  const end = Math.floor((width - 1) / 3)
  return `${all.slice(0, width - 1 - end).join("")}…${end === 0 ? "" : all.slice(-end).join("")}`
}

/** Aligned lines with a heading, cut to the width as far as columns allow. */
export const table = <A>(
  columns: ReadonlyArray<Column<A>>,
  rows: ReadonlyArray<A>,
  width: number = WIDTH
): ReadonlyArray<string> => {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ of }) => plain(of(row))))]
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => lengthOf(line[i]!))))
  let over = widths.reduce((sum, one) => sum + one, GAP.length * (columns.length - 1)) - width
  while (over > 0) {
    // The widest column that may be cut is cut first.
    const [widest] = columns.map(({ least = Infinity }, i) => ({ i, spare: widths[i]! - least, width: widths[i]! }))
      .filter(({ spare }) => spare > 0).sort((a, b) => b.width - a.width)
    if (widest === undefined) break
    widths[widest.i]!--
    over--
  }
  return cells.map((line) =>
    line.map((text, i) => {
      const short = cut(text, widths[i]!)
      const space = " ".repeat(widths[i]! - lengthOf(short))
      return columns[i]!.right === true ? space + short : short + space
    }).join(GAP).trimEnd()
  )
}

const PREFIXES = ["kB", "MB", "GB", "TB", "PB"]

/** A size, such as `980 B`, `1.2 kB` or `35 MB`. */
export const octets = (count: number): string => {
  if (count < 1000) return `${count} B`
  let [value, i] = [count / 1000, 0]
  while (value >= 999.5 && i < PREFIXES.length - 1) {
    value /= 1000
    i++
  }
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${PREFIXES[i]}`
}

/** A duration, such as `45s`, `12m`, `3h05m` or `2d04h`; `0s` if it is negative. */
export const duration = (millis: number): string => {
  const seconds = Math.max(0, Math.floor(millis / 1000))
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)]
  const two = (value: number): string => String(value).padStart(2, "0")
  return minutes === 0
    ? `${seconds}s`
    : hours === 0
    ? `${minutes}m`
    : days === 0
    ? `${hours}h${two(minutes % 60)}m`
    : `${days}d${two(hours % 24)}h`
}

/** A number with separators, such as `12,345`. */
export const number = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 1 })

/** A time in UTC, such as `2026-11-28 12:01:33`. */
export const moment = (millis: number): string => new Date(millis).toISOString().slice(0, 19).replace("T", " ")
