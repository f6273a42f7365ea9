/**
 * Draws the results of the benchmark of a crowd, and prints them as tables in Markdown.
 *
 *   node bench/plot.ts RESULTS.json... [--before OLDER.json] [--out DIRECTORY] [--dark]
 *
 * Of several results, the medians. `--before`: results of an earlier version of this relay, for comparison. `--dark`: always uses
 * the colours of a dark page, not only if the viewer prefers them.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { GrowthRow } from "./crowd/growth.ts"
import type { CrowdResults } from "./crowd/main.ts"
import type { QuietRow } from "./crowd/quiet.ts"
import { draw, type Figure, type Panel, type Series, type Style } from "./plot/Figure.ts"
import { medians } from "./plot/medians.ts"
import { growthTable, quietTable } from "./plot/tables.ts"
import { run, UsageError } from "./usage.ts"

interface Row {
  readonly relay: string
  readonly transport: string
  readonly size: number
}

const TRANSPORTS = ["tcp", "tls"] as const
const OCTETS: Readonly<Record<number, string>> = {
  100: "100 octets",
  300: "300 octets",
  8192: "8 KB",
  500_000: "500 KB"
}

const octets = (size: number): string => OCTETS[size] ?? `${size} octets`
const before = "msrp-relay before"

const colour = (relay: string): Style["colour"] => {
  if (relay === before) return "before"
  return relay === "msrp-relay" ? "own" : "other"
}

/** A line for each relay and value. `drawn` lines were drawn before; all lines but the first are dashed. */
const lines = <R extends Row>(
  rows: ReadonlyArray<R>,
  x: (row: R) => number,
  values: ReadonlyArray<readonly [name: string, y: (row: R) => number]>,
  drawn = 0
): Array<Series> =>
  [...new Set(rows.map(({ relay }) => relay))].flatMap((relay) =>
    values.map(([name, y], i) => ({
      label: `${relay}, ${name}`,
      style: { colour: colour(relay), dashed: drawn + i > 0 },
      points: rows.filter((row) => row.relay === relay).map((row) => [x(row), y(row)] as const)
    }))
  )

/** A panel for each transport, with one value for two sizes of messages. */
const bySize = (rows: ReadonlyArray<GrowthRow>, y: (row: GrowthRow) => number): Array<Panel> =>
  TRANSPORTS.map((transport) => ({
    title: transport.toUpperCase(),
    series: [300, 8192].flatMap((size, i) =>
      lines(
        rows.filter((row) => row.transport === transport && row.size === size),
        ({ pairs }) => pairs,
        [[octets(size), y]],
        i
      )
    )
  }))

/** A panel for each size and transport, with the median and the 99th percentile. */
const byQuantile = <R extends Row & { readonly p50: number; readonly p99: number }>(
  rows: ReadonlyArray<R>,
  sizes: ReadonlyArray<number>,
  x: (row: R) => number
): Array<Panel> =>
  sizes.flatMap((size) =>
    TRANSPORTS.map((transport) => ({
      title: `${octets(size)}, ${transport.toUpperCase()}`,
      series: lines(rows.filter((row) => row.transport === transport && row.size === size), x, [
        ["median", ({ p50 }) => p50],
        ["p99", ({ p99 }) => p99]
      ])
    }))
  )

const PAIRS = "busy pairs"

const figures = (growth: ReadonlyArray<GrowthRow>, quiet: ReadonlyArray<QuietRow>): Record<string, Figure> => {
  const pairs = { x: PAIRS, steps: "log", columns: 2 } as const
  return {
    ...(growth.length === 0 ? {} : {
      cost: {
        ...pairs,
        title: "What a message costs among many: CPU time of the relay",
        y: "microseconds per message",
        panels: bySize(growth, ({ cpuPerMessage }) => cpuPerMessage)
      },
      memory: {
        ...pairs,
        title: "Memory of the relay, all its processes together",
        y: "megabytes",
        panels: bySize(growth, ({ memory }) => memory)
      },
      delay: {
        ...pairs,
        title: "Time from sending a message to its arrival, all pairs busy",
        y: "milliseconds",
        panels: byQuantile(growth, [300, 8192], (row) => row.pairs)
      }
    }),
    ...(quiet.length === 0 ? {} : {
      quiet: {
        x: "pairs whose senders wait for nothing",
        steps: "equal" as const,
        nameX: (senders: number) => senders === 0 ? "none" : String(senders),
        columns: 2,
        title: "Round trip of a quiet pair beside others",
        y: "milliseconds",
        panels: byQuantile(quiet, [100, 8192, 500_000], (row) => row.senders)
      }
    })
  }
}

const read = async (file: string): Promise<CrowdResults> => JSON.parse(await readFile(file, "utf8")) as CrowdResults

const isOwn = ({ relay }: { readonly relay: string }): boolean => relay === "msrp-relay"
const renamed = <R extends Row>(rows: ReadonlyArray<R>): Array<R> =>
  rows.filter(isOwn).map((row) => Object.assign({}, row, { relay: before }))

const usage = `Usage: npm run bench:plot -- RESULTS.json... [options]

Draws the medians of these results, and prints them as tables.

  --before OLDER.json  results of an earlier state of this relay, to be drawn beside
  --out DIRECTORY      where the pictures go (default docs/performance)
  --dark               as they are on a dark page, also where a viewer does not ask for it
  --help               this text
`

await run(usage, {
  allowPositionals: true,
  options: {
    before: { type: "string" },
    out: { type: "string", default: join(dirname(dirname(fileURLToPath(import.meta.url))), "docs", "performance") },
    dark: { type: "boolean", default: false }
  }
}, async ({ positionals, values }) => {
  if (positionals.length === 0) throw new UsageError("RESULTS.json: which results are to be drawn")
  const now = medians(await Promise.all(positionals.map(read)))
  const old = medians(values.before === undefined ? [] : [await read(values.before)])
  const growth = [...renamed(old.growth), ...now.growth]
  const quiet = [...renamed(old.quiet), ...now.quiet]
  await mkdir(values.out, { recursive: true })
  const drawn = figures(growth, quiet)
  if (growth.length > 0) process.stdout.write(`${growthTable(growth)}\n`)
  if (quiet.length > 0) process.stdout.write(`${quietTable(quiet)}\n`)
  for (const [name, figure] of Object.entries(drawn)) {
    await writeFile(join(values.out, `${name}.svg`), draw(figure, values.dark ? "dark" : "auto"))
    process.stdout.write(`${join(values.out, `${name}.svg`)}\n`)
  }
})
