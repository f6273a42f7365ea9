import { assert, describe, it } from "vitest"
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

describe("R4976-9.1-31: a nonce is used", () => {
  const make = (max = 10) => {
    const clock = { now: 0 }
    const nonces = new Nonces(() => clock.now, 30_000, max)
    /** The next nonce is made later. */
    const issue = (): string => {
      clock.now++
      return nonces.issue()
    }
    return { clock, issue, nonces }
  }

  it("with counts that grow, each once, the first of which is not zero", () => {
    const { issue, nonces } = make()
    const [nonce, unused] = [issue(), issue()]
    const used = [1, 1, 3, 2, 3, 4].map((nc) => nonces.spend(nonce, nc))
    assert.deepStrictEqual(used, [true, false, true, false, false, true])
    assert.isFalse(nonces.spend(unused, 0))
    assert.isTrue(nonces.spend(unused, 1))
  })

  it("no more once its count is dropped because there are too many, nor is one that is as old", () => {
    const { issue, nonces } = make(2)
    const [old, first, second, third] = [issue(), issue(), issue(), issue()]
    for (const nonce of [second, first]) assert.isTrue(nonces.spend(nonce, 1))
    // Now those of `second` and then `first` are dropped.
    assert.isTrue(nonces.spend(third, 1))
    assert.isTrue(nonces.spend(first, 2))
    const last = issue()
    assert.isTrue(nonces.spend(last, 1))
    for (const nonce of [old, first, second]) assert.isFalse(nonces.spend(nonce, 3))
    for (const nonce of [third, last]) assert.isTrue(nonces.spend(nonce, 2))
  })

  it("no more once it has expired and its count is dropped, however long nonces can be used since", () => {
    const { clock, issue, nonces } = make()
    const [old, unused] = [issue(), issue()]
    assert.isTrue(nonces.spend(old, 1))
    clock.now += 30_000
    assert.isTrue(nonces.spend(issue(), 1))
    nonces.life = 100_000
    for (const nc of [1, 2]) assert.isFalse(nonces.spend(old, nc))
    assert.isTrue(nonces.spend(unused, 1))
  })
})
