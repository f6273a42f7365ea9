import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { closeSync, existsSync, openSync } from "node:fs"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { makeHealth } from "../../src/admin/Health.ts"
import { until } from "../support/until.ts"

const blocked = (millis: number) => {
  const until = performance.now() + millis
  while (performance.now() < until);
}

describe("the health of the process", () => {
  it.live("has the delay of the event loop since the last look", () =>
    Effect.gen(function*() {
      const health = yield* makeHealth()
      // The first run of the timer after a look is not measured.
      const beside = yield* Effect.acquireRelease(
        Effect.sync(() => monitorEventLoopDelay({ resolution: 20 })),
        (one) => Effect.sync(() => one.disable())
      )
      health()
      beside.enable()
      yield* until(() => beside.count > 0, "a run of the timer")
      yield* Effect.sync(() => blocked(120))
      yield* until(() => beside.max > 100_000_000, "a late run of the timer")
      const { loop } = health()
      assert.isAtLeast(loop.max, 80)
      assert.isAtMost(loop.p50, loop.p99)
      // Nothing has been measured since.
      assert.deepStrictEqual(health().loop, { p50: 0, p99: 0, max: 0 })
    }))

  it.live("knows memory, and descriptors where the system tells of them", () =>
    Effect.gen(function*() {
      const health = yield* makeHealth()
      const { descriptors, heap } = health()
      assert.isAbove(heap.resident, 10_000_000)
      assert.isBelow(heap.used, heap.limit)
      if (!existsSync("/proc/self/limits") || descriptors === undefined) return
      const opened = Array.from({ length: 50 }, () => openSync("/dev/null", "r"))
      assert.isAtLeast(health().descriptors!.open, descriptors.open + 40)
      assert.isAbove(descriptors.limit, descriptors.open)
      for (const one of opened) closeSync(one)
    }))

  it.live("has what others know, and nothing in its place", () =>
    Effect.gen(function*() {
      const certificates = [{ names: ["relay.example"], notAfter: 5 }]
      const health = yield* makeHealth({ certificates: () => certificates, backend: () => ({ errors: 3 }) })
      assert.deepStrictEqual(health().certificates, certificates)
      assert.deepStrictEqual(health().backend, { errors: 3 })
      assert.notProperty((yield* makeHealth())(), "certificates")
    }))
})
