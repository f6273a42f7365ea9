/** How much waits for a page that takes nothing. */
import { assert, describe, it } from "vitest"
import { Inlet } from "../../src/browser/Inlet.ts"

describe("what waits to be taken", () => {
  it("is a thousand entries at most, and has room when one was taken", async () => {
    const inlet = new Inlet()
    for (let n = 1; n < 1000; n++) inlet.put({ received: 1 })
    assert.isFalse(inlet.isFull)
    inlet.put({ received: 1 })
    assert.isTrue(inlet.isFull)
    await inlet[Symbol.asyncIterator]().next()
    assert.isFalse(inlet.isFull)
  })

  it("is 8 MiB at most, of what has come by now", () => {
    const inlet = new Inlet<{ received: number }>()
    const coming = { received: 0 }
    inlet.put(coming)
    coming.received = 8 * 1024 ** 2 - 1
    assert.isFalse(inlet.isFull)
    inlet.put({ received: 1 })
    assert.isTrue(inlet.isFull)
  })
})
