import { assert, describe, it } from "@effect/vitest"
import { createHistogram } from "node:perf_hooks"
import { takeDelay } from "../../src/metrics/EventLoopDelay.ts"

const MILLI = 1_000_000

describe("the delay of the event loop", () => {
  it("is what a timer of 20 ms is late", () => {
    const histogram = createHistogram()
    for (let i = 0; i < 97; i++) histogram.record(21 * MILLI)
    for (const millis of [120, 120, 320]) histogram.record(millis * MILLI)
    const { max, median, p99 } = takeDelay(histogram)!
    assert.deepStrictEqual([median, p99, max].map(Math.round), [1, 100, 300])
  })

  it("is never negative, and is measured anew after each look", () => {
    const histogram = createHistogram()
    assert.isUndefined(takeDelay(histogram))
    histogram.record(19 * MILLI)
    assert.deepStrictEqual(takeDelay(histogram), { median: 0, p99: 0, max: 0 })
    assert.isUndefined(takeDelay(histogram))
  })
})
