/** The unit of systemd fits what the relay does. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { settingsTable } from "../../src/service/Settings.ts"

const unit = readFileSync(new URL("../../examples/systemd/msrp-relay.service", import.meta.url), "utf8")
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
