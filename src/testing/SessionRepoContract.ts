import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { deepStrictEqual, strictEqual } from "node:assert/strict"
import { type SessionChange, type SessionEntry, SessionRepo } from "../SessionRepo.ts"
import { type Contract, limited, until } from "./Contract.ts"

const entry = (n: number, username = "alice"): SessionEntry => ({
  id: n.toString(16).padStart(32, "0"),
  username,
  realm: "example.com",
  relay: "msrps://relay.example.com:2855;tcp",
  remote: "192.0.2.1:49152",
  secure: true,
  since: 1_700_000_000_123,
  // In 2100: a store may drop what has expired.
  expires: 4_102_444_800_456
})

const kept = Effect.flatMap(
  SessionRepo,
  ({ list }) => Effect.map(Stream.runCollect(list), (all) => [...all].sort((a, b) => a.id < b.id ? -1 : 1))
)

/**
 * Tests the contract of a `SessionRepo`.
 *
 * @category testing
 * @since 0.2.0
 */
export const sessionRepoContract: Contract<SessionRepo> = limited([
  {
    title: "keeps what is created as it is, and nothing else",
    run: Effect.gen(function*() {
      const { create } = yield* SessionRepo
      deepStrictEqual(yield* kept, [])
      // Two users with the same name in different realms, and a name that is not ASCII.
      const all = [entry(1), { ...entry(2), realm: "example.net" }, entry(3, "m\u00fcller \u{1f600}' --")]
      for (const one of all) yield* create(one)
      deepStrictEqual(yield* kept, all)
    })
  },
  {
    title: "forgets what has ended, whatever the reason, and that only",
    run: Effect.gen(function*() {
      const { create, end } = yield* SessionRepo
      for (const n of [1, 2, 3]) yield* create(entry(n))
      yield* end(entry(1).id, "its connection closed")
      yield* end(entry(3).id, "expired")
      deepStrictEqual(yield* kept, [entry(2)])
    })
  },
  {
    title: "takes an end of what it does not have (any more) for done",
    run: Effect.gen(function*() {
      const { create, end } = yield* SessionRepo
      yield* end(entry(9).id, "expired")
      yield* create(entry(1))
      for (let i = 0; i < 2; i++) yield* end(entry(1).id, "ended by the operator")
      deepStrictEqual(yield* kept, [])
      // An id that is created again is a new session.
      yield* create(entry(1, "bob"))
      deepStrictEqual(yield* kept, [entry(1, "bob")])
    })
  },
  {
    title: "may be asked by many at once",
    run: Effect.gen(function*() {
      const { create, end } = yield* SessionRepo
      const all = Array.from({ length: 100 }, (_, n) => entry(n))
      yield* Effect.forEach(all, create, { concurrency: "unbounded", discard: true })
      deepStrictEqual(yield* kept, all)
      const odd = all.filter((_, n) => n % 2 === 1)
      yield* Effect.forEach(odd, ({ id }) => end(id, "expired"), { concurrency: "unbounded", discard: true })
      deepStrictEqual(yield* kept, all.filter((_, n) => n % 2 === 0))
    })
  },
  {
    title: "goes on when somebody who has asked is gone",
    run: Effect.gen(function*() {
      const { create, end } = yield* SessionRepo
      const asking = yield* Effect.forkChild(Effect.forEach([1, 2, 3], (n) => create(entry(n)), { discard: true }), {
        startImmediately: true
      })
      yield* Fiber.interrupt(asking)
      for (const n of [1, 2, 3]) yield* end(entry(n).id, "expired")
      yield* create(entry(4))
      deepStrictEqual(yield* kept, [entry(4)])
    })
  },
  {
    title: "tells each who reads its changes what is created and what ends from then on, and why, in order",
    run: Effect.gen(function*() {
      const { changes, create, end } = yield* SessionRepo
      const read = Effect.gen(function*() {
        const told: Array<SessionChange> = []
        const fiber = yield* Effect.forkScoped(
          Stream.runForEach(changes, (change) => Effect.sync(() => void told.push(change))),
          { startImmediately: true }
        )
        return { told, fiber }
      })
      yield* create(entry(2))
      const gone = yield* read
      yield* Fiber.interrupt(gone.fiber)
      const readers = [yield* read, yield* read]
      yield* create(entry(1))
      yield* end(entry(1).id, "its user was removed")
      for (const { fiber, told } of readers) {
        yield* until(() => told.length >= 2 || fiber.pollUnsafe() !== undefined, "both changes")
        const exit = fiber.pollUnsafe()
        strictEqual(exit !== undefined && Exit.isFailure(exit), false, "changes failed")
        deepStrictEqual(told, [
          { _tag: "Created", session: entry(1) },
          { _tag: "Ended", id: entry(1).id, reason: "its user was removed" }
        ])
      }
    })
  }
])
