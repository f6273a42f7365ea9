/** Suggestions for misspelt variables. */
import { settingsTable } from "./Table.ts"

/** The variable whose name is most similar to an unknown one, if any is similar enough. */
export const suggestion = (unknown: string): string | undefined => {
  const wanted = unknown.toUpperCase().slice(0, 64)
  const byParameter = settingsTable.find(({ opensips }) => wanted === `MSRP_${opensips?.toUpperCase()}`)
  if (byParameter !== undefined) return byParameter.variable
  const [nearest] = settingsTable
    .map(({ variable }) => ({ variable, edits: edits(wanted, variable) }))
    .sort((a, b) => a.edits - b.edits)
  // At most a third of the characters after the prefix may differ; otherwise it is another word.
  return nearest !== undefined && nearest.edits <= Math.ceil((nearest.variable.length - "MSRP_".length) / 3)
    ? nearest.variable
    : undefined
}

/** Number of characters to insert, delete or replace to turn one text into the other (Levenshtein distance). */
const edits = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
