/** The unit of systemd fits what the relay does. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { settingsTable } from "../../src/service/Settings.ts"
import { root, textOf } from "../documents/fences.ts"

const path = join(root, "examples/systemd/msrp-relay.service")
const unit = readFileSync(path, "utf8")
const valueOf = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1]

/** Seconds of the end after the drain (docs/drain.md). */
const END = 7

describe("examples/systemd", () => {
  it("gives the relay the time to drain", () => {
    const drain = settingsTable.find(({ variable }) => variable === "MSRP_DRAIN_TIMEOUT")
    assert.isDefined(drain)
    assert.isAtLeast(Number(valueOf("TimeoutStopSec")), Number(drain.default) + END)
  })

  it("has the relay read its settings itself: what systemd reads, a reload cannot change", () => {
    assert.isDefined(valueOf("ExecReload"))
    assert.isUndefined(valueOf("EnvironmentFile"))
    assert.match(valueOf("Environment") ?? "", /^MSRP_ENV_FILE=\/etc\/msrp-relay\//)
  })
})

/** What of systemd says how exposed a unit is: the number differs from version to version. */
const analyzer = spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" })

it("is as exposed as documents say", ({ skip }) => {
  const version = /^systemd (\d+)/.exec(analyzer.stdout ?? "")?.[1]
  const told = /exposure of ([\d.]+) \(systemd (\d+)\)/.exec(textOf("docs/install.md").replaceAll(/\s+/g, " "))
  assert.isNotNull(told)
  const [, level, of] = told
  if (version !== of) return skip(`there is no systemd ${of} here`)
  const { stdout } = spawnSync("systemd-analyze", ["security", "--offline=true", "--no-pager", path], {
    encoding: "utf8"
  })
  assert.include(stdout, `exposure level for msrp-relay.service: ${level} OK`)
})
