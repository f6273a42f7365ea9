/** Whoever is interrupted, at whatever step, leaves nothing behind, and a connection that others can use. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Client from "../../src/Client.ts"
import type { Codec } from "../../src/Codec.ts"
import { TestNetwork, Transport } from "../../src/Transport.ts"
import { pair, peer, sendTo, settled, simulated } from "./pair.ts"

/** Interrupts the first fiber that it runs before a step of it, as happens to one that lets others run there. */
class InterruptBefore extends Scheduler.MixedScheduler {
  #left: number
  #fiber: Fiber.Fiber<unknown, unknown> | undefined

  constructor(step: number) {
    super()
    this.#left = step
  }

  get isReached(): boolean {
    return this.#left <= 0
  }

  override shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    this.#fiber ??= fiber
    if (fiber !== this.#fiber || --this.#left !== 0) return super.shouldYield(fiber)
    fiber.interruptUnsafe()
    return true
  }
}

type Cut = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<Exit.Exit<A, E>, never, R | TestNetwork>

/** Runs it as often as the effect that it cuts has steps. */
const atEachStep = Effect.fnUntraced(function*<E>(
  run: (cut: Cut) => Effect.Effect<unknown, E, Transport | TestNetwork | Codec | Scope.Scope>
) {
  for (let step = 1, isReached = true; isReached; step++) {
    const scheduler = new InterruptBefore(step)
    const cut: Cut = (effect) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(Effect.provideService(effect, Scheduler.Scheduler, scheduler))
        const exit = yield* Fiber.await(fiber)
        assert.isFalse(Exit.isFailure(exit) && Cause.hasDies(exit.cause), `a defect at step ${step}`)
        yield* settled
        return exit
      })
    yield* run(cut).pipe(
      Effect.scoped,
      Effect.provide(simulated),
      Effect.catchDefect((cause) => Effect.die(new Error(`at step ${step}`, { cause })))
    )
    isReached = scheduler.isReached
  }
})

describe("what is interrupted at any step", () => {
  const bodies = {
    "of text": "x".repeat(15),
    "of a stream": Stream.fromIterable([10, 5].map((length) => Buffer.alloc(length, "x"))),
    "without a body": undefined
  }
  for (const [name, body] of Object.entries(bodies)) {
    it.effect(`send ${name} ends what it began, and the next one goes in one chunk`, () =>
      atEachStep(Effect.fnUntraced(function*(cut) {
        const { client, other } = yield* pair()
        const flags: Array<string> = []
        yield* Effect.forkChild(Effect.forever(Effect.map(other.frame, (frame) => {
          flags.push(frame.flag)
          if (frame.failureReport !== "no") other.answer(frame, 200)
        })))
        yield* cut(client.send({ toPath: peer, body, chunkSize: 10, successReport: true }))
        assert.notStrictEqual(flags.at(-1), "+")
        const next = yield* Effect.forkChild(
          client.send({ toPath: peer, body: "x".repeat(100_000), chunkSize: Infinity })
        )
        yield* settled
        assert.strictEqual((yield* next.pollUnsafe() ?? Effect.die("nothing is heard any more")).chunks, 1)
      })))
  }

  it.effect("connect leaves no connection", () =>
    atEachStep(Effect.fnUntraced(function*(cut) {
      const socket = { scheme: "msrp", host: "relay.example.com", port: 2855 } as const
      const transport = yield* Transport
      yield* transport.listen(socket, (connection) => ({ bytes: () => {}, closed: () => connection.end() }))
      yield* cut(Effect.scoped(Client.connect(socket)))
      assert.lengthOf((yield* TestNetwork).connections(), 0)
    })))

  it.effect("next loses no octets of a message", () =>
    atEachStep(Effect.fnUntraced(function*(cut) {
      const { client, other } = yield* pair({ collect: "stream" })
      other.write(sendTo(client, "abcd", { body: "x".repeat(100_000) }))
      yield* settled
      const { next, octets } = yield* client.incoming.take
      const exit = yield* cut(next)
      const first = Exit.isSuccess(exit) ? exit.value!.length : 0
      const rest = yield* Stream.runFold(octets, () => 0, (length, part) => length + part.length)
      assert.strictEqual(first + rest, 100_000)
    })))

  it.effect("next has its octets when they come later", () =>
    atEachStep(Effect.fnUntraced(function*(cut) {
      const { client, other } = yield* pair({ collect: "stream" })
      other.write(sendTo(client, "abcd", { body: "x".repeat(10), at: [1, 20], flag: "+" }))
      yield* settled
      const { next, octets } = yield* client.incoming.take
      yield* next
      const later = settled.pipe(
        Effect.andThen(Effect.sync(() => other.write(sendTo(client, "abce", { body: "x".repeat(10), at: [11, 20] }))))
      )
      const [exit] = yield* Effect.all([cut(next), later], { concurrency: 2 })
      const first = Exit.isSuccess(exit) ? exit.value!.length : 0
      yield* settled
      const rest = yield* Stream.runFold(octets, () => 0, (length, part) => length + part.length)
      assert.strictEqual(first + rest, 10)
    })))
})
