/** What is remembered of users, and how much of it. */
import { assert, describe, it } from "@effect/vitest"
import type { EventMessage } from "../../../src/Relay.ts"
import { History, MAX_EVENTS, MAX_NAMES, MAX_RECENT, MAX_USERS } from "../../../src/relay/edge/History.ts"
import type { Noted } from "../../../src/relay/edge/Journal.ts"

let time = 0

const noted = (message: EventMessage, user: string | undefined, fields: Noted["fields"] = {}): Noted => ({
  time: time++,
  level: "Info",
  message,
  fields: { user, ...fields },
  user,
  address: "192.0.2.1"
})

const failed = (user: string, reason = "wrong credentials") => noted("login failed", user, { status: 401, reason })

describe("History", () => {
  it("has the events of a user, the latest last, and not those at debug level", () => {
    const history = new History()
    history.note(noted("login granted", "alice"))
    history.note({ ...noted("request refused", "alice"), level: "Debug" })
    history.note(noted("session ended", "alice"))
    history.note(noted("session ended", "carol"))
    assert.deepStrictEqual(history.of("alice").map(({ message }) => message), ["login granted", "session ended"])
    assert.deepStrictEqual(history.of("nobody"), [])
    assert.notProperty(history.of("alice")[0], "address")
  })

  it("has what happened several times once, with how often and the last time", () => {
    const history = new History()
    for (let i = 0; i < 5; i++) history.note(failed("alice"))
    history.note(failed("alice", "another realm"))
    const last = failed("alice")
    history.note(last)
    const events = history.of("alice")
    assert.deepStrictEqual(events.map(({ fields: { reason, times } }) => [reason, times]), [
      ["another realm", undefined],
      ["wrong credentials", 6]
    ])
    assert.strictEqual(events[1]!.time, last.time)
    // What is not the same every time is not put together.
    for (let i = 0; i < 3; i++) history.note(noted("message not delivered", "alice", { status: 408 }))
    assert.lengthOf(history.of("alice"), 5)
  })

  it("forgets what only says that all was well before what went wrong", () => {
    const history = new History()
    history.note(noted("message not delivered", "alice", { reason: "the one" }))
    for (let i = 0; i < 50; i++) history.note(noted("login granted", "alice", { expires: i }))
    const events = history.of("alice")
    assert.lengthOf(events, MAX_EVENTS)
    assert.strictEqual(events[0]!.fields["reason"], "the one")
    assert.strictEqual(events.at(-1)!.fields["expires"], 49)
    for (let i = 0; i < 50; i++) history.note(noted("session ended", "alice", { seconds: i }))
    assert.lengthOf(history.of("alice"), MAX_EVENTS)
    assert.isTrue(history.of("alice").every(({ message }) => message === "session ended"))
  })

  it("remembers a limited number of users; the one that was quiet for longest is forgotten", () => {
    const history = new History()
    history.note(noted("login granted", "first"))
    history.note(noted("login granted", "second"))
    for (let i = 0; i < MAX_USERS - 2; i++) history.note(noted("login granted", `user ${i}`))
    history.note(noted("session ended", "first"))
    history.note(noted("login granted", "one more"))
    assert.lengthOf(history.of("first"), 2)
    assert.lengthOf(history.of("second"), 0)
    assert.lengthOf(history.of("one more"), 1)
  })

  it("names that are only claimed push no user out", () => {
    const history = new History()
    history.note(noted("login granted", "alice"))
    history.note(failed("carol"))
    for (let i = 0; i < 2 * MAX_USERS; i++) history.note(failed(`guess ${i}`))
    assert.lengthOf(history.of("alice"), 1)
    assert.lengthOf(history.of("carol"), 0)
    assert.lengthOf(history.of(`guess ${2 * MAX_USERS - MAX_NAMES}`), 1)
    assert.lengthOf(history.of(`guess ${2 * MAX_USERS - MAX_NAMES - 1}`), 0)
    // One who gets in at last keeps what was before.
    history.note(noted("login granted", `guess ${2 * MAX_USERS - 1}`))
    assert.lengthOf(history.of(`guess ${2 * MAX_USERS - 1}`), 2)
  })

  it("has the last ends of all", () => {
    const history = new History()
    for (let i = 0; i < MAX_RECENT + 10; i++) {
      history.note(noted("session ended", `user ${i}`))
      history.note(noted("login granted", `user ${i}`))
    }
    history.note(noted("connection ended", undefined))
    const { recent } = history
    assert.lengthOf(recent, MAX_RECENT)
    assert.strictEqual(recent.at(-1)!.message, "connection ended")
    assert.strictEqual(recent[0]!.fields["user"], "user 11")
  })
  it("keeps those of others when a stranger or a user connects again and again", () => {
    const history = new History()
    for (let i = 0; i < 10; i++) history.note(noted("session ended", `user ${i}`))
    for (let i = 0; i < 2 * MAX_RECENT; i++) {
      history.note({ ...noted("connection ended", undefined, { i }), address: `192.0.2.${i}` })
    }
    for (let i = 0; i < 2 * MAX_RECENT; i++) history.note(noted("session ended", "eve", { i }))
    const users = history.recent.map(({ fields: { user } }) => user)
    assert.lengthOf(users, MAX_RECENT)
    for (let i = 0; i < 10; i++) assert.include(users, `user ${i}`)
    const count = (whose: string | undefined): number => users.filter((user) => user === whose).length
    assert.deepStrictEqual([count("eve"), count(undefined)], [45, 45])
    // Of whoever has too many, the latest are there.
    assert.strictEqual(history.recent.at(-1)!.fields["i"], 2 * MAX_RECENT - 1)
  })
})
