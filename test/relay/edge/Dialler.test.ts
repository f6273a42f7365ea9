/** Which next hops are dialled, how many at a time, and what the sender hears of those that are not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { TestNetwork, Transport, type TransportError } from "../../../src/Transport.ts"
import { header, makeWorld, type Owner, send, type World, type WorldOptions } from "../../support/harness.ts"

const scenario = (
  title: string,
  body: (world: World, network: TestNetwork["Service"]) => Effect.Effect<void, TransportError, Scope.Scope>,
  options: WorldOptions = {}
): void =>
  it.effect(title, () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ plaintextAuth: "always", ...options })
      yield* body(world, yield* TestNetwork)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))

/** As if it were on the internet. */
const outside: WorldOptions = { listen: [{ scheme: "msrp", host: "203.0.113.5", port: 2855 }] }

const toHop = ({ uri, usePath }: Owner, next: string, body = "hi") =>
  send({ to: `${usePath} msrp://${next}/bob;tcp`, from: uri, body })

/** Octets of a listener that nobody may reach. */
const guarded = Effect.fnUntraced(function*(host: string, port: number) {
  const { listen } = yield* Transport
  const reached: Array<string> = []
  yield* listen({ scheme: "msrp", host, port }, (connection) => {
    reached.push(connection.remote.host)
    return { bytes: () => {}, closed: () => {} }
  })
  return reached
})

describe("next hops", () => {
  scenario(
    "R4976-9.3-03 R4975-10-03: a forbidden address or port in the URI is answered 403, and not dialled",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const reached = yield* guarded("127.0.0.1", 7000).pipe(Effect.provideService(Transport, world.transport))
        for (const next of ["127.0.0.1:7000", "10.0.0.1:2855", "[::ffff:127.0.0.1]:7000", "198.51.100.1:25"]) {
          alice.peer.write(toHop(alice, next))
          assert.strictEqual((yield* alice.peer.next).status, 403, next)
        }
        yield* alice.peer.quiet
        assert.deepStrictEqual(reached, [])
        assert.strictEqual(world.relay.counters.dialsForbidden, 4)
      }),
    outside
  )

  scenario(
    "R4976-9.3-03 R4975-10-03: a name that leads to a forbidden address becomes a REPORT with 403, and nothing is dialled",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const reached = yield* guarded("127.0.0.1", 7000).pipe(Effect.provideService(Transport, world.transport))
        // The second is a long chunk, which is passed on while it comes.
        for (const body of ["hi", "x".repeat(5000)]) {
          alice.peer.write(toHop(alice, "localhost:7000", body))
          const frames = yield* alice.peer.take(2)
          assert.sameMembers(frames.map(({ method, status }) => method || String(status)), ["200", "REPORT"])
          const report = frames.find(({ method }) => method === "REPORT")!
          assert.strictEqual(header(report, "Status"), "000 403 Forbidden")
          assert.strictEqual(header(report, "Byte-Range"), `1-${body.length}/${body.length}`)
        }
        yield* alice.peer.quiet
        assert.deepStrictEqual(reached, [])
        assert.strictEqual(world.relay.counters.dialsForbidden, 2)
        // An operator hears of it once a minute, and only when there is something to hear.
        const heard = () => world.log.filter((line) => line.includes("refused in the last minute"))
        assert.lengthOf(heard(), 0)
        yield* TestClock.adjust("3 minutes")
        assert.lengthOf(heard(), 1)
        assert.match(heard()[0]!, /dialsForbidden=2$/)
      }),
    outside
  )

  scenario(
    "R4976-9.3-03 R4976-9.3-06: a client that asks for 1,000 dials gets as many at a time as the limit has, others theirs",
    (world, network) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        let answers = 0
        for (let i = 0; i < 1000; i++) network.answer(`host${i}.example`, 2855, "Silence")
        for (let i = 0; i < 1000; i++) alice.peer.write(toHop(alice, `host${i}.example:2855`))
        const statuses = (yield* alice.peer.take(1000)).map(({ status }) => status)
        answers = statuses.filter((status) => status === 200).length
        assert.strictEqual(answers, 8)
        assert.strictEqual(statuses.filter((status) => status === 408).length, 992)
        assert.strictEqual(world.relay.counters.dialsOverLimit, 992)
        // However many connections it has.
        const again = yield* world.login()
        again.peer.write(toHop(again, "host1000.example:2855"))
        assert.strictEqual((yield* again.peer.next).status, 408)
        const bob = yield* world.listen
        carol.peer.write(send({ to: `${carol.usePath} ${bob.uri}`, from: carol.uri, body: "undisturbed" }))
        assert.strictEqual((yield* carol.peer.next).status, 200)
        const peer = yield* bob.accepted
        peer.answer(yield* peer.next)
        yield* TestClock.adjust("10 seconds")
        const reports = yield* alice.peer.take(8)
        for (const report of reports) assert.match(header(report, "Status")!, /^000 408/)
        // Then it may dial again.
        alice.peer.write(toHop(alice, "host1000.example:2855"))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* TestClock.adjust("10 seconds")
        yield* alice.peer.next
      }),
    { limits: { dials: 8 } }
  )
})
