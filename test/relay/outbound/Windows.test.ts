import { assert, it } from "@effect/vitest"
import { CLOSED } from "../../../src/relay/Loss.ts"
import { FairQueue, type Sender } from "../../../src/relay/outbound/FairQueue.ts"
import { LEAST_UNANSWERED } from "../../../src/relay/outbound/Window.ts"
import { LEAST_OF_SEVERAL, Windows } from "../../../src/relay/outbound/Windows.ts"
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

it("R4976-9.3-05: less may be on its way to each of several receivers while answers are late, until they come soon again", () => {
  const windows = new Windows({
    shared: { limits: { transactions: 1 } },
    unread: false,
    waiting: new FairQueue(),
    lost: false,
    ready: () => {}
  })
  const late = (now: number): void => windows.answered(2001, 1000, now)
  windows.wrote(1000)
  late(3000)
  assert.strictEqual(windows.least, LEAST_UNANSWERED, "there is one receiver only")
  windows.wrote(1)
  windows.answered(999, 1000, 3000)
  late(5000)
  assert.strictEqual(windows.least, LEAST_UNANSWERED, "only one is slow, and not the connection")
  late(5001)
  assert.strictEqual(windows.least, LEAST_UNANSWERED / 2)
  windows.answered(1500, 1000, 6000)
  assert.strictEqual(windows.least, LEAST_UNANSWERED / 2, "neither late nor soon")
  for (let i = 0; i < 10; i++) late(6000)
  assert.strictEqual(windows.least, LEAST_OF_SEVERAL)
  for (let i = 0; i < 10; i++) windows.answered(999, 1000, 6000)
  assert.strictEqual(windows.least, LEAST_UNANSWERED)
})
