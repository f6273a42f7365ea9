/** Reads requirements.txt. */
import { readFileSync } from "node:fs"

export interface Requirement {
  readonly id: string
  /** Must, should, may, derived. */
  readonly level: "M" | "S" | "Y" | "D"
  readonly text: string
  /** Why it does not apply to this relay. */
  readonly reason: string | undefined
}

export interface Group {
  readonly letter: string
  readonly title: string
  readonly requirements: ReadonlyArray<Requirement>
}

const parse = (text: string): ReadonlyArray<Group> => {
  const groups: Array<Group & { readonly requirements: Array<Requirement>; readonly reason: string | undefined }> = []
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue
    const [statement, reason] = line.split(" -- ") as [string, string?]
    const [, letter, title] = /^([A-Z]) (.+)$/.exec(statement) ?? []
    if (letter !== undefined) {
      groups.push({ letter, title: title!, requirements: [], reason })
      continue
    }
    const [, id, level, what] = /^(R\d{4}\S*-\d\d) ([MSYD]) (.+)$/.exec(statement) ?? []
    const group = groups.at(-1)
    if (id === undefined || group === undefined) throw new Error(`requirements.txt:${index + 1}: ${line}`)
    group.requirements.push({ id, level: level as Requirement["level"], text: what!, reason: reason ?? group.reason })
  }
  return groups
}

export const groups = parse(readFileSync(new URL("requirements.txt", import.meta.url), "utf8"))
