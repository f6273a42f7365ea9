/**
 * The accounting invariant: whatever the network and the peers do, what the relay has accepted with a 200 arrives octet
 * for octet or is reported, once; and nothing is left behind (R4976-6.4.1, R4976-6.4.3).
 *
 * `MSRP_TEST_RUNS` is the number of scenarios, `MSRP_TEST_SEED` where they come from (random when absent). A failure shows
 * its seed, and the smallest scenario that was found to fail.
 */
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { scenario } from "./accounting/Scenario.ts"
import { run } from "./accounting/World.ts"

const RUNS = Number(process.env["MSRP_TEST_RUNS"] ?? 2000)
const SEED = process.env["MSRP_TEST_SEED"]

it(
  `R4976-6.4.1-13 R4976-6.4.3: what was answered 200 is delivered or reported, in ${RUNS} scenarios`,
  () =>
    fc.assert(
      fc.asyncProperty(scenario, async (one) => {
        const faults = await run(one)
        assert.deepStrictEqual(faults, [])
      }),
      { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }), endOnFailure: false }
    ),
  Math.max(120_000, RUNS * 200)
)
