import { assert, describe, it } from "vitest"
import { HopSessions } from "../../src/relay/HopSessions.ts"
import type { Session } from "../../src/relay/Session.ts"

/** A session of this user, valid until then. */
const session = (user = "alice", realm = "example.com", expiresAt = Infinity): Session =>
  ({ ended: false, expiresAt, record: { user, realm } }) as Session

describe("the user of a connection", () => {
  it("is the one who has logged in there, whoever has written to others there before", () => {
    const sessions = new HopSessions()
    const [alice, bob, carol] = ["alice", "bob", "carol"].map((user) => session(user))
    sessions.becomesPeerOf(alice!)
    assert.strictEqual(sessions.lastSession, alice!.record)
    sessions.becomesPeerOf(bob!)
    assert.deepStrictEqual([sessions.severalUsers, sessions.lastSession], [true, undefined])
    sessions.owns(carol!)
    assert.deepStrictEqual([sessions.severalUsers, sessions.lastSession], [false, carol!.record])
    // Messages to others do not make them users of it.
    sessions.becomesPeerOf(alice!)
    assert.deepStrictEqual([sessions.severalUsers, sessions.lastSession], [false, carol!.record])
  })

  it("is the one who has logged in there, also if the connection was the peer of one other user before", () => {
    const sessions = new HopSessions()
    const [alice, bob] = ["alice", "bob"].map((user) => session(user))
    sessions.becomesPeerOf(alice!)
    sessions.owns(bob!)
    assert.deepStrictEqual([sessions.severalUsers, sessions.lastSession], [false, bob!.record])
  })

  it("is none of several, and a name in two realms is two users", () => {
    const sessions = new HopSessions()
    sessions.owns(session("alice", "a.example.com"))
    sessions.owns(session("alice", "a.example.com"))
    assert.isFalse(sessions.severalUsers)
    sessions.owns(session("alice", "b.example.com"))
    assert.deepStrictEqual([sessions.severalUsers, sessions.lastSession], [true, undefined])
    sessions.owns(session("alice", "b.example.com"))
    assert.deepStrictEqual([sessions.severalUsers, sessions.lastSession], [true, undefined])
  })
})

describe("the sessions of a connection", () => {
  it("R4976-9.3-06: count until they expire or end", () => {
    const sessions = new HopSessions()
    const [expires, ends, stays] = [session("a", "r", 1000), session(), session()]
    for (const one of [expires, ends, stays]) sessions.owns(one)
    assert.deepStrictEqual([sessions.owned(999), sessions.owned(1000)], [3, 2])
    ends.ended = true
    assert.strictEqual(sessions.owned(1000), 1)
    assert.deepStrictEqual([...sessions.granted()], [stays])
  })

  it("of either kind keep it in use", () => {
    for (const kind of ["owns", "becomesPeerOf"] as const) {
      const sessions = new HopSessions()
      sessions[kind](session("a", "r", 1000))
      assert.deepStrictEqual([sessions.anyValid(999), sessions.anyValid(1000)], [true, false])
    }
  })

  it("are others than those of a route if its owner has more, or it is the peer of more", () => {
    const [own, receiver, other] = [session(), session("bob"), session("carol")]
    const route = [own, receiver]
    const sessions = new HopSessions()
    sessions.owns(own)
    sessions.becomesPeerOf(receiver)
    sessions.becomesPeerOf(own)
    assert.isFalse(sessions.anyWithout(route, 0))
    sessions.becomesPeerOf(other)
    assert.isTrue(sessions.anyWithout(route, 0))
    other.ended = true
    assert.isFalse(sessions.anyWithout(route, 0))
    // Only the first session of a route is that of its sender: a client may write to a session of its own.
    sessions.owns(receiver)
    assert.isTrue(sessions.anyWithout(route, 0))
  })

  it("tell of each further one that is granted, not of those in which it becomes the peer", () => {
    const sessions = new HopSessions()
    const told: Array<Session> = []
    sessions.onMore = (more) => void told.push(...more)
    const granted = session()
    sessions.owns(granted)
    sessions.becomesPeerOf(session())
    assert.deepStrictEqual(told, [granted])
  })

  it("R4976-9.3-06: that have ended are removed, so that a chat switch with a session for each of many users holds no more", () => {
    let looked = 0
    const over = () => {
      const one = session()
      return Object.defineProperty(one, "ended", {
        get: () => {
          looked++
          return true
        }
      })
    }
    const sessions = new HopSessions()
    for (let i = 0; i < 1024; i++) sessions.becomesPeerOf(over())
    assert.strictEqual(looked, 0)
    sessions.becomesPeerOf(session())
    assert.strictEqual(looked, 1024)
    sessions.anyValid(0)
    assert.strictEqual(looked, 1024)
    // Not for each further one, when there are more than that.
    const many = new HopSessions()
    for (let i = 0; i < 1025; i++) many.becomesPeerOf(session())
    many.becomesPeerOf(over())
    assert.strictEqual(looked, 1024)
  })
})
