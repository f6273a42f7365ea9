import { assert, it } from "@effect/vitest"
import type { Sources } from "../../src/metrics/Sources.ts"
import { traffic } from "../../src/metrics/Traffic.ts"
import { countRefused, zeroCounters } from "../../src/relay/Counters.ts"

it("each request that was refused counts for its status, or for the others", () => {
  const counters = zeroCounters()
  for (const status of [400, 400, 481, 415, 599]) countRefused(counters, status)
  const family = traffic.find(({ name }) => name === "msrp_relay_requests_refused_total")!
  const counts = family.series({ relay: { counters } } as unknown as Sources).map(({ labels, read }) =>
    [labels["status"], read()] as const
  )
  assert.deepStrictEqual(counts.filter(([, count]) => count !== 0), [["400", 2], ["481", 1], ["other", 2]])
})
