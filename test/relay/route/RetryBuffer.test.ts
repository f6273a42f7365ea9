import { assert, it } from "@effect/vitest"
import { RetryBuffer } from "../../../src/relay/route/RetryBuffer.ts"
import type { Route } from "../../../src/relay/route/Route.ts"
import { Timers } from "../../../src/relay/Timers.ts"

it("R4976-9.3-06: a retry buffer counts for its connection and its user until it is closed, accepted or 30 seconds old", () => {
  let now = 0
  const timers = new Timers(() => now, () => {})
  const transaction = timers.queue(30_000)
  const counts = [{ retryBuffers: 0 }, { retryBuffers: 0 }] as const
  let accepted = 0
  const policy = { keeps: true, othersUse: true, accepted: () => void accepted++, elsewhere: () => undefined }
  const make = () => {
    const route = { target: { shared: { limits: { transaction } } }, wayBack: {} } as unknown as Route
    return route.wayBack.retry = new RetryBuffer(route, policy, counts)
  }
  const all = () => [counts[0].retryBuffers, counts[1].retryBuffers, timers.running]
  const buffers = [make(), make(), make()]
  assert.deepStrictEqual(all(), [3, 3, 3])
  buffers[0]!.close()
  buffers[0]!.close()
  assert.deepStrictEqual(all(), [2, 2, 2])
  buffers[1]!.heard(100)
  buffers[1]!.heard(200)
  buffers[1]!.heard(200)
  assert.deepStrictEqual([...all(), accepted], [1, 1, 1, 1])
  now = 30_000
  timers.expire()
  assert.deepStrictEqual(all(), [0, 0, 0])
})
