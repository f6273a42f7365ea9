import { assert, it } from "@effect/vitest"
import { CLOSED } from "../../../src/relay/Loss.ts"
import { FairQueue, type Sender } from "../../../src/relay/outbound/FairQueue.ts"
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
