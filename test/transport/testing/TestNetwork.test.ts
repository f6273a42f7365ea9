import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { OptionsError } from "../../../src/options/Options.ts"
import { TestNetwork, Transport } from "../../../src/Transport.ts"
import type { TestOptions } from "../../../src/transport/testing/TestNetwork.ts"
import { pattern, Recorder } from "../../support/Recorder.ts"

const run = <A, E>(
  options: TestOptions,
  effect: Effect.Effect<A, E, Transport | TestNetwork | Scope.Scope>
): Effect.Effect<A, E, Scope.Scope> => Effect.provide(effect, Transport.layerTest(options))

const target = { scheme: "msrp", host: "relay.example.com", port: 2855 } as const

/** Two ends of one connection; what it took on the clock has passed. */
const pair = Effect.fnUntraced(function*() {
  const { connect, listen } = yield* Transport
  const network = yield* TestNetwork
  const dialling = new Recorder()
  const accepting = new Recorder()
  yield* listen({ ...target, host: "*" }, accepting.accept)
  const fiber = yield* Effect.forkChild(connect(target, dialling.accept), { startImmediately: true })
  yield* network.settled
  if (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 minute")
  const a = yield* Fiber.join(fiber)
  return { a, b: accepting.connection, accepting, dialling, network }
})

describe("layerTest", () => {
  it.effect("delivers without the clock, later, when there is no latency", () =>
    run(
      {},
      Effect.gen(function*() {
        const { a, accepting, network } = yield* pair()
        a.write(pattern(10), () => {})
        assert.strictEqual(accepting.length, 0)
        yield* network.settled
        assert.strictEqual(accepting.length, 10)
      })
    ))

  it.effect("says at once what of its options cannot be used: they would make it stand still", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<any> = [
        { latency: NaN },
        { latency: -1 },
        { latency: Infinity },
        { latncy: 5 },
        { window: 0 },
        { split: NaN },
        { split: 0 },
        5
      ]
      for (const options of wrong) {
        const exit = yield* Effect.exit(Layer.build(Transport.layerTest(options)))
        assert.instanceOf(Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined, OptionsError)
        const { configure } = Context.get(yield* Layer.build(Transport.layerTest()), TestNetwork)
        assert.throws(() => configure(options), OptionsError)
      }
      const exit = yield* Effect.exit(Layer.build(Transport.layerTest({ piece: 0 })))
      assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "piece must be a whole number")
    }).pipe(Effect.scoped))

  it.effect("delivers when the clock gets there, to the millisecond, answers included", () =>
    run(
      { latency: 5 },
      Effect.gen(function*() {
        const { a, accepting, b, dialling, network } = yield* pair()
        accepting.onBytes = (chunk) => b.write(Buffer.from(chunk), () => {})
        a.write(pattern(10), () => {})
        yield* TestClock.adjust(4)
        assert.deepStrictEqual([accepting.length, dialling.length], [0, 0])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual([accepting.length, dialling.length], [10, 0])
        yield* TestClock.adjust(4)
        assert.strictEqual(dialling.length, 0)
        yield* TestClock.adjust(1)
        assert.strictEqual(dialling.length, 10)
        // In one step: the answer leaves when the question arrives, not when the step ends.
        a.write(pattern(10), () => {})
        yield* TestClock.adjust(10)
        assert.strictEqual(dialling.length, 20)
        a.end()
        yield* TestClock.adjust(9)
        assert.deepStrictEqual([accepting.closures, dialling.closures], [1, 0])
        yield* TestClock.adjust(1)
        assert.strictEqual(dialling.closures, 1)
        assert.deepStrictEqual(network.connections(), [])
      })
    ))

  it.effect("keeps the order when the latency varies", () =>
    run(
      { seed: 3, latency: (random) => Math.floor(random() * 100) },
      Effect.gen(function*() {
        const { a, accepting } = yield* pair()
        const data = pattern(2000)
        for (let i = 0; i < 2000; i += 100) {
          a.write(data.subarray(i, i + 100), () => {})
          yield* TestClock.adjust(1)
        }
        yield* TestClock.adjust(200)
        assert.isTrue(accepting.received.equals(data))
        assert.isAbove(accepting.chunks.length, 1)
      })
    ))

  it.effect("takes latencies of parts of a millisecond, each until the next whole one", () =>
    run(
      { seed: 3, latency: (random) => 20 * random() },
      Effect.gen(function*() {
        const { a, accepting } = yield* pair()
        const data = pattern(2000)
        for (let i = 0; i < 2000; i += 20) {
          a.write(data.subarray(i, i + 20), () => {})
          yield* TestClock.adjust(1)
        }
        yield* TestClock.adjust(20)
        assert.isTrue(accepting.received.equals(data))
      })
    ))

  it.effect("setting up takes one latency", () =>
    run(
      { latency: 7 },
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const accepting = new Recorder()
        yield* listen(target, accepting.accept)
        const fiber = yield* Effect.forkChild(connect(target, new Recorder().accept), { startImmediately: true })
        yield* TestClock.adjust(6)
        assert.isUndefined(fiber.pollUnsafe())
        assert.isUndefined(accepting.connection)
        yield* TestClock.adjust(1)
        assert.isDefined(fiber.pollUnsafe())
        assert.isDefined(accepting.connection)
      })
    ))

  it.effect("splits into pieces of n octets, or as a function says, also in the middle of things", () =>
    run(
      { split: 3 },
      Effect.gen(function*() {
        const { a, accepting, network } = yield* pair()
        a.write(pattern(4), () => {})
        a.write(pattern(4), () => {})
        yield* network.settled
        assert.deepStrictEqual(accepting.chunks.map(({ length }) => length), [3, 3, 2])
        network.configure({ split: (available) => available - 1 }, a)
        a.write(pattern(4), () => {})
        yield* network.settled
        assert.deepStrictEqual(accepting.chunks.map(({ length }) => length), [3, 3, 2, 3, 1])
        network.configure({ split: 100 })
        a.write(pattern(4), () => {})
        yield* network.settled
        assert.deepStrictEqual(accepting.chunks.slice(5).map(({ length }) => length), [3, 1])
      })
    ))

  it.effect("holds a window of octets for a reader that has paused, then pending grows", () =>
    run(
      { window: 1000 },
      Effect.gen(function*() {
        const { a, accepting, b, network } = yield* pair()
        b.pause()
        let written = 0
        a.write(pattern(1000), () => written++)
        assert.strictEqual(a.pending(), 0)
        a.write(pattern(500), () => written++)
        assert.strictEqual(a.pending(), 500)
        yield* network.settled
        assert.deepStrictEqual([a.pending(), written, accepting.length], [500, 1, 0])
        b.resume()
        yield* network.settled
        assert.deepStrictEqual([a.pending(), written, accepting.length], [0, 2, 1500])
      })
    ))

  it.effect("stall and release", () =>
    run(
      { window: 1000 },
      Effect.gen(function*() {
        const { a, accepting, b, dialling, network } = yield* pair()
        network.stall(a)
        a.write(pattern(3000), () => {})
        b.write(pattern(3000), () => {})
        yield* network.settled
        assert.deepStrictEqual([accepting.length, dialling.length, a.pending()], [0, 3000, 2000])
        network.release(a)
        yield* network.settled
        assert.deepStrictEqual([accepting.length, a.pending()], [3000, 0])
      })
    ))

  it.effect("cut closes both ends and loses what is in flight, but calls every written", () =>
    run(
      { latency: 10, window: 100 },
      Effect.gen(function*() {
        const { a, accepting, b, dialling, network } = yield* pair()
        let written = 0
        a.write(pattern(100), () => written++)
        a.write(pattern(100), () => written++)
        b.write(pattern(10), () => written++)
        yield* TestClock.adjust(5)
        network.cut(b)
        assert.deepStrictEqual([accepting.closures, dialling.closures], [0, 0])
        yield* TestClock.adjust(100)
        assert.deepStrictEqual([accepting.closures, dialling.closures, written], [1, 1, 3])
        assert.deepStrictEqual([accepting.length, dialling.length], [0, 0])
      })
    ))

  it.effect("octets for an end that has gone are answered with a reset", () =>
    run(
      { latency: 10 },
      Effect.gen(function*() {
        const { a, accepting, b } = yield* pair()
        b.pause()
        a.destroy()
        b.write(pattern(10), () => {})
        yield* TestClock.adjust(19)
        assert.strictEqual(accepting.closures, 0)
        yield* TestClock.adjust(1)
        assert.strictEqual(accepting.closures, 1)
      })
    ))

  it.effect("overwrites a delivered chunk, and takes octets as late as a system may", () =>
    run(
      {},
      Effect.gen(function*() {
        const { a, accepting, network } = yield* pair()
        let kept: Buffer = Buffer.alloc(0)
        accepting.onBytes = (chunk) => {
          kept = chunk
        }
        const slab = pattern(20)
        a.write(slab, () => {})
        yield* network.settled
        assert.isTrue(accepting.received.equals(slab))
        assert.isFalse(kept.equals(slab))
        const early = pattern(20, 2)
        a.write(early, () => {})
        early.fill(0)
        yield* network.settled
        assert.isTrue(accepting.chunks[1]!.equals(Buffer.alloc(20)))
      })
    ))

  it.effect("answers dials as told", () =>
    run(
      { connectTimeout: 4 },
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const network = yield* TestNetwork
        const accepting = new Recorder()
        yield* listen(target, accepting.accept)
        const fails = (reason: string) =>
          Effect.map(
            Effect.flip(connect(target, new Recorder().accept)),
            (error) => assert.strictEqual(error.reason, reason)
          )
        for (const reason of ["Refused", "Unreachable", "NameNotFound", "Certificate", "Other"] as const) {
          network.answer("RELAY.example.com", 2855, reason)
          yield* fails(reason)
        }
        network.answer(target.host, target.port, "Silence")
        const fiber = yield* Effect.forkChild(fails("Timeout"), { startImmediately: true })
        yield* TestClock.adjust(3999)
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust(1)
        yield* Fiber.join(fiber)
        network.answer(target.host, target.port, "Mute")
        const dialling = new Recorder()
        const mute = yield* connect(target, dialling.accept)
        mute.write(pattern(100_000), () => {})
        mute.end()
        yield* network.settled
        assert.deepStrictEqual([mute.pending(), dialling.closures, dialling.length], [100_000 - 65_536, 0, 0])
        assert.deepStrictEqual(network.connections(), [mute])
        mute.destroy()
        assert.isUndefined(accepting.connection)
        network.answer(target.host, target.port, undefined)
        yield* connect(target, new Recorder().accept)
        assert.isDefined(accepting.connection)
        const other = yield* Effect.flip(connect({ ...target, port: 2856 }, new Recorder().accept))
        assert.strictEqual(other.reason, "Refused")
      })
    ))

  it.effect("reaches who listens on the name, on any of the names, and on another machine", () =>
    run(
      {},
      Effect.gen(function*() {
        const first = yield* Transport
        const network = yield* TestNetwork
        const second = network.node({ names: ["10.0.0.2", "b.example.com"] })
        const reached: Array<string> = []
        const listen = (transport: typeof first, host: string, port: number) =>
          transport.listen({ scheme: "msrp", host, port }, (connection) => {
            reached.push(`${host} ${connection.remote.host}`)
            return new Recorder().accept(connection)
          })
        yield* listen(first, "localhost", 1)
        yield* listen(first, "*", 2)
        yield* listen(first, "a.example.com", 2855)
        yield* listen(second, "0.0.0.0", 2)
        yield* listen(second, "10.0.0.2", 2855)
        const reach = (transport: typeof first, host: string, port: number) =>
          transport.connect({ scheme: "msrp", host, port }, new Recorder().accept).pipe(
            Effect.match({ onFailure: ({ reason }) => reason, onSuccess: () => reached.pop() })
          )
        assert.strictEqual(yield* reach(first, "127.0.0.1", 1), "localhost 127.0.0.1")
        assert.strictEqual(yield* reach(first, "::1", 1), "localhost 127.0.0.1")
        assert.strictEqual(yield* reach(first, "LOCALHOST", 1), "localhost 127.0.0.1")
        assert.strictEqual(yield* reach(first, "a.example.com", 1), "Refused")
        assert.strictEqual(yield* reach(second, "localhost", 1), "Refused")
        assert.strictEqual(yield* reach(first, "anything.example.com", 2), "* 127.0.0.1")
        assert.strictEqual(yield* reach(first, "b.example.com", 2), "0.0.0.0 127.0.0.1")
        assert.strictEqual(yield* reach(second, "localhost", 2), "0.0.0.0 127.0.0.1")
        assert.strictEqual(yield* reach(second, "A.Example.com", 2855), "a.example.com 10.0.0.2")
        assert.strictEqual(yield* reach(first, "B.example.com", 2855), "10.0.0.2 127.0.0.1")
        const taken = yield* Effect.flip(listen(first, "127.0.0.1", 1))
        assert.strictEqual(taken.reason, "AddressInUse")
      })
    ))

  it.effect("shows the names of certificates over TLS, and refuses a wrong one", () =>
    run(
      {},
      Effect.gen(function*() {
        const endpoint = yield* Transport
        const network = yield* TestNetwork
        const one = network.node({ names: ["a.example.com"], certificate: ["a.example.com", "www.example.com"] })
        const other = network.node({ names: ["b.example.com", "srv.example.net"], certificate: ["B.example.com"] })
        const accepting = new Recorder()
        const asking = { asksForCertificate: true }
        yield* other.listen({ scheme: "msrps", host: "*", port: 2855 }, accepting.accept, asking)
        const to = { scheme: "msrps", host: "b.example.com", port: 2855 } as const
        const connection = yield* one.connect(to, new Recorder().accept)
        assert.deepStrictEqual(connection.peerNames, ["b.example.com"])
        assert.deepStrictEqual(accepting.connection.peerNames, ["a.example.com", "www.example.com"])
        yield* other.listen({ scheme: "msrps", host: "*", port: 2856 }, accepting.accept)
        yield* one.connect({ ...to, port: 2856 }, new Recorder().accept)
        assert.deepStrictEqual(accepting.connection.peerNames, [], "nobody was asked")
        const asked: Array<string> = []
        const asksForCertificate = (address: string) => asked.push(address) > 1
        yield* other.listen({ scheme: "msrps", host: "*", port: 2857 }, accepting.accept, { asksForCertificate })
        for (const names of [[], ["a.example.com", "www.example.com"]]) {
          yield* one.connect({ ...to, port: 2857 }, new Recorder().accept)
          assert.deepStrictEqual(accepting.connection.peerNames, names)
          assert.strictEqual(asked.at(-1), accepting.connection.remote.host)
        }
        yield* endpoint.connect({ ...to, host: "srv.example.net", serverName: "b.example.com" }, new Recorder().accept)
        assert.deepStrictEqual(accepting.connection.peerNames, [])
        const wrong = yield* Effect.flip(one.connect({ ...to, host: "srv.example.net" }, new Recorder().accept))
        assert.strictEqual(wrong.reason, "Certificate")
      })
    ))

  it.effect("TLS to a TCP port fails, and TCP to a TLS port is closed without being accepted", () =>
    run(
      {},
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const network = yield* TestNetwork
        const accepting = new Recorder()
        yield* listen({ scheme: "msrp", host: "*", port: 1 }, accepting.accept)
        yield* listen({ scheme: "msrps", host: "*", port: 2 }, accepting.accept)
        const error = yield* Effect.flip(connect({ scheme: "msrps", host: "x", port: 1 }, new Recorder().accept))
        assert.strictEqual(error.reason, "Other")
        const dialling = new Recorder()
        yield* connect({ scheme: "msrp", host: "x", port: 2 }, dialling.accept)
        yield* network.settled
        assert.strictEqual(dialling.closures, 1)
        assert.isUndefined(accepting.connection)
      })
    ))

  it.effect("lists the open connections, both ends, and tells what receivers threw", () =>
    run(
      {},
      Effect.gen(function*() {
        const { a, accepting, b, dialling, network } = yield* pair()
        assert.deepStrictEqual(network.connections(), [a, b])
        assert.strictEqual(network.peer(a), b)
        assert.strictEqual(network.peer(b), a)
        accepting.onBytes = () => {
          throw new Error("a defect")
        }
        a.write(pattern(1), () => {})
        yield* network.settled
        assert.deepStrictEqual(network.connections(), [])
        assert.strictEqual(dialling.closures, 1)
        assert.deepStrictEqual(network.defects.map(String), ["Error: a defect"])
      })
    ))

  /** What happens on ten connections, in order. */
  const trace = (options: TestOptions) =>
    run(
      options,
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const network = yield* TestNetwork
        const events: Array<string> = []
        yield* listen(target, (connection) => ({
          bytes: (chunk) => {
            events.push(`${connection.remote.port} ${chunk.toString("latin1")}`)
            connection.write(Buffer.from(chunk), () => {})
          },
          closed: () => events.push(`${connection.remote.port} closed`)
        }))
        for (let i = 0; i < 10; i++) {
          const connection = yield* connect(target, (own) => ({
            bytes: (chunk) => events.push(`${own.local.port} back ${chunk.toString("latin1")}`),
            closed: () => {}
          }))
          connection.write(Buffer.from("abcdefghijklmnopqrstuvwxyz"), () => {})
          connection.end()
        }
        yield* network.settled
        yield* TestClock.adjust("1 second")
        return events
      })
    )

  it.effect("does the same with the same seed, and something else with another", () =>
    Effect.gen(function*() {
      const options: TestOptions = {
        seed: 11,
        shuffle: true,
        split: (available, random) => 1 + random() * available
      }
      const one = yield* trace(options)
      assert.isAbove(one.length, 40)
      assert.deepStrictEqual(yield* trace(options), one)
      assert.notDeepEqual(yield* trace({ ...options, seed: 12 }), one)
      const straight = yield* trace({})
      assert.deepStrictEqual(yield* trace({ seed: 2 }), straight)
    }))
})
