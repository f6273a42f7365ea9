import { assert, it } from "vitest"
import { Kind } from "../../../src/protocol/Head.ts"
import { HopSessions } from "../../../src/relay/HopSessions.ts"
import { Sharing } from "../../../src/relay/inbound/Sharing.ts"
import { HopRoutes } from "../../../src/relay/route/HopRoutes.ts"
import type { Session } from "../../../src/relay/Session.ts"
import type { Shared } from "../../../src/relay/Shared.ts"

const make = () => {
  const turn = { now: 1000 }
  const owner = { routes: new HopRoutes(), sessions: new HopSessions() }
  const sharing = new Sharing({ turn, limits: { unheard: { millis: 60_000 } } } as Shared, owner)
  return { owner, sharing, turn }
}
const route = (only?: Kind, sessions: ReadonlyArray<Session> = [], fromRelay = false) => ({ fromRelay, only, sessions })
const valid = () => ({ expiresAt: Infinity, record: {} }) as Session

it("shows others with the first request of another route, once for each change", () => {
  const { sharing } = make()
  const [one, other] = [route(), route()]
  const shown = [one, one, other, other, one].map((used) => sharing.uses(used, undefined))
  assert.deepStrictEqual(shown, [false, false, true, false, true])
})

it("shows nobody else with an AUTH, nor with a message on the paths of a REPORT", () => {
  const { sharing } = make()
  const [report, message] = [route(Kind.Report), route()]
  const shown = [
    sharing.uses(route(Kind.Auth), undefined),
    sharing.uses(report, undefined),
    sharing.uses(route(Kind.Auth), undefined),
    sharing.uses(message, report),
    sharing.uses(route(Kind.Auth), undefined),
    sharing.uses(message, undefined)
  ]
  assert.notInclude(shown, true)
})

it("is of several sessions for a minute, and becomes so anew only after that", () => {
  const { sharing, turn } = make()
  assert.isFalse(sharing.severalSessions)
  assert.isTrue(sharing.becomesSeveral())
  turn.now += 59_999
  assert.isTrue(sharing.severalSessions)
  assert.isFalse(sharing.becomesSeveral())
  turn.now += 60_000
  assert.isFalse(sharing.severalSessions)
  assert.isTrue(sharing.becomesSeveral())
})

it("R4976-9.3-05: may have others when a session was granted there that has sent nothing, who wait if they were unheard for a minute", () => {
  const { owner, sharing, turn } = make()
  const [used, other] = [valid(), valid()]
  assert.isFalse(sharing.hasOthers)
  sharing.uses(route(undefined, [used]), undefined)
  owner.sessions.owns(used)
  assert.isFalse(sharing.hasOthers)
  owner.sessions.owns(other)
  assert.isTrue(sharing.hasOthers)
  const since = turn.now
  turn.now += 59_999
  assert.isFalse(sharing.othersWait(since))
  turn.now++
  assert.isTrue(sharing.othersWait(since))
  sharing.becomesSeveral()
  assert.isTrue(sharing.othersWait(turn.now))
})

it("knows the sessions of the last request and whether another relay sent it, until the connection is gone", () => {
  const { sharing } = make()
  const [used, other] = [valid(), valid()]
  assert.deepStrictEqual([sharing.areOthers([other]), sharing.fromRelay], [false, false])
  sharing.uses(route(undefined, [used], true), undefined)
  assert.deepStrictEqual([used, other].map((one) => sharing.areOthers([one])), [false, true])
  assert.isTrue(sharing.fromRelay)
  sharing.close()
  assert.deepStrictEqual([sharing.areOthers([other]), sharing.fromRelay, sharing.hasOthers], [false, false, false])
})
