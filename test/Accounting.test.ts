/**
 * The accounting invariant: whatever the network and the peers do, what the relay has accepted with a 200 arrives octet
 * for octet or is reported, once; and nothing is left behind (R4976-6.4.1, R4976-6.4.3).
 *
 * The gate plays the same 2,000 scenarios each time, so that it says something about the change at hand. `MSRP_TEST_RUNS`
 * asks for another number of them, from random seeds; `MSRP_TEST_SEED` for those of one seed. A failure shows its seed, and
 * the smallest scenario that was found to fail.
 */
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { scenario } from "./accounting/Scenario.ts"
import { run } from "./accounting/World.ts"

const { MSRP_TEST_RUNS, MSRP_TEST_SEED } = process.env
const RUNS = Number(MSRP_TEST_RUNS ?? 2000)
const SEED = MSRP_TEST_SEED ?? (MSRP_TEST_RUNS === undefined ? 4976 : undefined)

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
