/** A bounded flood over sockets of loopback: who uses the relay does not notice, and what it took is given back. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Net from "node:net"
import { Transport } from "../src/Transport.ts"
import { type Frame, makeWorld, request, send, until, type World } from "./support/harness.ts"

const SILENT = 5000
const GUESSES = 200
const DIALS = 1000
/** Messages for one measurement. */
const MESSAGES = 100
/** Milliseconds that a machine with other work may take besides. */
const SLACK = 100

const limits = { connectionsInProbation: 200, dials: 32, failedAuths: 5 }

/** Connects from an address of its own, says nothing, and stays until it is turned away or the end. */
const silence = (port: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const open = new Set<Net.Socket>()
      return {
        open,
        more: (): void => {
          const socket = Net.connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" })
          open.add(socket.on("error", () => {}).on("close", () => open.delete(socket)))
        }
      }
    }),
    ({ open }) => Effect.sync(() => open.forEach((socket) => socket.destroy()))
  )

/** Accepts connections on any address of loopback, and never says a word. */
const pit = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly server: Net.Server; readonly sockets: Array<Net.Socket> }>(
    (resume) => {
      const sockets: Array<Net.Socket> = []
      const server = Net.createServer((socket) => sockets.push(socket.on("error", () => {})))
      server.listen(0, "0.0.0.0", () => {
        resume(Effect.succeed({ port: (server.address() as Net.AddressInfo).port, server, sockets }))
      })
    }
  ),
  ({ server, sockets }) =>
    Effect.callback<void>((resume) => {
      for (const socket of sockets) socket.destroy()
      server.close(() => resume(Effect.void))
    })
)

/** A turn of the event loop, in which others have theirs. */
const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** The status of the answer to a guess. `enough`: no answer is waited for any more, because the last ones come late. */
const guess = Effect.fnUntraced(function*(world: World, n: number, enough: Effect.Effect<void>) {
  const peer = yield* world.connect
  const from = world.party()
  const challenge = yield* world.challenge(peer, from)
  const wrong = world.authorization(challenge, { username: "carol", password: `guess${n}` })
  peer.write(request("AUTH", { to: world.uri, from, headers: [wrong] }))
  const answer = yield* Effect.raceFirst(Effect.asSome(peer.next), Effect.as(enough, Option.none()))
  yield* peer.close
  return Option.map(answer, ({ status }) => status)
})

describe("flood", () => {
  it.live(
    "R4976-9.3-04 R4976-9.3-06 R4976-9.3-08: silent connections, guesses and dials disturb no session",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const world = yield* makeWorld({ limits, digest: { freePerUser: GUESSES - 3, freePerAddress: GUESSES } })
        const { alice, bob, bobUri } = yield* world.pair()
        const times: Array<number> = []
        const message = Effect.gen(function*() {
          const start = performance.now()
          bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "hello" }))
          assert.strictEqual((yield* bob.next).status, 200)
          alice.peer.answer(yield* alice.peer.next)
          times.push(performance.now() - start)
          yield* turn
        })
        /** Milliseconds that half of the messages need at most. */
        const median = Effect.gen(function*() {
          times.length = 0
          yield* Effect.repeat(message, { times: MESSAGES - 1 })
          return times.toSorted((a, b) => a - b)[MESSAGES / 2]!
        })
        yield* median
        const quiet = yield* median
        const before = world.relay.gauges()

        const { more, open } = yield* silence(world.socket.port)
        const strangers = Effect.sync(() => {
          for (let i = 0; i < 50; i++) more()
        }).pipe(Effect.andThen(turn), Effect.repeat({ times: SILENT / 50 - 1 }))
        const enough = yield* Deferred.make<void>()
        const statuses: Array<number | undefined> = []
        const guesses = Effect.forEach(
          Array.from({ length: GUESSES }, (_, n) => n),
          Effect.fnUntraced(function*(n) {
            statuses.push(...Option.toArray(yield* guess(world, n, Deferred.await(enough))))
            if (statuses.length === GUESSES - 10) yield* Deferred.succeed(enough, undefined)
          }),
          { concurrency: 20, discard: true }
        )
        const hole = yield* pit
        const dialler = yield* world.login()
        const answers: Array<Frame> = []
        dialler.peer.onFrame = (frame) => void answers.push(frame)
        for (let i = 0; i < DIALS; i++) {
          const host = `127.1.${Math.trunc(i / 250)}.${i % 250 + 1}`
          dialler.peer.write(
            send({ to: `${dialler.usePath} msrps://${host}:${hole.port}/x;tcp`, from: dialler.uri, body: "hi" })
          )
        }
        const flood = yield* Effect.forkChild(Effect.all([strangers, guesses], { concurrency: 2 }))
        const busy = yield* median
        yield* until(() => answers.filter(({ status }) => status !== undefined).length === DIALS, "all answers")
        assert.isBelow(busy, 2 * quiet + SLACK)
        assert.strictEqual(answers.filter(({ status }) => status === 200).length, limits.dials)
        assert.isAtMost(hole.sockets.length, limits.dials)
        // Who has the right password gets in meanwhile.
        const meanwhile = yield* world.login()
        yield* meanwhile.peer.close
        yield* Fiber.join(flood)
        assert.deepStrictEqual([...new Set(statuses)], [401])
        assert.isAtMost(
          world.relay.gauges().connections,
          before.connections + limits.connectionsInProbation + limits.dials + 50
        )

        for (const socket of open) socket.destroy()
        yield* dialler.peer.close
        for (const socket of hole.sockets) socket.destroy()
        yield* until(() => world.relay.gauges().connections === before.connections, "the end of the flood")
        assert.deepStrictEqual({ ...world.relay.gauges(), timers: 0 }, { ...before, timers: 0 })
        yield* message
        world.errors.length = 0
        yield* world.done
      })).pipe(Effect.provide(Transport.layerNode())),
    60_000
  )
})
