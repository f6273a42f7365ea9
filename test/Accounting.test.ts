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
import { linkedScenario, type Scenario, scenario } from "./accounting/Scenario.ts"
import { run } from "./accounting/World.ts"

const { MSRP_TEST_RUNS, MSRP_TEST_SEED } = process.env
const RUNS = Number(MSRP_TEST_RUNS ?? 2000)
/** Two relays take twice the time of one, and more. */
const LINKED = Number(MSRP_TEST_RUNS ?? 600)
const SEED = MSRP_TEST_SEED ?? (MSRP_TEST_RUNS === undefined ? 4976 : undefined)

const holds = (scenarios: fc.Arbitrary<Scenario>, runs: number) => () =>
  fc.assert(
    fc.asyncProperty(scenarios, async (one) => {
      const faults = await run(one)
      assert.deepStrictEqual(faults, [])
    }),
    { numRuns: runs, ...(SEED === undefined ? {} : { seed: Number(SEED) }), endOnFailure: false }
  )

it(
  `R4976-6.4.1-13 R4976-6.4.3: what was answered 200 is delivered or reported, in ${RUNS} scenarios`,
  holds(scenario, RUNS),
  Math.max(120_000, RUNS * 200)
)
/** All answers are behind what is not read until they come. */
const behind: Scenario = {
  mood: "wild",
  relays: 1,
  lame: [],
  seed: 805_828,
  shuffle: false,
  link: { latency: 30, split: 100, window: 16_000 },
  bounds: {
    turn: 786_432,
    output: 131_072,
    responses: 524_288,
    session: 262_144,
    connection: 40_000,
    transactions: 20,
    unanswered: 8_388_608,
    unansweredOfUser: 67_108_864,
    requestRate: Infinity,
    octetRate: Infinity
  },
  dialogs: [{ kind: "owners", owner: 0, peer: 0, expires: 45 }, { kind: "in", owner: 0, peer: 0, expires: 45 }],
  dials: ["Silence", "Listens"],
  answers: [[{ status: 200, when: "now", delay: 0 }]],
  commands: [true, false].map((back) => ({
    do: "send",
    dialog: back ? 1 : 0,
    back,
    message: {
      chunks: back ? [3000] : [11_945, 10],
      last: "$",
      failureReport: "absent",
      successReport: false,
      range: "exact",
      spaced: false
    }
  })),
  relents: true
}

/** The last piece is open while all of the chunk is here, and no more may be unanswered. */
const open: Scenario = {
  ...behind,
  mood: "fair",
  relays: 2,
  lame: [0],
  seed: 0,
  link: { latency: 0, split: 65_536, window: 16_000 },
  bounds: {
    ...behind.bounds,
    session: 20_000,
    connection: 6000,
    transactions: 16_384,
    relayed: 2_097_152,
    relay: 33_554_432
  },
  dialogs: [
    ...[1, 2, 3].map(() => ({ kind: "linked", owner: 0, peer: 0, expires: 100_000 }) as const),
    { kind: "owners", owner: 1, peer: 1, expires: 100_000 }
  ],
  answers: [[{ status: 200, when: "now", delay: 10 }]],
  commands: [[106_141, 228, 169_322], [30_000]].map((chunks, i) => ({
    do: "send",
    dialog: i === 0 ? 3 : 0,
    back: false,
    message: {
      chunks,
      last: "$",
      failureReport: i === 0 ? "yes" : "absent",
      successReport: i === 0,
      range: "exact",
      spaced: false
    }
  }))
}

/** The far relay reports what its receiver has not answered in time, when the session is over in which the sender stopped. */
const late: Scenario = {
  ...behind,
  relays: 2,
  link: { latency: 0, split: 100, window: 65_536 },
  bounds: { ...behind.bounds, connection: 1_048_576, transactions: 16_384 },
  dialogs: [100_000, 45].map((expires, owner) => ({ kind: "linked", owner, peer: 0, expires })),
  answers: [
    [{ status: 200, when: "late", delay: 40_000 }, { status: 200, when: "now", delay: 0 }],
    [{ status: 200, when: "now", delay: 0 }]
  ],
  commands: [
    { do: "wait", millis: 31_000 },
    { do: "throttle", end: 1, octets: 880 },
    ...[[1, 0], [187, 60_000, 60_000], [6]].map((chunks, i) => ({
      do: "send",
      dialog: i % 2,
      back: false,
      message: {
        chunks,
        last: "$",
        failureReport: i === 2 ? "partial" : "absent",
        successReport: true,
        range: i === 1 ? "total" : "exact",
        spaced: false
      }
    } as const)),
    { do: "wait", millis: 62_000 }
  ],
  relents: false
}

it("R4976-6.3-24 R4976-6.4.2-02: what a far relay says of a message does not come back by a session that is over", async () => {
  assert.deepStrictEqual(await run(late), [])
})

it("R4976-6.4.1-13: whose own answers are behind what he writes to himself gets it in pieces that he can answer", async () => {
  assert.deepStrictEqual(await run(open), [])
})

it("R4976-6.4.1-13: a client that writes to itself, more than may be unanswered, goes on after 30 seconds", async () => {
  assert.deepStrictEqual(await run(behind), [])
})

it(
  `R4976-6.4.1-13 R4976-6.4.3 R4976-9.3-05: so it is over the link of two relays, where nobody waits for others for long, in ${LINKED} scenarios`,
  holds(linkedScenario, LINKED),
  Math.max(120_000, LINKED * 400)
)
