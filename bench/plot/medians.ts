/** Several runs of the benchmark of a crowd as one: the machine may become faster or slower in the middle of a run. */
import type { GrowthRow } from "../crowd/growth.ts"
import type { CrowdResults } from "../crowd/main.ts"
import type { QuietRow } from "../crowd/quiet.ts"

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** One row of those that are about the same thing: the median of each number. */
const middleOf = <R extends object>(rows: ReadonlyArray<R>): R => {
  const all = rows as ReadonlyArray<Readonly<Record<string, unknown>>>
  const numbers = Object.keys(all[0]!).filter((name) => all.every((row) => typeof row[name] === "number"))
  return {
    ...rows[0]!,
    ...Object.fromEntries(numbers.map((name) => [name, median(all.map((row) => row[name] as number))]))
  }
}

const middle = <R extends object>(rows: ReadonlyArray<R>, about: (row: R) => string): Array<R> =>
  [...Map.groupBy(rows, about).values()].map(middleOf)

/** Medians of each row of the growth and of the quiet pair. */
export const medians = (
  runs: ReadonlyArray<CrowdResults>
): { readonly growth: ReadonlyArray<GrowthRow>; readonly quiet: ReadonlyArray<QuietRow> } => {
  const growth = runs.flatMap((run) => run.growth ?? [])
  const quiet = runs.flatMap((run) => run.quiet ?? [])
  return {
    growth: middle(growth, ({ pairs, relay, size, transport }) => [relay, transport, size, pairs].join(" ")),
    quiet: middle(quiet, ({ relay, senders, size, transport }) => [relay, transport, size, senders].join(" "))
  }
}
