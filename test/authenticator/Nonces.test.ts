import { assert, it } from "vitest"
import { Nonces } from "../../src/authenticator/Nonces.ts"

it("R4976-9.1-29: a nonce does not tell for how long the relay has been running", () => {
  let now = 5000
  const times = Array.from({ length: 8 }, () => {
    const nonces = new Nonces(() => now, 30_000, 10)
    now += 1234
    const nonce = nonces.issue()
    assert.isTrue(nonces.spend(nonce, 1))
    now += 30_000
    assert.isFalse(nonces.spend(nonce, 2), "too old")
    return Number.parseInt(nonce, 10)
  })
  assert.strictEqual(new Set(times).size, times.length)
  // By chance one of them is that small in ten thousand runs or so.
  for (const time of times) assert.isAbove(time, 10_000)
})
