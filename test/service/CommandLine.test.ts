/** The command line as whoever types it sees it. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it, vi } from "vitest"
import { COMMAND } from "../support/service.ts"

// A process takes long to start on a machine that does much else.
vi.setConfig({ testTimeout: 180_000 })

const root = fileURLToPath(new URL("../..", import.meta.url))

const run = (...args: ReadonlyArray<string>) => {
  const [first, ...others] = COMMAND
  const { status, stderr, stdout } = spawnSync(first, [...others, ...args], {
    cwd: root,
    encoding: "utf8",
    env: { PATH: process.env.PATH }
  })
  return { status, stderr, stdout }
}

describe("msrp-relay", () => {
  it("says its version", () => {
    const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"))
    assert.deepStrictEqual(run("--version"), { status: 0, stderr: "", stdout: `msrp-relay v${version}\n` })
  })

  it("says how the service is ended", () => {
    assert.match(run("start", "--help").stdout.replaceAll(/\s+/g, " "), /SIGTERM, SIGINT and SIGQUIT drain it/)
  })

  it("shows what there is when a subcommand is missing, and that is all", () => {
    const { status, stderr, stdout } = run("admin")
    assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" })
    assert.match(stdout, /Subcommands\n {2}status /)
  })

  it("ends with 1, what is wrong and where to look when it does not know what is asked", () => {
    for (
      const [args, wrong] of [
        [["serve"], "msrp-relay: Unknown subcommand \"serve\" for \"msrp-relay\"\nSee msrp-relay --help\n"],
        [
          ["user", "hash", "--user", "a"],
          "msrp-relay user hash: Missing required flag: --realm\nSee msrp-relay user hash --help\n"
        ],
        [
          ["probe", "--realy", "x"],
          "msrp-relay probe: Unrecognized flag: --realy in command msrp-relay probe; did you mean --relay?\nSee msrp-relay probe --help\n"
        ],
        [
          ["admin", "kill", "--session", "zz"],
          "msrp-relay admin kill: Invalid value for flag --session: \"zz\": must be 12 hexadecimal digits, as the list of sessions and the log have them\nSee msrp-relay admin kill --help\n"
        ],
        [
          ["admin", "sessions", "--sort", "name"],
          "msrp-relay admin sessions: Invalid value for flag --sort: \"name\": must be age or octets\nSee msrp-relay admin sessions --help\n"
        ],
        [
          ["trace", "--seconds", "x"],
          "msrp-relay trace: Invalid value for flag --seconds: \"x\": must be a number\nSee msrp-relay trace --help\n"
        ],
        [
          ["probe", "--size", "x"],
          "msrp-relay probe: Invalid value for flag --size: \"x\": must be a size, such as 500000, 20MB or 1.5GiB\nSee msrp-relay probe --help\n"
        ],
        [
          ["chek"],
          "msrp-relay: Unknown subcommand \"chek\" for \"msrp-relay\"; did you mean check?\nSee msrp-relay --help\n"
        ]
      ] as const
    ) assert.deepStrictEqual(run(...args), { status: 1, stderr: wrong, stdout: "" })
    const { status, stderr } = run("probe")
    assert.strictEqual(status, 1)
    assert.match(stderr, /^No password: give --password-file/)
  })

  it("prints all settings, or those with a word in their names, and says which one was meant", () => {
    const all = run("settings")
    assert.deepStrictEqual(all, { status: 0, stderr: "", stdout: readFileSync(`${root}.env.example`, "utf8") })
    const some = run("settings", "use_path")
    assert.strictEqual(some.status, 0)
    assert.deepStrictEqual([...some.stdout.matchAll(/^#(MSRP_\w+)=/gm)].map(([, name]) => name), ["MSRP_USE_PATH"])
    assert.deepStrictEqual(run("settings", "MSRP_UIRS"), {
      status: 1,
      stderr: "no variable has MSRP_UIRS in its name; did you mean MSRP_URIS?\n",
      stdout: ""
    })
  })

  it("says where the documents are, with the whole program and where one of them is named", () => {
    const folder = `\nDocuments\n  ${root}docs\n`
    assert.include(run("--help").stdout, folder)
    assert.include(run("admin", "--help").stdout, folder)
    assert.notInclude(run("probe", "--help").stdout, "Documents")
  })
})
