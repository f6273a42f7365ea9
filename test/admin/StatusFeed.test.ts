import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { Readable } from "node:stream"
import { makeHealth } from "../../src/admin/Health.ts"
import { eventReader } from "../../src/admin/page/sse.ts"
import { MAX_EVENTS } from "../../src/admin/status/EventQueue.ts"
import { MAX_BEHIND, MAX_PAGES } from "../../src/admin/status/OpenPages.ts"
import { Status, StatusEvent, StatusSnapshot, StatusUser } from "../../src/admin/status/Shapes.ts"
import * as StatusFeed from "../../src/admin/StatusFeed.ts"
import { zeroTransportCounters } from "../../src/transport/TransportFacts.ts"
import { send } from "../support/harness.ts"
import { simulated } from "../support/simulated.ts"
import { FakeRelay, HOSTILE, partsOf } from "../support/status.ts"
import { withTimeOfDay } from "../support/timeOfDay.ts"

const feedOf = (relay: FakeRelay) => Effect.flatMap(partsOf(relay), StatusFeed.make)

/** What has come since the last time. */
const reads = (page: Readable | undefined) => {
  const read = eventReader()
  return () => {
    const octets: Buffer | null = page?.read() ?? null
    return octets === null ? [] : read(octets.toString()).map(({ data, event }) => ({ event, data: JSON.parse(data) }))
  }
}

const names = (events: ReadonlyArray<{ readonly event: string }>) => events.map(({ event }) => event)

describe("the feed of the status page", () => {
  it.effect("sends a snapshot every two seconds, with rates of the time between", () =>
    Effect.gen(function*() {
      const relay = new FakeRelay(100, 0)
      const feed = yield* feedOf(relay)
      const read = reads(yield* feed.open)
      assert.deepStrictEqual(names(read()), ["snapshot"])
      yield* TestClock.adjust(1999)
      assert.deepStrictEqual(read(), [])
      const before = { ...relay.counters }
      yield* TestClock.adjust(1)
      const sent = read()
      assert.deepStrictEqual(names(sent), ["snapshot"])
      const snapshot = yield* Schema.decodeUnknownEffect(StatusSnapshot)(sent[0]!.data)
      // The relay of the test counts before it is asked for its counters.
      assert.isAbove(relay.counters.refused, before.refused)
      assert.isAbove(snapshot.sample.messagesIn!, 0)
      assert.approximately(snapshot.sample.octetsOut!, 2_500_000 / 420 * snapshot.sample.messagesIn!, 20_000)
      assert.strictEqual(snapshot.top.length, 10)
      assert.strictEqual(snapshot.endings.length, 20)
      assert.strictEqual(snapshot.phase, "serving")
      assert.isAbove(snapshot.health.heap.used, 1_000_000)
    }))

  it.effect("counts exactly what the relay counts", () =>
    Effect.gen(function*() {
      const relay = new FakeRelay()
      const parts = yield* partsOf(relay)
      const feed = yield* StatusFeed.make({
        ...parts,
        gauges: () => ({ connections: 7, sessions: 5, transactions: 0, timers: 0, bufferedOctets: 9, parkedOctets: 0 })
      })
      relay.counters.refused += 200
      relay.counters.framesIn += 500
      relay.counters.sendsOut += 300
      relay.counters.octetsIn += 1000
      relay.counters.octetsOut += 7
      relay.counters.failedAuths += 4
      yield* TestClock.adjust(2000)
      const { samples, snapshot } = yield* feed.status
      const { connections, octetsIn, octetsOut, messagesIn, messagesOut, sessions } = snapshot.sample
      assert.deepStrictEqual([sessions, connections], [5, 7])
      assert.deepStrictEqual([messagesIn, messagesOut, octetsIn, octetsOut], [250, 150, 500, 3.5])
      assert.strictEqual(snapshot.waiting, 9)
      assert.deepStrictEqual(samples.messagesIn, [null, 250])
      assert.deepInclude(snapshot.trouble, { kind: "failedAuths", total: 4, lately: 4 })
      assert.deepInclude(snapshot.trouble, { kind: "refused481", total: 0, lately: 0 })
    }))

  it.effect("counts who never became a connection of the relay: of TLS, of proxies, of browsers, without descriptors", () =>
    Effect.gen(function*() {
      const transportFacts = { ...zeroTransportCounters(), certificates: () => [] }
      const feed = yield* StatusFeed.make({ ...yield* partsOf(new FakeRelay()), transportFacts })
      transportFacts.handshakesFailed.failed += 2
      transportFacts.handshakesFailed["timed out"]++
      transportFacts.webSocketsRefused[403] += 4
      transportFacts.proxyHeadersRefused.malformed += 5
      transportFacts.acceptsFailed += 6
      transportFacts.turnedAway += 7
      yield* TestClock.adjust(2000)
      const { trouble } = (yield* feed.status).snapshot
      const counted = ["handshakesFailed", "webSocketsRefused", "proxyHeadersRefused", "acceptsFailed", "turnedAway"]
      assert.deepStrictEqual(
        counted.map((kind) => trouble.find((one) => one.kind === kind)?.total),
        [3, 4, 5, 6, 7]
      )
    }))

  it.effect("keeps the last 15 minutes for a page that begins, and tells what went wrong in them", () =>
    Effect.gen(function*() {
      const relay = new FakeRelay()
      const feed = yield* feedOf(relay)
      relay.counters.dialsFailed = 1000
      yield* TestClock.adjust("20 minutes")
      const status = yield* Schema.decodeUnknownEffect(Status)(JSON.parse(JSON.stringify(yield* feed.status)))
      assert.strictEqual(status.samples.time.length, 450)
      for (const column of Object.values(status.samples)) assert.strictEqual(column.length, 450)
      assert.strictEqual(status.samples.time.at(-1)! - status.samples.time[0]!, 449 * 2000)
      const { lately, total } = status.snapshot.trouble.find(({ kind }) => kind === "dialsFailed")!
      assert.strictEqual(total, 1030)
      assert.isBelow(lately, 30)
    }))

  it.effect("sorts the sessions once in an interval, for any number of pages, and never when nobody looks", () =>
    Effect.gen(function*() {
      const relay = new FakeRelay()
      const feed = yield* feedOf(relay)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(relay.sorted, 0)
      const pages = yield* Effect.all(Array.from({ length: 10 }, () => feed.open))
      yield* Effect.all(Array.from({ length: 10 }, () => feed.status))
      assert.strictEqual(relay.sorted, 1)
      yield* TestClock.adjust(2000)
      assert.strictEqual(relay.sorted, 2)
      for (const page of pages) page!.destroy()
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(relay.sorted, 2)
    }))

  it.effect("has at most 32 pages, and room again when one goes", () =>
    Effect.gen(function*() {
      const feed = yield* feedOf(new FakeRelay())
      const pages = yield* Effect.all(Array.from({ length: MAX_PAGES }, () => feed.open))
      assert.isUndefined(yield* feed.open)
      pages[5]!.destroy()
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.isDefined(yield* feed.open)
      assert.isUndefined(yield* feed.open)
    }))

  it.effect("drops a page that does not read, and no other", () =>
    Effect.gen(function*() {
      const feed = yield* feedOf(new FakeRelay())
      const [slow, good] = [yield* feed.open, yield* feed.open]
      const read = reads(good)
      let most = 0
      for (let turn = 0; turn < 1000 && !slow!.destroyed; turn++) {
        yield* TestClock.adjust(2000)
        most = Math.max(most, slow!.readableLength)
        read()
      }
      assert.isTrue(slow!.destroyed)
      assert.isBelow(most, MAX_BEHIND + 65_536)
      yield* TestClock.adjust(2000)
      assert.deepStrictEqual(names(read()), ["snapshot"])
    }))

  it.effect("sends what happens with the next snapshot, within a bound, and says how many more there were", () =>
    Effect.gen(function*() {
      const relay = new FakeRelay()
      const feed = yield* feedOf(relay)
      relay.happens("login granted", { user: "early" })
      const read = reads(yield* feed.open)
      read()
      relay.happens("login failed", { user: HOSTILE, status: 401, session: undefined })
      relay.happens("request refused", { status: 481 }, "Debug")
      yield* TestClock.adjust(2000)
      const [event, snapshot, ...more] = read()
      assert.deepStrictEqual(more, [])
      const { fields, message } = yield* Schema.decodeUnknownEffect(StatusEvent)(event!.data)
      assert.deepStrictEqual({ message, fields }, { message: "login failed", fields: { user: HOSTILE, status: 401 } })
      assert.strictEqual(snapshot!.data.omitted, 0)
      for (let each = 0; each < MAX_EVENTS + 23; each++) relay.happens("login granted", { user: `u${each}` })
      yield* TestClock.adjust(2000)
      const flood = read()
      assert.strictEqual(flood.filter(({ event }) => event === "event").length, MAX_EVENTS)
      assert.strictEqual(flood.at(-1)!.data.omitted, 23)
      yield* TestClock.adjust(2000)
      assert.deepStrictEqual(read().map(({ data }) => data.omitted), [0])
      const { events } = yield* feed.status
      assert.strictEqual(events.length, 30)
      assert.strictEqual(events.at(-1)!.fields.user, "u122")
    }))

  it.effect("tells of a user his sessions and his history", () =>
    Effect.gen(function*() {
      const feed = yield* feedOf(new FakeRelay())
      const user = yield* Schema.decodeUnknownEffect(StatusUser)(JSON.parse(JSON.stringify(yield* feed.user("alice"))))
      assert.strictEqual(user.total, 1)
      assert.strictEqual(user.sessions[0]!.user, "alice")
      assert.strictEqual(user.history.length, 7)
      assert.deepStrictEqual(yield* feed.user("nobody"), { user: "nobody", total: 0, sessions: [], history: [] })
    }))

  it.effect("says for how long the relay has been running where the time of day is set anew, too", () =>
    withTimeOfDay((set) =>
      Effect.gen(function*() {
        const feed = yield* feedOf(new FakeRelay())
        yield* TestClock.adjust("1 minute")
        set(50 * 365 * 86_400_000)
        const { since } = yield* feed.status
        assert.strictEqual((yield* Clock.currentTimeMillis) - since, 60_000)
      })
    ))

  it.effect("ends its pages and hears nothing more when it ends", () =>
    Effect.gen(function*() {
      const relay = new FakeRelay()
      const scope = yield* Scope.make()
      const feed = yield* Scope.provide(feedOf(relay), scope)
      const page = (yield* feed.open)!
      assert.strictEqual(relay.heard, 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(relay.heard, 0)
      page.resume()
      yield* Effect.promise(() => new Promise((resolve) => page.once("end", resolve)))
    }))
})

describe("the feed of the status page, of a relay", () => {
  simulated()(
    "tells who is on it, what passed and what went wrong, and nothing secret",
    Effect.fnUntraced(function*(world) {
      const feed = yield* StatusFeed.make({
        version: "1",
        listeners: [],
        phase: () => "serving",
        counters: world.relay.counters,
        gauges: world.relay.gauges,
        operator: world.relay.operator,
        health: yield* makeHealth()
      })
      const read = reads(yield* feed.open)
      const { alice, bob, bobUri } = yield* world.pair()
      const body = "what only Alice may read"
      bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, messageId: "one", body }))
      alice.peer.answer(yield* alice.peer.next)
      bob.write(
        send({
          to: `${alice.usePath.replace(/\/[^/;]+;/, "/nosuchsession;")} ${alice.uri}`,
          from: bobUri,
          messageId: "two"
        })
      )
      yield* TestClock.adjust(2000)
      const events = read()
      const messages = events.filter(({ event }) => event === "event").map(({ data }) => data.message)
      assert.includeMembers(messages, ["login granted", "peer bound"])
      const { snapshot } = yield* feed.status
      assert.strictEqual(snapshot.sample.sessions, 1)
      assert.isAbove(snapshot.sample.messagesOut!, 0)
      // One is what the harness asks to see that nothing else comes.
      assert.deepInclude(snapshot.trouble, { kind: "refused481", total: 2, lately: 2 })
      assert.deepStrictEqual(snapshot.top.map(({ received, user }) => [user, received]), [["alice", {
        requests: 2,
        octets: body.length
      }]])
      alice.peer.connection.destroy()
      yield* TestClock.adjust(2000)
      const user = yield* feed.user("alice")
      assert.strictEqual(user.total, 0)
      assert.include(user.history.map(({ message }) => message), "session ended")
      yield* Effect.orDie(Schema.decodeUnknownEffect(StatusUser)(JSON.parse(JSON.stringify(user))))
      const told = JSON.stringify([events, read(), yield* feed.status, user])
      for (const secret of [...world.secrets, body]) assert.notInclude(told, secret)
    })
  )
})
