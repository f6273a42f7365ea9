/**
 * The documents, and the blocks of code in them. What a block of `sh` is stands behind that word, where no reader sees it:
 *
 * - `sh run`: a test runs it, in an empty folder;
 * - `sh run: relay`: the same, beside a relay that has the user alice with the password secret;
 * - `sh not run: …`: nobody runs it here, and why.
 *
 * A block of `dotenv` is a file of settings: the service would start with it.
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))
export const textOf = (path: string): string => readFileSync(join(root, path), "utf8")

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8"
}).trim().split("\n")

/** Paths in the repository. */
export const documents = tracked.filter((path) => path.endsWith(".md"))
export const examples = tracked.filter((path) => path.startsWith("examples/"))

export interface Fence {
  readonly path: string
  /** Of the line that opens it, from 1. */
  readonly line: number
  readonly language: string
  /** What stands behind the language. */
  readonly info: string
  readonly code: string
}

/** Blocks of a document; those in lists without their indentation. */
export const fencesIn = (path: string): ReadonlyArray<Fence> => {
  const fences: Array<Fence> = []
  const lines = textOf(path).split("\n")
  for (let at = 0; at < lines.length; at++) {
    const [, indent, ticks, language, info] = /^( *)(`{3,})(\S*) *(.*)$/.exec(lines[at]!) ?? []
    if (ticks === undefined) continue
    const end = lines.findIndex((line, index) => index > at && line.trim() === ticks)
    if (end === -1) throw new Error(`${path}:${at + 1}: a block without an end`)
    const code = lines.slice(at + 1, end).map((line) => line.startsWith(indent!) ? line.slice(indent!.length) : line)
    fences.push({ path, line: at + 1, language: language!, info: info!.trim(), code: code.join("\n") })
    at = end
  }
  return fences
}

export const placeOf = ({ line, path }: Fence): string => `${path}:${line}`

/**
 * Blocks of pages that have no word behind `sh`: the first page that people see shows it on some sites, and one that the gate
 * runs in part.
 */
const elsewhere: Readonly<Record<string, string>> = {
  "README.md": "not run: .ci/run installs, starts and probes; the rest needs a domain, or a relay that stays",
  "docs/performance.md": "not run: takes minutes"
}

/** Commands to type, with what is known of them. */
export const commandsIn = (path: string): ReadonlyArray<Fence> =>
  fencesIn(path).filter(({ language }) => ["sh", "bash", "shell", "console"].includes(language))
    .map((fence) => fence.info === "" ? Object.assign(fence, { info: elsewhere[path] ?? "" }) : fence)
