/** What goes out on a connection that breaks. Its end is reported only after what came in before was read, which must not wait for it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { Credentials } from "../../../src/Credentials.ts"
import { ConnectionLoad } from "../../../src/relay/outbound/ConnectionLoad.ts"
import { Outbox } from "../../../src/relay/outbound/Outbox.ts"
import { SLAB, Slabs } from "../../../src/relay/Slabs.ts"
import { Totals } from "../../../src/relay/Totals.ts"
import type { Connection } from "../../../src/transport/Connection.ts"
import { heardIn, of } from "../../support/events.ts"
import { PASSWORDS, type Peer, request, send, until, type World } from "../../support/harness.ts"
import { simulated } from "../../support/simulated.ts"

const MESSAGES = 3000

/** Sends so much at once that a part of what the relay has read still waits when it does not read on. */
const pours = (peer: Peer, paths: { readonly to: string; readonly from: string }): void => {
  peer.connection.pause()
  for (let i = 0; i < MESSAGES; i++) peer.write(send(paths))
}

/** All of them break at once, and are seen to have gone. */
const breaks = Effect.fnUntraced(function*(world: World, peers: ReadonlyArray<Peer>) {
  yield* world.network!.settled
  for (const { connection } of peers) assert.isAbove(connection.pending(), 0)
  for (const { connection } of peers) world.network!.cut(connection)
  yield* until(() => world.relay.gauges().connections === 0, "the end of all connections")
})

describe.each(["tcp", "ws"] as const)("a connection that breaks (%s)", (by) => {
  const late = { is: false }
  const credentials = Layer.succeed(
    Credentials,
    Credentials.make(({ username }) => {
      const found = Option.some({ _tag: "Password", password: Redacted.make(PASSWORDS[username]!) } as const)
      return Effect.delay(Effect.succeed(found), late.is ? "5 seconds" : 0)
    })
  )
  const scenario = simulated({ by, credentials, limits: { responses: 50_000, session: 20_000, output: 20_000 } }, {
    window: 8192
  })

  scenario(
    "is closed although it was not read because its peer did not read answers",
    (world) =>
      Effect.gen(function*() {
        const { peer, uri, usePath } = yield* world.login()
        pours(peer, { to: usePath, from: uri })
        yield* breaks(world, [peer])
      })
  )

  scenario(
    "is closed although it was not read because of a slow receiver, which waits for it in turn",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        for (const [one, other] of [[alice, carol], [carol, alice]] as const) {
          pours(one.peer, { to: `${one.usePath} ${other.usePath} ${other.uri}`, from: one.uri })
        }
        yield* breaks(world, [alice.peer, carol.peer])
      })
  )

  scenario(
    "is sent nothing more, also while its end is delayed by an AUTH that is still being decided",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        const paths = { to: `${alice.usePath} ${carol.usePath} ${carol.uri}`, from: alice.uri }
        const challenge = yield* world.challenge(carol.peer, carol.uri)
        late.is = true
        carol.peer.connection.pause()
        for (let i = 0; i < 20; i++) alice.peer.write(send({ ...paths, body: "x".repeat(500) }))
        const headers = [world.authorization(challenge, { username: "carol" })]
        const auth = request("AUTH", { to: world.uri, from: carol.uri, headers })
        carol.peer.write(auth)
        carol.peer.write(send({ to: carol.usePath, from: carol.uri }))
        yield* world.network!.settled
        const answers: Array<number> = []
        alice.peer.onFrame = ({ status }) => void answers.push(status)
        world.network!.cut(carol.peer.connection)
        yield* world.network!.settled
        alice.peer.write(send({ ...paths, body: "hi" }))
        yield* world.network!.settled
        assert.strictEqual(answers.at(-1), by === "ws" ? 408 : 481)
        late.is = false
        yield* TestClock.adjust("10 seconds")
      })
  )

  if (by === "ws") {
    scenario(
      "loses what arrives for it meanwhile, which is reported, and holds no sender",
      (world) =>
        Effect.gen(function*() {
          const heard = heardIn(world)
          const alice = yield* world.login()
          const carol = yield* world.login({ username: "carol" })
          const paths = { to: `${alice.usePath} ${carol.usePath} ${carol.uri}`, from: alice.uri }
          const challenge = yield* world.challenge(carol.peer, carol.uri)
          late.is = true
          const octets = send({ ...paths, range: "1-*/60000", body: "x".repeat(60_000) })
          alice.peer.write(octets.subarray(0, 5000))
          const headers = [world.authorization(challenge, { username: "carol" })]
          carol.peer.write(request("AUTH", { to: world.uri, from: carol.uri, headers }))
          carol.peer.write(send({ to: carol.usePath, from: carol.uri }))
          yield* world.network!.settled
          world.network!.cut(carol.peer.connection)
          for (const [from, to] of [[5000, 10_000], [10_000, octets.length]] as const) {
            alice.peer.write(octets.subarray(from, to))
            yield* world.network!.settled
          }
          alice.peer.write(send({ ...paths, messageId: "msg.2", body: "hi" }))
          yield* world.network!.settled
          const why = "the connection to its receiver closed"
          assert.deepStrictEqual(
            [
              of(heard, "message not delivered")[0]!.fields["reason"],
              of(heard, "request refused")[0]!.fields["reason"]
            ],
            [why, why]
          )
          const { held, lost, receiversGivenUp, reports } = world.relay.counters
          assert.deepStrictEqual({ held, lost, receiversGivenUp, reports }, {
            held: 0,
            lost: 1,
            receiversGivenUp: 0,
            reports: 1
          })
          late.is = false
          yield* TestClock.adjust("10 seconds")
        })
    )
  }
})

describe("the octets of an outbox", () => {
  const make = () => {
    const slabs = new Slabs()
    const totals = new Totals()
    let wakes = 0
    const outbox = new Outbox(slabs, new ConnectionLoad(totals), { filled: () => void wakes++, taken: () => {} })
    const writes: Array<{ readonly octets: string; readonly done: () => void }> = []
    const system = { pending: 0 }
    const connection = {
      pending: () => system.pending,
      write: (octets: Buffer, done: () => void) => void writes.push({ octets: octets.toString(), done })
    }
    return {
      connection: connection as unknown as Connection,
      outbox,
      slabs,
      system,
      totals,
      wakes: () => wakes,
      writes
    }
  }

  it("are released at the end of the connection also if they were put in after it had failed", () => {
    const { connection, outbox, slabs } = make()
    outbox.connected(connection)
    outbox.close()
    outbox.text("too late")
    outbox.close()
    // All of the slab is free again.
    const { start } = slabs.lease(SLAB, SLAB)
    assert.deepStrictEqual([start, slabs.held], [0, SLAB])
  })

  it("go out later where the operating system has not taken what came before", () => {
    const { connection, outbox, system, totals, wakes, writes } = make()
    outbox.connected(connection)
    outbox.text("first")
    outbox.flush()
    system.pending = 5
    outbox.text("second")
    assert.isFalse(outbox.flush())
    assert.deepStrictEqual([writes.length, wakes(), totals.queuedOctets], [1, 2, 11])
    system.pending = 0
    writes[0]!.done()
    assert.deepStrictEqual([wakes(), totals.queuedOctets], [3, 6])
    assert.isTrue(outbox.flush())
    assert.deepStrictEqual(writes.map(({ octets }) => octets), ["first", "second"])
  })

  it("R4976-9.3-06: take no memory once its connection is gone, whether or not they were written", () => {
    const { connection, outbox, slabs, system, totals, writes } = make()
    outbox.connected(connection)
    outbox.copy(Buffer.alloc(2 * SLAB), 0, 2 * SLAB)
    outbox.flush()
    system.pending = 2 * SLAB
    outbox.copy(Buffer.alloc(3 * SLAB), 0, 3 * SLAB)
    outbox.flush()
    outbox.close()
    for (const { done } of writes) done()
    assert.strictEqual(totals.queuedOctets, 0)
    const { held } = slabs
    for (let octets = 0; octets < held; octets += SLAB) slabs.lease(SLAB, SLAB)
    assert.strictEqual(slabs.held, held)
  })

  it("take no more of a slab than was written: the rest is for other connections", () => {
    const { slabs } = make()
    for (let i = 0; i < 1000; i++) {
      const outbox = new Outbox(slabs, new ConnectionLoad(new Totals()), { filled: () => {}, taken: () => {} })
      outbox.connected({ pending: () => 0, write: () => {} } as unknown as Connection)
      outbox.text("x")
      outbox.flush()
    }
    assert.strictEqual(slabs.held, SLAB)
  })

  it("are none where memory was reserved and nothing put in: that is no write, and its memory is free again", () => {
    const { connection, outbox, slabs, writes } = make()
    outbox.connected(connection)
    outbox.reserve(100)
    assert.isFalse(outbox.flush())
    assert.deepStrictEqual(writes, [])
    const { start } = slabs.lease(SLAB, SLAB)
    assert.deepStrictEqual([start, slabs.held], [0, SLAB])
  })

  it("are lost with the connection once, however many writes were under way", () => {
    const { connection, slabs, writes } = make()
    const told: Array<number> = []
    const outbox = new Outbox(slabs, new ConnectionLoad(new Totals()), {
      filled: () => {},
      taken: (octets) => void told.push(octets)
    })
    outbox.connected(connection)
    for (const text of ["one", "two", "three"]) {
      outbox.text(text)
      outbox.flush()
    }
    writes[0]!.done()
    Object.assign(connection, { lost: true })
    for (const { done } of writes.slice(1)) done()
    assert.deepStrictEqual([told, outbox.flushed, outbox.lost, outbox.open], [[3, 0], 3, true, false])
  })
})
