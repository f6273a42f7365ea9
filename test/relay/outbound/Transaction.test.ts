import { assert, it } from "@effect/vitest"
import type { Origin } from "../../../src/relay/outbound/Origin.ts"
import { Transaction, type TransactionOwner } from "../../../src/relay/outbound/Transaction.ts"

it("R4976-6.4.1-13: its answer is waited for while it may be unread, for two minutes and no longer", () => {
  const told: Array<string> = []
  const owner = {
    now: 30_000,
    patience: 30_000,
    isBehind: true,
    forget: () => void told.push("forgotten"),
    late: () => void told.push("late"),
    timedOut: () => void told.push("timed out")
  } satisfies TransactionOwner
  const origin = {
    began: () => {},
    ended: () => {},
    report: (_, { status }) => void told.push(`REPORT ${status}`)
  } as Pick<
    Origin,
    "began" | "ended" | "report"
  > as Origin
  const transaction = new Transaction(owner, "id", origin, "every failure")
  transaction.expired()
  owner.now = 119_999
  transaction.expired()
  assert.deepStrictEqual(told.splice(0), ["late", "late"])
  owner.now = 120_000
  transaction.expired()
  assert.deepStrictEqual(told, ["timed out", "forgotten", "REPORT 408"])
})
