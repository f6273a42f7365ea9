/** What the documents say of the program is in the program: commands and flags, metrics, words of the log, settings. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import { execFile } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { parseEnv, promisify } from "node:util"
import { assert, describe, it, vi } from "vitest"
import { families } from "../../src/metrics/Catalogue.ts"
import { Settings, settingsTable } from "../../src/service/Settings.ts"
import { relay } from "../support/pki.ts"
import { documents, examples, fencesIn, placeOf, root, textOf } from "./fences.ts"

vi.setConfig({ testTimeout: 120_000 })

/** Of other versions, and made from others. */
const pages = documents.filter((path) => !["CHANGELOG.md", "docs/conformance.md"].includes(path))

/** Code within lines, where it is. */
const spansIn = (text: string): ReadonlyArray<string> =>
  [...text.replaceAll(/^ *```.*?^ *```/gms, "").matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!)

/** All of the program's own text, with strings that go over several lines in one. */
const program = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => textOf(join("src", path)))
  .join("\n")
  .replaceAll(/(["`]) \+\s*(["`])/g, "")
  .replaceAll("\\`", "`")
  // one setting, or several
  .replace("${have} changed: ${they} effect", "has changed: it takes effect")

/** Words with `…` for what differs; what stands behind a colon or a semicolon, or in brackets, may be of another place. */
const isSaid = (words: string): boolean =>
  words.split(/…|[:;] | \((?=E[A-Z]+\))|(?<=E[A-Z]+)\)/).map((piece) => piece.replaceAll(/^[\s:;?]+|[\s:;?]+$/g, ""))
    .every((piece) => program.includes(piece))

/** Rows of tables, by their cells. */
const rowsIn = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text.split("\n").filter((line) => line.startsWith("|")).map((line) => line.slice(1).split(" | "))

describe("words of the program in documents", () => {
  it("of docs/troubleshooting.md are what one sees, as the code has them", () => {
    const seen = rowsIn(textOf("docs/troubleshooting.md")).flatMap(([first]) => spansIn(first!))
      // of a browser's page, of systemd
      .filter((words) => words !== "new WebSocket(url)" && words !== "timeout")
    assert.isAbove(seen.length, 50)
    assert.deepStrictEqual(seen.filter((words) => !isSaid(words)), [])
  })

  it("of docs/log.md are lines and reasons that there are", () => {
    const seen = rowsIn(textOf("docs/log.md")).flatMap(([first]) => spansIn(first!))
      .filter((words) => words !== "failed: ECONNRESET")
    assert.isAbove(seen.length, 100)
    assert.deepStrictEqual(seen.filter((words) => !isSaid(words)), [])
  })

  it("in examples of the log are messages that there are", () => {
    const messages = pages.flatMap((path) =>
      fencesIn(path).flatMap(({ code }) =>
        [...code.matchAll(/\bmessage=(?:"([^"]*)"|([a-z]+))/g)].map(([, quoted, word]) => quoted ?? word!)
      )
    )
    assert.isAbove(messages.length, 4)
    assert.deepStrictEqual(messages.filter((words) => !isSaid(words.replace(/^MSRP_[A-Z0-9_]+/, "…"))), [])
  })
})

describe("settings in documents", () => {
  it("of docs/reload.md that want a restart are those that do", () => {
    const [, bullet] = /^- `restart`: (.*?)^- /ms.exec(textOf("docs/reload.md"))!
    const named = spansIn(bullet!).filter((span) => span.startsWith("MSRP_"))
    const wanted = settingsTable.filter(({ reload }) => reload === "restart").map(({ variable }) => variable)
    assert.deepStrictEqual(named.toSorted(), wanted.toSorted())
  })
})

describe("metrics in documents", () => {
  it("are published", () => {
    const known = new Set(
      families.flatMap(({ name, type }) =>
        type === "histogram" ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
      )
    )
    const named = [...pages, ...examples].flatMap((path) =>
      [...textOf(path).matchAll(/\bmsrp_relay_[a-z0-9_]+/g)].map(([name]) => ({ path, name }))
    )
    assert.isAbove(named.length, 80)
    assert.deepStrictEqual(named.filter(({ name }) => !known.has(name)), [])
  })
})

/** Subcommands and flags of each command, by its name: all of them, as the program tells a shell that completes them. */
const commandLine = async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--conditions=source",
    join(root, "src/service/bin.ts"),
    "--completions",
    "fish"
  ])
  const subcommands = new Map<string, Set<string>>()
  const flags = new Map<string, Set<string>>()
  for (const [, condition, rest] of stdout.matchAll(/^complete -c msrp-relay -n '([^']*)' (.*)$/gm)) {
    const command = [...condition!.matchAll(/(?<!not )__fish_seen_subcommand_from ([a-z]+)/g)].map(([, name]) => name)
      .join(" ")
    const [, flag] = /-l ([a-z-]+)/.exec(rest!) ?? []
    const [, name] = /-a '([a-z]+)'/.exec(rest!) ?? []
    const [kind, value] = flag === undefined ? [subcommands, name] : [flags, `--${flag}`]
    if (value !== undefined) kind.set(command, (kind.get(command) ?? new Set()).add(value))
  }
  return { subcommands, flags }
}

/** Flags of every command. */
const everywhere = new Set(["--help", "--version", "--completions", "--log-level"])

/** Scripts of npm that are commands. */
const scripts = { "npm run probe --": "msrp-relay probe", "npm run check:setup --": "msrp-relay check" }

describe("commands in documents", () => {
  it("are there, with their flags", async () => {
    const lines = pages.flatMap((path) => {
      const code = [...spansIn(textOf(path)), ...fencesIn(path).flatMap((fence) => fence.code.split("\n"))]
      return code.flatMap((text) => {
        const plain = Object.entries(scripts).reduce((all, [npm, command]) => all.replaceAll(npm, command), text)
        return [...plain.matchAll(/(?<![\w/.:=-])msrp-relay((?: +[^\s|;&#<>()]+)+)/g)].map(([, words]) => ({
          path,
          words: words!.trim().split(/ +/)
        }))
      })
    })
    assert.isAbove(lines.length, 30)
    const { flags, subcommands } = await commandLine()
    assert.isAbove(subcommands.get("")?.size ?? 0, 3)
    const wrong = lines.filter(({ words }) => {
      let command = ""
      for (const word of words) {
        const names = subcommands.get(command)
        if (names === undefined || word.startsWith("-")) break
        // A name of the unit of systemd, or of the folder, is no command.
        if (!names.has(word)) return command !== "" || /^[a-z]+$/.test(word)
        command = `${command} ${word}`.trim()
      }
      return words.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0]!)
        .some((flag) => !everywhere.has(flag) && flags.get(command)?.has(flag) !== true)
    })
    assert.deepStrictEqual(wrong.map(({ path, words }) => `${path}: msrp-relay ${words.join(" ")}`), [])
  })
})

/** A disk where every file that settings may name has what it should have. */
const disk = FileSystem.layerNoop({
  readFile: (path) => Effect.succeed(Buffer.from(contentOf(path))),
  readFileString: (path) => Effect.succeed(contentOf(path)),
  stat: (path) =>
    Effect.succeed(
      { type: "File", size: ByteSize.bytes(contentOf(path).length), mode: 0o600 } as FileSystem.File.Info
    )
})

const contentOf = (path: string): string =>
  /(?:\.key|privkey\.pem)$/.test(path)
    ? Redacted.value(relay.key)
    : path.endsWith(".pem")
    ? relay.cert
    : path.endsWith("token")
    ? "0123456789abcdef\n"
    : `alice:example.com:${"0".repeat(32)}\n`

describe("files of settings in documents", () => {
  const fences = pages.flatMap(fencesIn).filter(({ language }) => language === "dotenv")

  it("are there", () => {
    assert.isAbove(fences.length, 12)
  })

  for (const fence of fences) {
    it(`${placeOf(fence)} can be used`, async () => {
      const env = parseEnv(fence.code) as Record<string, string>
      assert.isNotEmpty(Object.keys(env))
      const result = await Effect.runPromise(Effect.result(Effect.provide(Settings.parse(env), disk)))
      assert.deepStrictEqual(result._tag === "Failure" ? result.failure.problems : [], [])
    })
  }
})
