/** How much may be on its way to a receiver: what it answers says so, not what the operating system takes. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Sender } from "../../../src/relay/outbound/FairQueue.ts"
import {
  LEAST_UNANSWERED,
  MOST_UNANSWERED,
  MOST_UNANSWERED_RELAYED,
  Window,
  type WindowOwner
} from "../../../src/relay/outbound/Window.ts"
import { Transport } from "../../../src/Transport.ts"
import { header, makeWorld, type Peer, send, until, type World } from "../../support/harness.ts"
import { pattern } from "../../support/Recorder.ts"
import { simulated } from "../../support/simulated.ts"

describe("Window", () => {
  let now: number
  let window: Window
  let make: (relayed: boolean) => void
  let turns: Array<Sender>
  let owner: WindowOwner & { unread: boolean; least: number }
  /** Whether any sender waits, as the owner was told. */
  let isAwaited: boolean
  const message = (octets: number) => {
    const one = { octets: 0, at: 0, ahead: 0, sequence: 0, done: false, finish: () => window.ends(one) }
    window.begins(one, now)
    window.wrote(one, octets)
    return one
  }
  const answer = (one: ReturnType<typeof message>): void => {
    window.answered(one, now)
    window.ends(one)
  }

  beforeEach(() => {
    now = 0
    turns = []
    isAwaited = false
    owner = {
      unread: false,
      least: LEAST_UNANSWERED,
      octets: 0,
      wrote: () => false,
      answered: () => {},
      waits: () => void (isAwaited = true),
      waitsNoMore: () => void (isAwaited = false),
      ready: (sender: Sender) => void turns.push(sender)
    }
    make = (relayed) => window = new Window(owner, relayed, { transactions: 16_384 })
    make(false)
  })

  it("counts a request that is answered only if it fails as answered once it is sent", () => {
    const one = message(10)
    assert.strictEqual(window.answers, 0)
    window.silent(one)
    assert.strictEqual(window.answers, 1)
  })

  it("is full at its bound, and has room again when half of that was answered", () => {
    const waiting: Sender = { source: {}, session: {}, give: () => false, fails: () => [] }
    const all = Array.from({ length: LEAST_UNANSWERED / 1024 }, () => message(1024))
    assert.isFalse(window.room)
    assert.strictEqual(window.left, 0)
    window.wait(waiting)
    now = 1000
    all.slice(0, all.length / 2 - 1).forEach(answer)
    assert.deepStrictEqual(turns, [])
    answer(all[all.length / 2 - 1]!)
    assert.isTrue(window.room)
    assert.deepStrictEqual(turns, [waiting])
    assert.strictEqual(window.left, LEAST_UNANSWERED / 2)
  })

  it("counts how often half of it became free, by which a receiver that answers is known", () => {
    for (let round = 1; round <= 2; round++) {
      const all = Array.from({ length: LEAST_UNANSWERED / 1024 }, () => message(1024))
      now += 1000
      all.slice(0, all.length / 2 - 1).forEach(answer)
      assert.strictEqual(window.opened, round - 1)
      all.slice(all.length / 2 - 1).forEach(answer)
      assert.strictEqual(window.opened, round)
    }
  })

  it("is waited for as long as any sender waits in it", () => {
    const [one, other] = Array.from({ length: 2 }, (): Sender => ({
      source: {},
      session: {},
      give: () => false,
      fails: () => []
    }))
    window.wait(one!)
    window.wait(other!)
    assert.isTrue(window.leaves(one!))
    assert.isFalse(window.leaves(one!))
    assert.isTrue(isAwaited)
    window.leaves(other!)
    assert.isFalse(isAwaited)
    window.wait(one!)
    assert.isTrue(isAwaited)
    window.open()
    assert.isFalse(isAwaited)
  })

  it("grows only where its receiver has used all of it, and shrinks only for answers later than two seconds", () => {
    const one = message(1024)
    answer(one)
    assert.strictEqual(window.bound, LEAST_UNANSWERED, "there was room all the time")
    const all = Array.from({ length: LEAST_UNANSWERED / 1024 }, () => message(1024))
    answer(all[0]!)
    assert.strictEqual(window.bound, LEAST_UNANSWERED + 1024)
    now = 2000
    answer(all[1]!)
    assert.strictEqual(window.bound, LEAST_UNANSWERED + 1024)
    now = 2001
    answer(all[2]!)
    assert.strictEqual(window.bound, LEAST_UNANSWERED)
  })

  it("an answer shows progress for the requests behind it, not for its own, which it may not end", () => {
    const [first, second] = [message(10), message(10)]
    assert.strictEqual(window.progressBefore(first), -Infinity)
    now = 700
    window.answered(first, now)
    assert.strictEqual(window.progressBefore(first), -Infinity)
    assert.strictEqual(window.progressBefore(second), 700)
  })

  /** All is answered at once, for long. */
  const grow = (): void => {
    for (let round = 0; round < 50; round++) {
      const all: Array<ReturnType<typeof message>> = []
      while (window.room) all.push(message(16_384))
      now += 10
      all.forEach(answer)
    }
  }

  it("grows less by way of another relay, which holds what its receiver does not take", () => {
    make(true)
    grow()
    assert.strictEqual(window.bound, MOST_UNANSWERED_RELAYED)
  })

  it("grows up to the most while answers come at once, and shrinks to what is answered within seconds", () => {
    grow()
    assert.strictEqual(window.bound, MOST_UNANSWERED)
    for (let round = 0; round < 50; round++) {
      const all: Array<ReturnType<typeof message>> = []
      while (window.room) all.push(message(16_384))
      for (const one of all) {
        // 160 KB a second
        now += 100
        answer(one)
      }
    }
    assert.isAtLeast(window.bound, LEAST_UNANSWERED)
    assert.isAtMost(window.bound, 4 * 163_840)
  })

  it("R4976-9.3-05: begins with little on a slow connection, and grows there while answers come within a second", () => {
    owner.least = 8192
    const all = [message(4096), message(4096)]
    assert.isFalse(window.room)
    now = 999
    all.forEach(answer)
    assert.strictEqual(window.bound, 12_288, "both came while it was full, or one of them")
    now = 2000
    while (window.room) all.push(message(4096))
    now = 3000
    answer(all.at(-1)!)
    assert.strictEqual(window.bound, 8192, "it had been empty")
  })

  it("R4976-9.3-05: takes no more while too much is on its way to several receivers, but for 8 KiB to each", () => {
    owner.wrote = () => true
    message(20_000)
    assert.isTrue(window.room, "it is the only one")
    owner = { ...owner, octets: 40_000 }
    make(false)
    message(4096)
    assert.isTrue(window.room)
    message(4096)
    assert.isFalse(window.room)
    const one = { octets: 0, at: 0, ahead: 0, sequence: 0, done: false, finish: () => {} }
    window.wrote(one, 1000)
    window.begins(one, now)
    assert.strictEqual(one.ahead, 39_000, "without its own octets")
  })

  it("does not wait for answers that the relay itself does not read", () => {
    while (window.room) message(16_384)
    owner.unread = true
    assert.isTrue(window.room)
    assert.isAbove(window.left, 0)
  })

  it("is full of requests as well, of whatever kind, and has room for one when one was answered", () => {
    window = new Window(owner, false, {
      transactions: 3
    })
    const all = [message(0), message(0)]
    assert.isTrue(window.room)
    all.push(message(0))
    assert.isFalse(window.room)
    answer(all[1]!)
    assert.isTrue(window.room)
  })

  it("has the oldest request make room that was sent and that nobody answers", () => {
    window = new Window(owner, false, {
      transactions: 3
    })
    const finished: Array<number> = []
    for (let i = 0; i < 5; i++) {
      const one = {
        octets: 0,
        at: 0,
        ahead: 0,
        sequence: 0,
        done: false,
        finish: () => {
          finished.push(i)
          window.ends(one)
        }
      }
      window.begins(one, now)
      if (i !== 1) window.silent(one)
    }
    assert.deepStrictEqual(finished, [0, 2, 3])
    assert.isTrue(window.room)
  })

  it("knows what is still to be answered behind what was, and what was left out", () => {
    const [first, second, third] = [message(1), message(1), message(1)]
    now = 20_000
    answer(first)
    assert.strictEqual(window.progressBefore(second), 20_000)
    answer(third)
    assert.strictEqual(window.progressBefore(second), -Infinity, "a later one was answered, so this one will not be")
  })
})

/** The memory of an operating system: it takes megabytes at once, however slow the receiver is. */
const scenario = simulated({}, { window: 4_194_304 })

/** Reads so many octets in each second, and answers. */
const slow = (world: World, bob: Peer, rate: number) => {
  bob.onFrame = (frame) => {
    if (frame.method === "SEND") bob.answer(frame)
  }
  bob.connection.pause()
  world.network!.configure({ split: rate }, bob.connection)
  return Effect.gen(function*() {
    const before = bob.length
    bob.connection.resume()
    yield* until(() => bob.length > before || bob.isClosed, "octets")
    bob.connection.pause()
    yield* TestClock.adjust(1000)
  })
}

describe("a receiver that is slow and answers", () => {
  for (const rate of [8192, 24_576, 65_536]) {
    scenario(
      `R4976-6.4.1-50 R4976-6.4.1-56: is not closed, and nothing of messages is reported, at ${rate} octets a second`,
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const frames: Array<string> = []
          alice.peer.onFrame = (frame) => void frames.push(frame.method || String(frame.status))
          const second = slow(world, bob, rate)
          const to = `${alice.usePath} ${bobUri}`
          const count = Math.ceil(rate * 100 / 4096)
          for (let i = 0; i < count; i++) {
            alice.peer.write(send({ to, from: alice.uri, messageId: `slow.${i}`, body: pattern(3900) }))
          }
          let seconds = 0
          for (; bob.length < count * 4000 && seconds < 300; seconds++) yield* second
          assert.isFalse(bob.isClosed)
          bob.connection.resume()
          yield* until(() => world.relay.gauges().transactions === 0, "all answers")
          assert.isAbove(seconds, 90)
          assert.deepStrictEqual(frames, Array.from({ length: count }, () => "200"))
        })
    )

    scenario(
      `R4976-6.4.1-50 R4975-5.1: gets a long chunk in pieces that it can answer in time, at ${rate} octets a second`,
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const frames: Array<string> = []
          alice.peer.onFrame = (frame) => void frames.push(frame.method || String(frame.status))
          const second = slow(world, bob, rate)
          const body = pattern(rate * 100)
          alice.peer.write(
            send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: "long.1", range: "1-*/*", body })
          )
          for (let seconds = 0; bob.length < body.length && seconds < 300; seconds++) yield* second
          assert.isFalse(bob.isClosed)
          bob.connection.resume()
          yield* until(() => world.relay.gauges().transactions === 0, "all answers")
          assert.deepStrictEqual(frames, ["200"])
        })
    )
  }
})

describe("a slow connection to several receivers", () => {
  const afterSeconds = { 2: 12, 60: 6 }
  for (const [after, most] of Object.entries(afterSeconds)) {
    scenario(
      `R4976-9.3-05: a message to one of them is not behind all that may be on its way to the others, ${after} s after they began`,
      (world) =>
        Effect.gen(function*() {
          const first = yield* world.login()
          const gateway = first.peer
          const owners = [first]
          while (owners.length < 17) owners.push(yield* world.login({ peer: gateway }))
          const senders = yield* Effect.forEach(owners, (owner) => world.join(owner))
          const [probe, ...busy] = senders.map(({ bob, bobUri }, i) => {
            const { uri, usePath } = owners[i]!
            let count = 0
            const next = (messageId = `message.${count++}`): void =>
              bob.write(send({ to: `${usePath} ${uri}`, from: bobUri, messageId, body: pattern(4000) }))
            return { bob, next }
          })
          for (const { bob, next } of busy) {
            bob.onFrame = (frame) => void (frame.status === 200 && next())
            next()
          }
          const second = slow(world, gateway, 65_536)
          for (let seconds = 0; seconds < Number(after); seconds++) yield* second
          let arrived = false
          const { onFrame } = gateway
          gateway.onFrame = (frame) => {
            arrived ||= header(frame, "Message-ID") === "probe"
            onFrame?.(frame)
          }
          probe!.next("probe")
          let seconds = 0
          for (; !arrived && seconds < 60; seconds++) yield* second
          assert.isBelow(seconds, most)
          gateway.connection.resume()
        })
    )
  }
})

describe("a receiver that reads nothing", () => {
  scenario(
    "R4976-6.4.1-56: is not closed while it speaks; what is for it fails, and later ones are refused until it reads",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const frames: Array<string> = []
        alice.peer.onFrame = (frame) => {
          if (frame.method !== "SEND") frames.push(frame.method || String(frame.status))
          else alice.peer.answer(frame)
        }
        world.network!.configure({ window: 50_000 })
        bob.connection.pause()
        const to = `${alice.usePath} ${bobUri}`
        for (let i = 0; i < 40; i++) {
          alice.peer.write(send({ to, from: alice.uri, messageId: `deaf.${i}`, body: pattern(8000) }))
        }
        yield* until(() => frames.length === 40, "its answers")
        for (let i = 0; i < 12; i++) {
          yield* TestClock.adjust("10 seconds")
          bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, messageId: `alive.${i}`, body: "here" }))
        }
        yield* until(() => frames.filter((one) => one === "REPORT").length >= 40, "reports")
        assert.isFalse(bob.isClosed)
        alice.peer.write(send({ to, from: alice.uri, messageId: "refused", body: "?" }))
        yield* until(() => frames.at(-1) === "408", "a refusal")
        bob.onFrame = (frame) => {
          if (frame.method === "SEND") bob.answer(frame)
        }
        bob.connection.resume()
        yield* world.network!.settled
        alice.peer.write(send({ to, from: alice.uri, messageId: "again", body: "!" }))
        yield* until(() => frames.at(-1) === "200", "an answer")
        yield* until(() => world.relay.gauges().transactions === 0)
      })
  )
})

describe("a chunk", () => {
  it.effect("R4976-6.4.1-46: goes on for a while when its session has expired, and not for good", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld()
      const alice = yield* world.login({ headers: ["Expires: 60"] })
      const { bob, bobUri } = yield* world.join(alice)
      const body = pattern(60_000)
      const id = "expiring"
      const whole = send({
        id,
        to: `${alice.usePath} ${bobUri}`,
        from: alice.uri,
        messageId: "long.1",
        range: "1-*/*",
        body
      })
      const step = 1000
      alice.peer.write(whole.subarray(0, step))
      const frames: Array<string> = []
      alice.peer.onFrame = (frame) => void frames.push(header(frame, "Status")?.slice(0, 7) ?? String(frame.status))
      for (let at = step; at < whole.length - step; at += step) {
        yield* TestClock.adjust("2 seconds")
        alice.peer.write(whole.subarray(at, at + step))
        yield* world.network!.settled
      }
      assert.deepStrictEqual(frames, ["000 481"])
      const [piece] = yield* bob.take(1)
      assert.strictEqual(piece!.flag, "#")
      assert.isBelow(piece!.body!.length, 60_000)
    }).pipe(Effect.provide(Transport.layerTest())))
})
