import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { parseUri } from "../../src/protocol/Uri.ts"
import type { SessionOptions } from "../../src/Relay.ts"
import { extend, type Session } from "../../src/relay/Session.ts"
import { recordOf } from "../support/records.ts"
import { create as createOne, layerTable, tableOf } from "../support/table.ts"

const uri = parseUri("msrp://localhost:2855/session;tcp")!
let last = 0

const create = (expires: number, username = "alice") =>
  createOne({
    id: `id${last++}`,
    uri,
    username,
    realm: "localhost",
    owner: {},
    expires,
    ownerAuthority: "party.invalid:9",
    record: recordOf("id")
  })

const many = (count: number, expires: number) =>
  Effect.forEach(Array.from({ length: count }), () => create(expires), { concurrency: 1 })

/** `all` or `user`, whichever refuses one more. */
const refusal = (username?: string) => Effect.map(Effect.flip(create(60, username)), (refused) => refused.of)

/** The clean-up does not come to any of them. */
const repo = (options: SessionOptions) => Effect.provide(layerTable({ cleanupInterval: "1 day", ...options }))

describe("a full table", () => {
  it.effect("refuses while all sessions are valid, and else has room as soon as one is not, whatever their lifetimes", () =>
    Effect.gen(function*() {
      const sessions = yield* tableOf
      const held: Array<Session> = []
      for (const expires of [50, 10, 40, 20, 30]) held.push(yield* create(expires, `user${expires}`))
      yield* TestClock.adjust(9999)
      assert.strictEqual(yield* refusal(), "all")
      yield* TestClock.adjust(1)
      yield* create(60)
      assert.deepStrictEqual(held.map((one) => one.ended), [false, true, false, false, false])
      assert.strictEqual(yield* refusal(), "all")
      // What has ended in other ways gives room as well, once.
      sessions.end(held[4]!)
      yield* create(60)
      assert.strictEqual(yield* refusal(), "all")
      yield* TestClock.adjust("15 seconds")
      yield* create(60)
      assert.deepStrictEqual(held.map((one) => one.ended), [false, true, false, true, true])
      assert.strictEqual(sessions.size(), 5)
    }).pipe(repo({ maxSessions: 5 })))

  it.effect("keeps sessions that were extended, and finds the one that was not behind however many", () =>
    Effect.gen(function*() {
      const extended = yield* many(2000, 10)
      const dead = yield* create(11)
      yield* TestClock.adjust("9 seconds")
      for (const one of extended) extend(one, 9000)
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* refusal(), "all")
      yield* TestClock.adjust("1 seconds")
      yield* create(60)
      assert.isTrue(dead.ended)
      assert.isTrue(extended.every((one) => !one.ended))
      yield* TestClock.adjust("7999 millis")
      assert.strictEqual(yield* refusal(), "all")
      yield* TestClock.adjust("1 millis")
      yield* create(60)
      assert.strictEqual(extended.filter((one) => one.ended).length, 1)
    }).pipe(repo({ maxSessions: 2001, maxSessionsPerUser: 5000, extendActive: true })))

  it.effect("of several logins at once for the only place, not all get it", () =>
    Effect.gen(function*() {
      const sessions = yield* tableOf
      for (const one of yield* many(1000, 10)) extend(one, 1)
      yield* create(10)
      yield* TestClock.adjust("10 seconds")
      const asked = Effect.forEach(Array.from({ length: 5 }), () => Effect.result(create(60)), { concurrency: 5 })
      assert.deepStrictEqual((yield* asked).map((one) => one._tag).toSorted(), [
        "Failure",
        "Failure",
        "Failure",
        "Failure",
        "Success"
      ])
      assert.strictEqual(sessions.size(), 1001)
    }).pipe(repo({ maxSessions: 1001, maxSessionsPerUser: 5000, extendActive: true })))
})

describe("a user with as many sessions as allowed", () => {
  it.effect("has room again for each that is not valid any more, and others are not concerned", () =>
    Effect.gen(function*() {
      const long = yield* create(30)
      const short = yield* create(10)
      assert.strictEqual(yield* refusal(), "user")
      const other = yield* create(5, "bob")
      yield* TestClock.adjust("10 seconds")
      yield* create(60)
      assert.deepStrictEqual([long.ended, short.ended, other.ended], [false, true, false])
      assert.strictEqual(yield* refusal(), "user")
      const sessions = yield* tableOf
      sessions.endAllOf(long.owner)
      yield* create(60)
      assert.strictEqual(yield* refusal(), "user")
    }).pipe(repo({ maxSessionsPerUser: 2 })))
})
