import { assert, beforeEach, describe, it } from "@effect/vitest"
import { CLOSED } from "../../../src/relay/Loss.ts"
import { FairQueue, type Sender } from "../../../src/relay/outbound/FairQueue.ts"
import { LEAST_OF_SEVERAL, LEAST_UNANSWERED } from "../../../src/relay/outbound/Window.ts"
import { Windows } from "../../../src/relay/outbound/Windows.ts"
import type { Session } from "../../../src/relay/Session.ts"

for (const lost of [true, false]) {
  it(`what goes on to wait for a turn while others fail ${lost ? "fails too, where that never comes" : "has it"}`, () => {
    const waiting = new FairQueue()
    const owner = { shared: { limits: { transactions: 1 } }, unread: false, waiting, lost, ready: () => {} }
    const windows = new Windows(owner)
    const log: Array<string> = []
    const sender = (name: string, meanwhile: () => void): Sender => ({
      source: {},
      session: {},
      give: () => false,
      *fails() {
        log.push(name)
        meanwhile()
        yield
      }
    })
    const late = sender("late", () => {})
    windows.of({} as Session, false).wait(sender("first", () => waiting.add(late)))
    for (const _ of windows.fails(CLOSED));
    assert.deepStrictEqual(log, lost ? ["first", "late"] : ["first"])
    assert.strictEqual(waiting.empty, lost)
  })
}

describe("R4976-9.3-05: what may be on its way to several receivers", () => {
  let windows: Windows
  /** A request was answered at a time, so many milliseconds after it was sent behind other octets. */
  const answered = (now: number, delay: number, ahead = 0): void =>
    windows.answered(
      { octets: 1024, at: now - delay, ahead, sequence: 1, done: false, finish: () => {} },
      1000,
      now
    )

  beforeEach(() => {
    const waiting = new FairQueue()
    windows = new Windows({
      shared: { limits: { transactions: 1 } },
      unread: false,
      waiting,
      lost: false,
      ready: () => {}
    })
    windows.wrote(1000)
  })

  it("is less to each while answers are late, until they come soon again", () => {
    answered(3000, 2001)
    assert.strictEqual(windows.least, LEAST_UNANSWERED, "there is one receiver only")
    windows.wrote(1)
    answered(3000, 999)
    answered(5000, 2001)
    assert.strictEqual(windows.least, LEAST_UNANSWERED, "only one is slow, and not the connection")
    answered(5001, 2001)
    assert.strictEqual(windows.least, LEAST_UNANSWERED / 2)
    answered(6000, 1500)
    assert.strictEqual(windows.least, LEAST_UNANSWERED / 2, "neither late nor soon")
    for (let i = 0; i < 10; i++) answered(6000, 2001)
    assert.strictEqual(windows.least, LEAST_OF_SEVERAL)
    for (let i = 0; i < 10; i++) answered(6000, 999)
    assert.strictEqual(windows.least, LEAST_UNANSWERED)
  })

  it("is in all twice as much as was there up to the end of a request that was answered soon", () => {
    const most = (): number => {
      let octets = 0
      while (!windows.wrote(1024)) octets += 1024
      windows.wrote(-octets - 1024)
      return Math.round((octets + 1000) / LEAST_UNANSWERED)
    }
    assert.strictEqual(most(), 2)
    answered(1000, 999, LEAST_UNANSWERED * 3 - 1024)
    answered(1000, 999, LEAST_UNANSWERED)
    answered(1000, 1000, LEAST_UNANSWERED * 9)
    assert.strictEqual(most(), 6)
    windows.wrote(1)
    answered(9000, 2001)
    assert.strictEqual(most(), 2, "it became slow")
  })
})
