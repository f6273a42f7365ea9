/** How many lines of events there may be: a flood adds a bounded number, and other users keep theirs. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import { ADDRESS_BURST, detailBounds, KIND_BURST } from "../../../src/logging/LineBudget.ts"
import type { EventMessage } from "../../../src/Relay.ts"
import { isOn, makeEventLog, userBounds } from "../../../src/relay/edge/EventLog.ts"
import type { Hear, Noted } from "../../../src/relay/edge/Journal.ts"
import { until } from "../../support/harness.ts"
import { simulated } from "../../support/simulated.ts"

const noted = (message: EventMessage, user: string | undefined, address = "192.0.2.1"): Noted => ({
  time: 0,
  level: "Info",
  message,
  fields: { user, reason: "why" },
  user,
  address
})

/** Plays it with a log of this level, and gives the lines. */
const logged = Effect.fnUntraced(function*(
  level: "Debug" | "Info" | "Warn",
  play: (hear: Hear, lines: ReadonlyArray<string>) => Effect.Effect<void>
) {
  const lines: Array<string> = []
  const logger = Logger.make((entry) => void lines.push(Logger.formatLogFmt.log(entry)))
  yield* Effect.gen(function*() {
    const context = yield* Effect.context()
    const hear = yield* makeEventLog((effect) => Effect.runForkWith(context)(effect), yield* isOn)
    yield* play(hear, lines)
  }).pipe(
    Effect.scoped,
    Effect.provide(Logger.layer([logger])),
    Effect.provideService(References.MinimumLogLevel, level)
  )
  return lines
})

const times = (count: number, task: (i: number) => void): Effect.Effect<void> =>
  Effect.sync(() => {
    for (let i = 0; i < count; i++) task(i)
  })

const count = (lines: ReadonlyArray<string>, text: string): number => lines.filter((line) => line.includes(text)).length

const played = Effect.andThen(Effect.yieldNow, TestClock.adjust("1 milli"))

describe("EventLog", () => {
  it.effect("a user that logs in a thousand times a second causes a bounded number of lines; others keep theirs", () =>
    Effect.gen(function*() {
      const lines = yield* logged("Info", (hear, lines) =>
        Effect.gen(function*() {
          for (let second = 0; second < 10; second++) {
            yield* times(1000, () => hear(noted("login granted", "eve")))
            yield* times(3, (i) => hear(noted("login granted", `user ${10 * second + i}`)))
            yield* TestClock.adjust("1 second")
          }
          assert.isAtMost(count(lines, "user=eve"), userBounds.addressBurst + 10)
          assert.isAtLeast(count(lines, "user=eve"), userBounds.addressBurst)
          assert.strictEqual(count(lines, "user=\"user "), 30)
          // What else happens to eve has a budget of its own.
          hear(noted("session ended", "eve"))
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(count(lines, "session ended"), 1)
        }))
      const held = lines.filter((line) => line.includes("more of the same was not logged"))
      assert.lengthOf(held, 1)
      assert.match(held[0]!, /what="login granted" lines=98\d\d/)
    }))

  it.effect("all users together have one as well", () =>
    Effect.gen(function*() {
      const lines = yield* logged("Info", (hear) =>
        Effect.andThen(
          times(userBounds.kindBurst + 5000, (i) => hear(noted("login granted", `user ${i}`))),
          played
        ))
      assert.strictEqual(count(lines, "login granted\" ") - count(lines, "more of"), userBounds.kindBurst)
      assert.match(lines.at(-1)!, /more of the same.* lines=5000/)
    }))

  it.effect("strangers have one for each address and one in all, and so have names that are only claimed", () =>
    Effect.gen(function*() {
      const lines = yield* logged("Info", (hear) =>
        Effect.andThen(
          times(1000, (i) => {
            hear(noted("connection ended", undefined))
            hear(noted("login failed", `guess ${i}`))
          }),
          played
        ))
      assert.strictEqual(count(lines, "message=\"connection ended\""), ADDRESS_BURST)
      assert.strictEqual(count(lines, "message=\"login failed\""), ADDRESS_BURST)
      const many = yield* logged(
        "Info",
        (hear) =>
          Effect.andThen(times(1000, (i) => hear(noted("connection ended", undefined, `2001:db8:${i}::1`))), played)
      )
      assert.strictEqual(count(many, "message=\"connection ended\""), KIND_BURST)
    }))

  it.effect("details are bounded too, and there are none below the level", () =>
    Effect.gen(function*() {
      const flood = (hear: Hear) =>
        Effect.andThen(times(1000, () => hear({ ...noted("request refused", undefined), level: "Debug" })), played)
      assert.strictEqual(count(yield* logged("Debug", flood), "message=\"request refused\""), detailBounds.addressBurst)
      const everywhere = (hear: Hear) =>
        Effect.andThen(
          times(1000, (i) => hear({ ...noted("request refused", undefined, `10.0.0.${i % 250}`), level: "Debug" })),
          played
        )
      assert.strictEqual(
        count(yield* logged("Debug", everywhere), "message=\"request refused\""),
        detailBounds.kindBurst
      )
      assert.deepStrictEqual(yield* logged("Info", flood), [])
      assert.deepStrictEqual(
        yield* logged("Warn", (hear) => Effect.andThen(times(500, () => hear(noted("login granted", "a"))), played)),
        [],
        "nor is it told that some were held back"
      )
    }))
})

describe("the log of a relay", () => {
  simulated()(
    "logs some of the connections that a stranger has closed, and how many more there were",
    (world) =>
      Effect.gen(function*() {
        for (let i = 0; i < ADDRESS_BURST + 30; i++) {
          const stranger = yield* world.connect
          stranger.write("GET / HTTP/1.1\r\n\r\n")
          yield* until(() => stranger.isClosed, "the end of the connection")
        }
        assert.strictEqual(count(world.log, "connection ended\" "), ADDRESS_BURST)
        yield* TestClock.adjust("1 minute")
        const held = () => world.log.filter((line) => line.includes("more of the same"))
        assert.match(held().join("\n"), /what="connection ended: not MSRP" lines=30$/)
        yield* TestClock.adjust("1 minute")
        assert.lengthOf(held(), 1)
      })
  )
})
