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

  it("shows what there is when a subcommand is missing, and that is all", () => {
    const { status, stderr, stdout } = run("admin")
    assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" })
    assert.match(stdout, /SUBCOMMANDS\n {2}status /)
  })

  it("ends with 1 and what is wrong, as the last line, when it does not know what is asked", () => {
    for (
      const [args, last] of [
        [["serve"], /^ {2}Unknown subcommand "serve" for "msrp-relay"$/],
        [["probe"], /^ {2}Missing required flag: --password$/]
      ] as const
    ) {
      const { status, stderr } = run(...args)
      assert.strictEqual(status, 1)
      assert.match(stderr.trimEnd().split("\n").at(-1)!, last)
    }
  })
})
