import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type * as Net from "node:net"
import { OCTETS_OF_ONE } from "../../src/transport/HandshakeBudget.ts"
import { HandshakeTurns, type TurnLimits } from "../../src/transport/HandshakeTurns.ts"

const HOST = "192.0.2.1"
const limits: TurnLimits = { atOnce: Infinity, perSecond: 1, patience: 10_000 }

const socket = (bytesRead: number) => ({ bytesRead }) as Net.Socket

it.effect("a handshake of many octets counts as several, and the next one of its address waits", () =>
  Effect.gen(function*() {
    const turns = new HandshakeTurns(1)
    const told: Array<string> = []
    const run = (octets: number, what: string, patience = limits.patience) =>
      turns.run(
        socket(octets),
        HOST,
        { ...limits, patience },
        Effect.sync(() => void told.push(what)),
        () => told.push(`${what} refused`)
      )
    yield* run(6 * OCTETS_OF_ONE, "long")
    yield* run(0, "hasty", 2999)
    yield* Effect.forkChild(run(0, "patient"))
    yield* TestClock.adjust(2999)
    assert.deepStrictEqual(told, ["long", "hasty refused"])
    yield* TestClock.adjust(1)
    assert.deepStrictEqual(told, ["long", "hasty refused", "patient"])
  }))

it.effect("a handshake that is interrupted counts by its octets too", () =>
  Effect.gen(function*() {
    const turns = new HandshakeTurns(1)
    let refused = 0
    const run = (handshake: Effect.Effect<void>) =>
      turns.run(socket(6 * OCTETS_OF_ONE), HOST, { ...limits, patience: 0 }, handshake, () => refused++)
    yield* Effect.exit(run(Effect.interrupt))
    yield* run(Effect.void)
    assert.strictEqual(refused, 1)
  }))

it.effect("a changed number of handshakes under way applies to those that wait", () =>
  Effect.gen(function*() {
    const turns = new HandshakeTurns(Infinity)
    let begun = 0
    const run = (atOnce: number) =>
      Effect.forkChild(
        turns.run(
          socket(0),
          HOST,
          { ...limits, atOnce, perSecond: Infinity },
          Effect.andThen(Effect.sync(() => begun++), Effect.never),
          () => assert.fail("refused")
        ),
        { startImmediately: true }
      )
    yield* run(1)
    yield* run(1)
    assert.strictEqual(begun, 1)
    yield* run(3)
    yield* TestClock.adjust(0)
    assert.strictEqual(begun, 3)
  }))

it.effect("R4976-9.3-06: so many of one address are under way, for IPv6 of one network, also when some have ended and others wait", () =>
  Effect.gen(function*() {
    const turns = new HandshakeTurns(Infinity)
    const underWay: Array<Deferred.Deferred<void>> = []
    const handshake = Effect.gen(function*() {
      const ends = yield* Deferred.make<void>()
      underWay.push(ends)
      yield* Deferred.await(ends)
    })
    const run = (host: string) =>
      Effect.andThen(
        Effect.forkChild(
          turns.run(socket(0), host, { ...limits, atOnce: 2, perSecond: Infinity }, handshake, () =>
            assert.fail("refused"))
        ),
        TestClock.adjust(0)
      )
    for (let i = 0; i < 4; i++) yield* run(`2001:db8::${i}`)
    assert.strictEqual(underWay.length, 2)
    yield* Deferred.succeed(underWay[0]!, undefined)
    yield* run("2001:db8::9")
    assert.strictEqual(underWay.length, 3)
  }))

it.effect("a changed rate applies to the next handshake", () =>
  Effect.gen(function*() {
    const turns = new HandshakeTurns(1)
    let refused = 0
    const run = (perSecond: number) =>
      turns.run(socket(1), HOST, { ...limits, perSecond, patience: 0 }, Effect.void, () => refused++)
    for (let i = 0; i < 5; i++) yield* run(1)
    assert.strictEqual(refused, 1)
    yield* TestClock.adjust(4000)
    for (let i = 0; i < 40; i++) yield* run(10)
    assert.strictEqual(refused, 1)
  }))
