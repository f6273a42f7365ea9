import { assert, it } from "@effect/vitest"
import { UNWANTED } from "../../../src/relay/Loss.ts"
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
  other.add("of another user", UNWANTED)
  const ways = Array.from({ length: 1024 }, () => wayOf(user))
  for (const way of ways) for (let i = 0; i < MAX_OF_WAY + 1; i++) way.add(`message.${i}`, UNWANTED)
  assert.strictEqual(timers.running, MAX_OF_USER + 1)
  assert.isUndefined(ways[0]!.why(`message.${MAX_OF_WAY}`))
  assert.isUndefined(ways.at(-1)!.why("message.0"))
  assert.isDefined(ways.at(-1)!.why(`message.${MAX_OF_WAY}`))
  assert.isDefined(other.why("of another user"))
  for (const way of ways) way.clear()
  assert.strictEqual(timers.running, 1)
})

it("R4975-10.5-01: a message is blocked until its end or for a while, which begins anew when it is refused again", () => {
  const { pass, timers, wayOf } = make()
  const way = wayOf(new BlockedOfUser())
  for (const id of ["ends", "again", "over"]) way.add(id, UNWANTED)
  way.delete("ends")
  pass(SECONDS - 1)
  way.add("again", "a part of it did not arrive")
  pass(2)
  assert.deepStrictEqual(["ends", "again", "over"].map((id) => way.why(id)), [undefined, UNWANTED, undefined])
  pass(SECONDS)
  assert.strictEqual(timers.running, 0)
})
