/** Who asks a backend next, and that nothing is asked twice or never. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { UserKey } from "../../src/Credentials.ts"
import { Turns } from "../../src/credentials/Turns.ts"

/** Questions of a second each, of which few are under way at a time. */
const make = (atOnce: number) => {
  const turns = new Turns(atOnce)
  /** Names in the order in which they were asked for. */
  const asked: Array<string> = []
  const ask = (username: string, from: Partial<UserKey> = {}) =>
    Effect.forkChild(
      turns.run(
        { username, realm: "example.com", ...from },
        Effect.andThen(Effect.sync(() => void asked.push(username)), Effect.sleep("1 second"))
      ),
      { startImmediately: true }
    )
  return { ask, asked, turns }
}

describe("R4976-9.3-06: those who wait are asked for in turn", () => {
  it.effect("by address, by network of IPv6, and by relay: who comes last waits behind one question of each other", () =>
    Effect.gen(function*() {
      const { ask, asked } = make(1)
      yield* ask("first")
      for (let i = 0; i < 3; i++) {
        yield* ask(`a${i}`, { source: "192.0.2.1" })
        yield* ask(`b${i}`, { source: `2001:db8::${i}` })
        yield* ask(`c${i}`, { relay: "192.0.2.1" })
      }
      yield* ask("late", { source: "192.0.2.9" })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(asked.join(" "), "first a0 b0 c0 late a1 b1 c1 a2 b2 c2")
    }))

  it.effect("also while others come anew after each of their turns", () =>
    Effect.gen(function*() {
      const { ask, asked } = make(1)
      yield* ask("first")
      for (let i = 0; i < 3; i++) yield* ask(`a${i}`, { source: "192.0.2.1" })
      for (let i = 0; i < 8; i++) {
        yield* ask(`s${i}`, { source: `198.51.100.${i % 2}` })
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(asked.filter((name) => name.startsWith("a")), ["a0", "a1", "a2"])
    }))

  it.effect("who has logged in from there before has every second turn", () =>
    Effect.gen(function*() {
      const { ask, asked } = make(1)
      yield* ask("first")
      for (let i = 0; i < 4; i++) yield* ask(`s${i}`, { source: `198.51.100.${i}` })
      for (let i = 0; i < 2; i++) yield* ask(`k${i}`, { source: "198.51.100.0", known: true })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(asked.join(" "), "first k0 s0 k1 s1 s2 s3")
    }))
})

it.effect("one that gives up while it waits is not asked for, and one that gives up while it is asked for makes room", () =>
  Effect.gen(function*() {
    const { ask, asked } = make(2)
    const first = yield* ask("first")
    yield* ask("second")
    const gone = yield* ask("gone")
    yield* ask("third")
    yield* Fiber.interrupt(gone)
    yield* Fiber.interrupt(first)
    assert.deepStrictEqual(asked, ["first", "second", "third"])
    yield* ask("fourth")
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(asked, ["first", "second", "third", "fourth"])
  }))

it.effect("many that are answered at once, or fail, do not keep their room", () =>
  Effect.gen(function*() {
    const { ask, turns } = make(1)
    yield* ask("first")
    let answered = 0
    const all = Array.from({ length: 4000 }, (_, i) =>
      turns.run({ username: `${i}`, realm: "" }, i % 2 === 0 ? Effect.fail(i) : Effect.void).pipe(
        Effect.exit,
        Effect.tap(() =>
          Effect.sync(() => answered++)
        )
      ))
    yield* Effect.forkChild(Effect.all(all, { concurrency: "unbounded", discard: true }), { startImmediately: true })
    yield* TestClock.adjust("1 second")
    assert.strictEqual(answered, 4000)
  }))
