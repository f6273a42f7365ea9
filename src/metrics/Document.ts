/** The metrics as text, so that the document tells nothing else than what is published. */
import { catalogue } from "./Catalogue.ts"
import type { Family } from "./Family.ts"

/** Tables of all metrics in Markdown, one for each group, under a heading each. */
export const markdownTables = (): string =>
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
