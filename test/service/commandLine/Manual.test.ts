/** Help, man page and completions have all that there is, and nothing that does not fit. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { commandLine, completionsFor, layer, shells } from "../../../src/service/CommandLine.ts"
import { manual } from "../../../src/service/commandLine/build.ts"
import { flagName, helpText } from "../../../src/service/commandLine/Help.ts"
import { documentsOf } from "../../../src/service/commandLine/Manual.ts"
import { settingsTable } from "../../../src/service/Settings.ts"

const documents = Effect.provide(documentsOf(commandLine), [layer, NodeServices.layer])

/** Whether a program is here that says what it makes of a text. */
const has = (program: string): boolean => spawnSync(program, ["--version"]).error === undefined

describe("help", () => {
  it.effect("is of every subcommand, in lines of 80 columns", () =>
    Effect.gen(function*() {
      const all = yield* documents
      const paths = all.map(({ commandPath = [] }) => commandPath.join(" "))
      assert.includeMembers(paths, ["msrp-relay", "msrp-relay start", "msrp-relay user add", "msrp-relay admin kill"])
      assert.lengthOf(new Set(paths), paths.length)
      for (const doc of all) {
        const text = helpText(doc, { width: 80, colours: false })
        assert.match(text, /^Usage: msrp-relay/)
        assert.deepStrictEqual(text.split("\n").filter((line) => line.length > 80), [])
        for (const { name } of doc.flags) assert.include(text, `--${name}`)
        assert.notInclude(text, "STRING")
        assert.notStrictEqual(doc.description, "", paths.join())
      }
    }))

  it.effect("fits a narrow terminal too, and has colours where they can be seen only", () =>
    Effect.gen(function*() {
      for (const doc of yield* documents) {
        const text = helpText(doc, { width: 40, colours: false })
        const words = text.split("\n").filter((line) =>
          line.length > 40 && !/^ {2}(?:# |msrp-relay|MSRP_)|^Usage|^ {7}/.test(line)
        )
        assert.deepStrictEqual(words, [])
        assert.notInclude(text, "\u001b")
        assert.include(helpText(doc, { width: 40, colours: true }), "\u001b[1mUsage:")
      }
    }))
})

describe("the man page", () => {
  it.effect("has all subcommands, flags and settings, in the order of its sections", () =>
    Effect.gen(function*() {
      const page = yield* manual("2026-11-28")
      // As it is typed: a plain "-" is a hyphen in roff.
      assert.include(page, "\\-\\-password\\-file")
      const plain = page.replaceAll("\\-", "-").replaceAll("\\fB", "").replaceAll("\\fR", "")
      for (const { commandPath = [], flags } of yield* documents) {
        if (commandPath.length > 1) assert.include(plain, `\n.SS ${commandPath.join(" ")}\n`)
        for (const flag of flags) assert.include(plain, `\n${flagName(flag)}\n`)
      }
      for (const { variable } of settingsTable) assert.include(plain, `\n${variable}\n`)
      assert.deepStrictEqual([...plain.matchAll(/^\.SH (.*)$/gm)].map(([, title]) => title), [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "SUBCOMMANDS",
        "ENVIRONMENT",
        "EXIT STATUS",
        "FILES",
        "SEE ALSO"
      ])
    }))

  it.effect.skipIf(!has("groff"))("is roff without a complaint", () =>
    Effect.gen(function*() {
      const page = yield* manual("2026-11-28")
      const { status, stderr, stdout } = spawnSync("groff", ["-man", "-Tutf8", "-wall", "-rLL=80n"], {
        input: page,
        encoding: "utf8"
      })
      assert.deepStrictEqual([status, stderr], [0, ""])
      assert.include(stdout, "MSRP-RELAY(1)")
    }))
})

describe("completions", () => {
  it("know subcommands and flags", () => {
    for (const shell of shells) {
      const script = completionsFor(shell)
      for (const word of ["start", "probe", "password-file", "sessions"]) assert.include(script, word, shell)
    }
  })

  it.skipIf(!has("bash"))("complete in bash", () => {
    const complete = (line: string, ...words: ReadonlyArray<string>) => {
      const script = `${completionsFor("bash")}
COMP_WORDS=(${words.map((word) => `"${word}"`).join(" ")}); COMP_CWORD=${words.length - 1}
COMP_LINE="${line}"; COMP_POINT=\${#COMP_LINE}
$(complete -p msrp-relay | sed 's/.*-F \\([^ ]*\\).*/\\1/') msrp-relay
printf '%s\\n' "\${COMPREPLY[@]}"`
      return spawnSync("bash", ["-c", script], { encoding: "utf8" }).stdout.split("\n").map((one) => one.trim())
        .filter((one) => one !== "")
    }
    assert.deepStrictEqual(complete("msrp-relay pr", "msrp-relay", "pr"), ["probe"])
    assert.includeMembers(complete("msrp-relay user ", "msrp-relay", "user", ""), ["add", "remove", "list", "hash"])
    assert.includeMembers(complete("msrp-relay probe --pass", "msrp-relay", "probe", "--pass"), [
      "--password",
      "--password-file"
    ])
  })
})
