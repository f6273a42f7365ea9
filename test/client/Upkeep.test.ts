/** A client that stays online at a relay that is broken, or wants it to suffer; and when it is of no use to go on. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Client from "../../src/Client.ts"
import { isFinal } from "../../src/client/Upkeep.ts"
import { TestNetwork } from "../../src/Transport.ts"
import { peer, relay, settled, simulated } from "./pair.ts"
import { type Scripted, scripted } from "./Scripted.ts"

it("a login that was answered 401 or 403 is not tried again, any other one is", () => {
  const statuses = [undefined, 200, 400, 401, 403, 404, 408, 413, 415, 423, 424, 425, 428, 481, 501, 506]
  assert.deepStrictEqual(statuses.filter(isFinal), [401, 403])
})

/** A relay that lets everybody in, for `expires`; then `after` happens. */
const online = Effect.fnUntraced(function*(expires: string, after: (end: Scripted) => Effect.Effect<void>) {
  const { end } = yield* scripted({ scheme: "msrp", host: "relay.example.com", port: 2855 })
  let logins = 0
  const serve = Effect.gen(function*() {
    const one = yield* end
    one.answer(yield* one.frame, 200, [["Use-Path", "msrp://relay.example.com:2855/s;tcp"], ["Expires", expires]])
    logins++
    yield* Effect.andThen(settled, after(one))
  })
  yield* Effect.forkScoped(Effect.forever(serve))
  const alice = yield* Client.online({ relay, username: "alice", password: "secret", rspauth: "optional" })
  const states: Array<Client.OnlineState> = []
  yield* Effect.forkScoped(Stream.runForEach(alice.changes, (state) => Effect.sync(() => states.push(state))))
  yield* settled
  return { alice, states, logins: () => logins }
})

const nothing = () => Effect.void

describe("a client that stays online", () => {
  it.effect("takes no path that is over already, and asks less and less often", () =>
    Effect.gen(function*() {
      const { logins, states } = yield* online("0", nothing)
      const [, offline] = states
      assert.isTrue(offline?._tag === "Offline" && offline.error._tag === "ClientError")
      assert.deepInclude((offline as { readonly error: Client.OnlineError }).error, { reason: "Answer" })
      yield* Effect.andThen(TestClock.adjust("10 minutes"), settled)
      assert.isBelow(logins(), 60)
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("takes a path that is good for ever, as long as there are dates", () =>
    Effect.gen(function*() {
      for (const expires of ["999999999999999", "9".repeat(400)]) {
        yield* Effect.scoped(Effect.gen(function*() {
          const { logins, states } = yield* online(expires, nothing)
          assert.strictEqual(states[1]?._tag, "Online")
          yield* Effect.andThen(TestClock.adjust("1000 days"), settled)
          assert.strictEqual(logins(), 1)
          const { expiresAt } = states[1] as { readonly expiresAt: DateTime.Utc }
          assert.isAbove(DateTime.toEpochMillis(expiresAt), 2e12)
        }))
      }
    }).pipe(Effect.provide(simulated)))

  it.effect("keeps its path while a relay cannot decide on the next one, and asks again before it ends", () =>
    Effect.gen(function*() {
      const [asked, refusing] = [[] as Array<number>, { now: true }]
      const answers = (one: Scripted) =>
        Effect.gen(function*() {
          const auth = yield* one.frame
          asked.push(yield* Clock.currentTimeMillis)
          const fields = [["Use-Path", "msrp://relay.example.com:2855/t;tcp"], ["Expires", "100"]] as const
          one.answer(auth, refusing.now ? 408 : 200, refusing.now ? [] : fields)
        }).pipe(Effect.forever)
      const { alice, logins, states } = yield* online("100", answers)
      const pass = (seconds: number) => Effect.andThen(TestClock.adjust(seconds * 1000), settled)
      yield* pass(85)
      assert.deepStrictEqual(asked, [80_000, 82_000, 84_000])
      refusing.now = false
      yield* pass(1)
      assert.deepStrictEqual(states.map(({ _tag }) => _tag), ["Connecting", "Online", "Online"])
      assert.include((yield* alice.current).path[0], "/t;")
      // Without a new one before its end it is lost.
      refusing.now = true
      yield* pass(99)
      assert.strictEqual(states.at(-1)?._tag, "Online")
      yield* pass(4)
      assert.strictEqual(states[3]?._tag, "Offline")
      assert.isAtMost(logins(), 2)
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("comes back less and less often to a relay that lets it in and closes at once", () =>
    Effect.gen(function*() {
      const { logins } = yield* online("1000", ({ connection }) => Effect.sync(() => connection.destroy()))
      yield* Effect.andThen(TestClock.adjust("10 minutes"), settled)
      assert.isAtLeast(logins(), 20)
      assert.isBelow(logins(), 60)
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("comes back soon where it was online for longer than it waits at most", () =>
    Effect.gen(function*() {
      const { states } = yield* online("1000", ({ connection }) =>
        Effect.andThen(Effect.sleep("31 seconds"), Effect.sync(() => connection.destroy())))
      for (let round = 0; round < 20; round++) {
        yield* Effect.andThen(TestClock.adjust("31 seconds"), settled)
      }
      const waits = states.flatMap((state, i) =>
        state._tag === "Offline" && states[i + 1]?._tag === "Connecting" ? [state] : []
      )
      assert.isAtLeast(waits.length, 5)
      const tags = states.map(({ _tag }) =>
        _tag
      )
      // Within a second of each loss: of 20 rounds none is spent on waiting.
      assert.isAtLeast(tags.filter((tag) => tag === "Online").length, 15)
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("gives up a relay that reads no more, when its path is over at the latest", () =>
    Effect.gen(function*() {
      const { alice, logins, states } = yield* online("1000", nothing)
      const network = yield* TestNetwork
      network.stall(network.connections()[0]!)
      const body = Stream.fromIterable(Array.from({ length: 64 }, () => new Uint8Array(65_536)))
      yield* Effect.forkScoped(Effect.exit(alice.send({ to: peer, body, failureReport: "no" })))
      yield* settled
      yield* Effect.andThen(TestClock.adjust("999 seconds"), settled)
      assert.strictEqual(states.at(-1)?._tag, "Online")
      yield* Effect.andThen(TestClock.adjust("10 seconds"), settled)
      assert.deepStrictEqual([states.at(-1)?._tag, logins()], ["Online", 2])
      const offline = states.find(({ _tag }) => _tag === "Offline")
      assert.include(JSON.stringify(offline), "\"Timeout\"")
    }).pipe(Effect.scoped, Effect.provide(simulated)))
})
