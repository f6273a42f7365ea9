/** Each session's end is told once, whatever ends it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { parseUri } from "../../src/protocol/Uri.ts"
import { zeroCounters } from "../../src/relay/Counters.ts"
import type { Session } from "../../src/relay/Session.ts"
import { SessionBook } from "../../src/relay/SessionBook.ts"
import { heardIn, of } from "../support/events.ts"
import { until, type World } from "../support/harness.ts"
import { recordOf } from "../support/records.ts"
import { simulated } from "../support/simulated.ts"

const scenario = simulated()

/** The ends that were reported: the user and the reason. */
const ends = (heard: ReturnType<typeof heardIn>) =>
  of(heard, "session ended").map(({ fields: { reason, user } }) => `${user}: ${reason}`)

const sessionOf = (world: World, usePath: string) => world.sessions.findUnsafe(parseUri(usePath)!.sessionId!)

describe("SessionBook", () => {
  it("reports no end twice, and none of a session that was not granted", () => {
    const told: Array<string> = []
    const book = new SessionBook({
      counters: zeroCounters(),
      observer: { ended: (_session: Session, reason: string) => void told.push(reason) }
    } as never)
    const session = { record: recordOf("id"), ended: false, expiresAt: 10, owner: {} } as unknown as Session
    book.ended(session, "expired")
    assert.deepStrictEqual(told, [])
    book.granted(session)
    book.ended(session, "expired")
    book.ended(session, "the relay stops")
    assert.deepStrictEqual(told, ["expired"])
  })

  scenario("the oldest session is first, and those that are over are not there", (world) =>
    Effect.gen(function*() {
      const first = yield* world.login()
      const second = yield* world.login({ username: "carol" })
      const users = () => world.relay.operator.sessions().items.map(({ user }) => user)
      assert.deepStrictEqual(users(), ["alice", "carol"])
      yield* first.peer.close
      yield* until(() => world.relay.gauges().sessions === 1, "its end")
      assert.deepStrictEqual(users(), ["carol"])
      assert.isDefined(sessionOf(world, second.usePath))
    }))

  scenario("an end is reported once: when it happens, not at the next query", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const { peer, usePath } = yield* world.login()
      world.sessions.end(sessionOf(world, usePath)!)
      assert.deepStrictEqual(ends(heard), ["alice: ended by the operator"])
      yield* peer.close
      yield* TestClock.adjust("3 minutes")
      assert.lengthOf(ends(heard), 1)
    }))
})
