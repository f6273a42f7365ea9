import { assert, it } from "vitest"
import { type Head, Kind } from "../../../src/protocol/Head.ts"
import { endsHere } from "../../../src/relay/rules/PathEnd.ts"
import type { Session } from "../../../src/relay/Session.ts"

const NOW = 5000
const SECONDS = 60

/** The status of such a request, and when the session expires then. */
const outcome = (kind: Kind, hasBody: boolean, fromOwner: boolean, extension = SECONDS * 1000) => {
  const session = { expiresAt: 9000, extension, record: {} } as Session
  const { status } = endsHere({ kind, hasBody } as Head, session, fromOwner, NOW)
  return [status, session.expiresAt]
}

it("R7977-6-02: a SEND without a body from the owner keeps the session alive, where requests do that", () => {
  assert.deepStrictEqual(outcome(Kind.Send, false, true), [200, NOW + SECONDS * 1000])
  assert.deepStrictEqual(outcome(Kind.Send, false, true, 0), [200, 9000])
})

it("R7977-6-02: nothing else that goes no further does, nor does it from anybody else", () => {
  assert.deepStrictEqual(outcome(Kind.Send, false, false), [403, 9000])
  assert.deepStrictEqual(outcome(Kind.Send, true, true), [403, 9000])
  assert.deepStrictEqual(outcome(Kind.Auth, false, true), [403, 9000])
  assert.deepStrictEqual(outcome(Kind.Report, false, true), [501, 9000])
})
