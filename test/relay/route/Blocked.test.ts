import { assert, it } from "@effect/vitest"
import { BlockedOfUser, BlockedOfWay, MAX_OF_USER, MAX_OF_WAY } from "../../../src/relay/route/Blocked.ts"
import { Timers } from "../../../src/relay/Timers.ts"

const SECONDS = 60

const make = () => {
  let now = 0
  const timers = new Timers(() => now, () => {})
  const limits = { blocked: timers.queue(SECONDS * 1000) }
  const pass = (seconds: number): void => {
    now += seconds * 1000
    // Once more: what comes in after a long pause has a turn before.
    for (let i = 0; i < 2; i++) timers.expire()
  }
  return { timers, pass, wayOf: (user: BlockedOfUser) => new BlockedOfWay(user, limits) }
}

it("R4976-9.3-06: a user may have any number of messages refused on any number of ways, and does not make the relay remember them all", () => {
  const { timers, wayOf } = make()
  const user = new BlockedOfUser()
  const other = wayOf(new BlockedOfUser())
  other.add("of another user")
  const ways = Array.from({ length: 1024 }, () => wayOf(user))
  for (const way of ways) for (let i = 0; i < MAX_OF_WAY + 1; i++) way.add(`message.${i}`)
  assert.strictEqual(timers.running, MAX_OF_USER + 1)
  assert.isFalse(ways[0]!.has(`message.${MAX_OF_WAY}`))
  assert.isFalse(ways.at(-1)!.has("message.0"))
  assert.isTrue(ways.at(-1)!.has(`message.${MAX_OF_WAY}`))
  assert.isTrue(other.has("of another user"))
  for (const way of ways) way.clear()
  assert.strictEqual(timers.running, 1)
})

it("R4975-10.5-01: a message is blocked until its end or for a while, which begins anew when it is refused again", () => {
  const { pass, timers, wayOf } = make()
  const way = wayOf(new BlockedOfUser())
  for (const id of ["ends", "again", "over"]) way.add(id)
  way.delete("ends")
  pass(SECONDS - 1)
  way.add("again")
  pass(2)
  assert.deepStrictEqual(["ends", "again", "over"].map((id) => way.has(id)), [false, true, false])
  pass(SECONDS)
  assert.strictEqual(timers.running, 0)
})
