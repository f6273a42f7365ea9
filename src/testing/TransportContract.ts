import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { deepStrictEqual, fail, ok, strictEqual } from "node:assert/strict"
import { type LocalSocket, Transport, TransportError } from "../Transport.ts"
import { type Contract, type ContractTest, limited, until } from "./Contract.ts"
import { RecordingReceiver, Watch } from "./Watch.ts"

const pattern = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255))

const turns = (count: number): Effect.Effect<void> => Effect.repeat(Effect.yieldNow, { times: count })

/** What is written, at most, until some of it has to wait. */
const MOST = 32 * 1_048_576

/** Fails with the rules that were broken in the test, or as the test does. */
const test = (
  title: string,
  body: (watch: Watch) => Effect.Effect<void, unknown, Transport | Scope.Scope>
): ContractTest<Transport> => ({
  title,
  run: Effect.suspend(() => {
    const watch = new Watch()
    // A moment for what comes too often, or too late.
    return Effect.andThen(body(watch), turns(20)).pipe(
      Effect.onExit(() =>
        Effect.sync(() => {
          if (watch.faults.size > 0) fail([...watch.faults].join("; "))
        })
      )
    )
  })
})

/**
 * Tests the contract of a `Transport` that can listen on this socket (any port, if it is 0) and connect to it.
 *
 * @category testing
 * @since 0.2.0
 */
export const transportContract = (socket: LocalSocket): Contract<Transport> => {
  const pair = Effect.fnUntraced(
    function*(watch: Watch, prepare: (dialling: RecordingReceiver, accepting: RecordingReceiver) => void = () => {}) {
      const { connect, listen } = yield* Transport
      const dialling = new RecordingReceiver(watch)
      const accepting = new RecordingReceiver(watch)
      prepare(dialling, accepting)
      const bound = yield* listen(socket, accepting.accept)
      const returned = yield* connect({ ...bound, host: socket.host }, dialling.accept)
      ok(
        dialling.given === returned,
        "connect has not called accept, before it ends, with the connection that it returns"
      )
      yield* until(() => accepting.given !== undefined, "the accept of the listener")
      return { a: dialling.connection, b: accepting.connection, dialling, accepting, bound }
    }
  )
  return limited([
    test("tells both sides what they are, the receiver before the one who dials", (watch) =>
      Effect.gen(function*() {
        const { a, b, bound } = yield* pair(watch)
        ok(bound.port > 0, "the port is not the real one")
        deepStrictEqual([a.inbound, b.inbound], [false, true])
        deepStrictEqual([a.secure, b.secure], [socket.scheme === "msrps", socket.scheme === "msrps"])
        deepStrictEqual(b.socket, bound)
        deepStrictEqual(a.local, b.remote)
        for (const { local, peerNames, remote, transport } of [a, b]) {
          strictEqual(transport, socket.transport ?? "tcp")
          ok(Array.isArray(peerNames), "peerNames is no list")
          for (const { host, port } of [local, remote]) {
            deepStrictEqual([typeof host, typeof port], ["string", "number"])
          }
        }
        const { identity } = yield* Transport
        strictEqual(typeof identity("relay.example.com"), "number")
        strictEqual(identity("relay.example.com"), identity("relay.example.com"))
      })),
    test("carries octets both ways, in order and unchanged, whatever they are split into", (watch) =>
      Effect.gen(function*() {
        const { a, accepting, b, dialling } = yield* pair(watch)
        const octets = pattern(200_000)
        for (let at = 0, size = 1; at < octets.length; at += size, size = size * 3 % 50_021 + 1) {
          a.write(octets.subarray(at, at + size), () => {})
          b.write(octets.subarray(at, at + size), () => {})
        }
        yield* until(() => accepting.length >= octets.length && dialling.length >= octets.length, "all octets")
        ok(accepting.octets.equals(octets) && dialling.octets.equals(octets), "they are others")
        yield* until(() => a.pending() === 0, "pending to be 0")
      })),
    test("says once of each write that it is done, in order, and never inside of it", (watch) =>
      Effect.gen(function*() {
        const { a } = yield* pair(watch)
        let told = 0
        // The first one has no octets.
        for (let i = 0; i < 20; i++) a.write(pattern(i * 1000), () => told++)
        yield* until(() => told >= 20, "written of each of 20 writes")
      })),
    test("has no more need of the octets of a write when it calls written", (watch) =>
      Effect.gen(function*() {
        const { a, accepting } = yield* pair(watch)
        const octets = pattern(100_000)
        const memory = Buffer.alloc(1000)
        const next = (at: number): void => {
          if (at === octets.length) return
          octets.copy(memory, 0, at, at + memory.length)
          a.write(memory, () => {
            memory.fill(0)
            next(at + memory.length)
          })
        }
        next(0)
        yield* until(() => accepting.length >= octets.length, "all octets")
        ok(accepting.octets.equals(octets), "what was written after written is sent")
      })),
    test("brings nothing while it is paused, also from inside of bytes, and nothing is lost", (watch) =>
      Effect.gen(function*() {
        const { a, accepting, b } = yield* pair(watch, (_, accepting) => {
          accepting.onBytes = () => accepting.connection.pause()
        })
        const octets = pattern(300_000)
        a.write(octets, () => {})
        yield* until(() => accepting.length > 0, "the first octets")
        yield* turns(100)
        accepting.onBytes = () => {}
        b.resume()
        yield* until(() => accepting.length >= octets.length, "the octets that came while it was paused")
        ok(accepting.octets.equals(octets), "they are others")
      })),
    test("may be paused inside of accept, and for each piece of what comes, also twice", (watch) =>
      Effect.gen(function*() {
        let paused = true
        const { a, accepting, b } = yield* pair(watch, (_, accepting) => {
          const { accept } = accepting
          Object.assign(accepting, {
            accept: (connection: Parameters<typeof accept>[0]) => {
              const receiver = accept(connection)
              accepting.connection.pause()
              return receiver
            }
          })
          accepting.onBytes = () => {
            paused = true
            accepting.connection.pause()
            accepting.connection.pause()
          }
        })
        const octets = pattern(300_000)
        a.write(octets, () => {})
        yield* turns(50)
        while (accepting.length < octets.length) {
          paused = false
          b.resume()
          b.resume()
          yield* until(() => paused, "octets after resume")
        }
        ok(accepting.octets.equals(octets), "they are others")
      })),
    test("counts in pending what a peer does not read, and ends behind that", (watch) =>
      Effect.gen(function*() {
        const { a, accepting, b, dialling } = yield* pair(watch)
        b.pause()
        const octets = Buffer.alloc(1_048_576, pattern(50_021))
        let sent = 0
        while (sent < MOST && (sent === 0 || a.pending() === 0)) {
          a.write(octets, () => {})
          sent += octets.length
          yield* turns(1)
        }
        ok(a.pending() > 0, `pending is 0 although the peer has read nothing of ${sent} octets`)
        ok(a.pending() <= sent, "pending is more than was written")
        a.end()
        b.resume()
        yield* until(() => accepting.closures > 0 && dialling.closures > 0, "the end of both sides")
        strictEqual(accepting.length, sent, "octets that were written before end are lost")
        strictEqual(a.pending(), 0)
      })),
    test("ends after what was written, which both are told once", (watch) =>
      Effect.gen(function*() {
        const { a, accepting, dialling } = yield* pair(watch)
        const octets = pattern(100_000)
        a.write(octets, () => {})
        a.end()
        a.end()
        yield* until(() => accepting.closures > 0 && dialling.closures > 0, "the end of both sides")
        ok(accepting.octets.equals(octets), "octets are missing")
        let late = 0
        a.write(pattern(10), () => late++)
        yield* until(() => late > 0, "written of a write after the end")
        deepStrictEqual([accepting.closures, dialling.closures], [1, 1])
      })),
    test("gets to the close when it is ended while it is paused", (watch) =>
      Effect.gen(function*() {
        const { a, accepting, b, dialling } = yield* pair(watch)
        a.pause()
        b.write(pattern(300_000), () => {})
        yield* turns(20)
        a.end()
        yield* until(() => accepting.closures > 0 && dialling.closures > 0, "the end of both sides")
      })),
    test("closes at once when it is destroyed, not inside of that, and gives each write back", (watch) =>
      Effect.gen(function*() {
        const { a, accepting, b, dialling } = yield* pair(watch)
        b.pause()
        let written = 0
        for (let i = 0; i < 20; i++) a.write(pattern(100_000), () => written++)
        a.destroy()
        a.destroy()
        strictEqual(dialling.closures, 0)
        yield* until(() => written === 20 && dialling.closures > 0, "written of each write, and closed")
        strictEqual(a.pending(), 0)
        b.resume()
        yield* until(() => accepting.closures > 0, "the end of the other side")
        deepStrictEqual([accepting.closures, dialling.closures], [1, 1])
      })),
    test("brings nothing more when it is destroyed inside of bytes", (watch) =>
      Effect.gen(function*() {
        const { a, accepting, dialling } = yield* pair(watch, (_, accepting) => {
          accepting.onBytes = () => accepting.connection.destroy()
        })
        a.write(pattern(300_000), () => {})
        yield* until(() => accepting.closures > 0 && dialling.closures > 0, "the end of both sides")
      })),
    test("takes calls after it is closed, and does nothing", (watch) =>
      Effect.gen(function*() {
        const { a, accepting, b, dialling } = yield* pair(watch)
        a.destroy()
        yield* until(() => accepting.closures > 0 && dialling.closures > 0, "the end of both sides")
        for (const connection of [a, b]) {
          connection.pause()
          connection.resume()
          connection.end()
          connection.destroy()
          strictEqual(connection.pending(), 0)
        }
      })),
    test("fails to connect where nobody listens", () =>
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const scope = yield* Scope.make()
        const { accept } = new RecordingReceiver(new Watch())
        const bound = yield* Effect.provideService(listen(socket, accept), Scope.Scope, scope)
        yield* Scope.close(scope, Exit.void)
        const exit = yield* Effect.exit(connect({ ...bound, host: socket.host }, accept))
        ok(Exit.isFailure(exit), "it connects to a listener whose scope is closed")
        const error = Option.getOrUndefined(Exit.findErrorOption(exit))
        ok(error instanceof TransportError, `it does not fail with a TransportError: ${String(exit.cause)}`)
      })),
    test("leaves nothing open when connect is interrupted", (watch) =>
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const accepting = new RecordingReceiver(watch)
        const dialling = new RecordingReceiver(watch)
        const bound = yield* listen(socket, accepting.accept)
        const connecting = yield* Effect.forkChild(connect({ ...bound, host: socket.host }, dialling.accept), {
          startImmediately: true
        })
        // It may have connected at once.
        if (connecting.pollUnsafe() !== undefined) return
        yield* Fiber.interrupt(connecting)
        yield* turns(100)
        for (const { closures, given } of [accepting, dialling]) {
          if (given !== undefined) strictEqual(closures, 1, "a connection whose connect was interrupted stays open")
        }
      })),
    test("closes what came in on a listener with the scope of that", (watch) =>
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const scope = yield* Scope.make()
        const accepting = new RecordingReceiver(watch)
        const dialling = new RecordingReceiver(watch)
        const bound = yield* Effect.provideService(listen(socket, accepting.accept), Scope.Scope, scope)
        yield* connect({ ...bound, host: socket.host }, dialling.accept)
        yield* until(() => accepting.given !== undefined, "the accept of the listener")
        yield* Scope.close(scope, Exit.void)
        yield* until(() => accepting.closures > 0 && dialling.closures > 0, "the end of both sides")
      })),
    test("drops only the connection whose receiver throws", (watch) =>
      Effect.gen(function*() {
        const first = yield* pair(watch, (_, accepting) => {
          accepting.onBytes = () => {
            throw new Error("a defect of the receiver")
          }
        })
        const second = yield* pair(watch)
        first.a.write(pattern(10), () => {})
        yield* until(() => first.dialling.closures > 0, "the end of the connection whose receiver throws")
        second.a.write(pattern(10), () => {})
        yield* until(() => second.accepting.length === 10, "octets on another connection")
      })),
    test("drops only the connection whose receiver could not be made", (watch) =>
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const dialling = new RecordingReceiver(watch)
        const accepting = new RecordingReceiver(watch)
        let accepted = 0
        const bound = yield* listen(socket, (connection) => {
          if (++accepted === 1) throw new Error("a defect of accept")
          return accepting.accept(connection)
        })
        const to = { ...bound, host: socket.host }
        yield* connect(to, dialling.accept)
        yield* until(() => dialling.closures > 0, "the end of the connection without a receiver")
        const other = yield* connect(to, new RecordingReceiver(watch).accept)
        other.write(pattern(10), () => {})
        yield* until(() => accepting.length === 10, "octets on another connection")
      })),
    test("runs deferred tasks later, in order", () =>
      Effect.gen(function*() {
        const { defer } = yield* Transport
        const done: Array<number> = []
        for (let i = 0; i < 5; i++) defer(() => done.push(i))
        deepStrictEqual(done, [], "a task runs inside of defer")
        yield* until(() => done.length === 5, "the tasks")
        deepStrictEqual(done, [0, 1, 2, 3, 4])
      }))
  ])
}
