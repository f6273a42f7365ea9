import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { closeSync, existsSync, openSync } from "node:fs"
import { makeHealth } from "../../src/admin/Health.ts"

const blocked = (millis: number) => {
  const until = performance.now() + millis
  while (performance.now() < until);
}

const turns = (many: number) =>
  Effect.promise(async () => {
    for (let each = 0; each < many; each++) await new Promise((resolve) => setTimeout(resolve, 25))
  })

describe("the health of the process", () => {
  it.live("has the delay of the event loop since the last look", () =>
    Effect.gen(function*() {
      const health = yield* makeHealth()
      yield* turns(3)
      health()
      yield* turns(1)
      yield* Effect.sync(() => blocked(300))
      yield* turns(2)
      const { loop } = health()
      assert.isAtLeast(loop.max, 200)
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
