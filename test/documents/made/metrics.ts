/** The tables of docs/metrics.md, made from the metrics that the relay publishes. */
import { catalogue } from "../../../src/metrics/Catalogue.ts"
import type { Family } from "../../../src/metrics/Family.ts"

/** All metrics in Markdown: a heading and a table for each group. */
export const metricTables = (): string =>
  catalogue.map(([group, families]) =>
    [
      `## ${group}`,
      "",
      "| Metric | Type | Labels | Meaning |",
      "| --- | --- | --- | --- |",
      ...families.map((family) => `| \`${family.name}\` | ${family.type} | ${labelsOf(family)} | ${family.help}. |`)
    ].join("\n")
  ).join("\n\n")

const labelsOf = ({ labels }: Family): string =>
  Object.entries(labels).map(([label, values]) =>
    `\`${label}\`: ${typeof values === "string" ? values : values.map((value) => `\`${value}\``).join(", ")}`
  ).join("; ")
