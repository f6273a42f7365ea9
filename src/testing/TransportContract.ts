import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict"
import { type Accept, type Connection, type LocalSocket, type Receiver, Transport } from "../Transport.ts"
import { type Contract, until } from "./Contract.ts"

/** Records the octets and closures of a connection. */
class RecordingReceiver implements Receiver {
  connection!: Connection
  octets = Buffer.alloc(0)
  closures = 0
  onBytes: () => void = () => {}

  readonly accept: Accept = (connection) => {
    this.connection = connection
    return this
  }

  bytes(chunk: Buffer): void {
    strictEqual(this.closures, 0, "octets after the close")
    this.octets = Buffer.concat([this.octets, chunk])
    this.onBytes()
  }

  closed(): void {
    this.closures++
  }
}

const pattern = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255))

/**
 * Tests the contract of a `Transport` that can listen on this socket (any port, if it is 0) and connect to it.
 *
 * @category testing
 * @since 0.2.0
 */
export const transportContract = (socket: LocalSocket): Contract<Transport> => {
  const pair = Effect.fnUntraced(
    function*(prepare: (dialling: RecordingReceiver, accepting: RecordingReceiver) => void = () => {}) {
      const { connect, listen } = yield* Transport
      const dialling = new RecordingReceiver()
      const accepting = new RecordingReceiver()
      prepare(dialling, accepting)
      const bound = yield* listen(socket, accepting.accept)
      const a = yield* connect({ ...bound, host: socket.host }, dialling.accept)
      yield* until(() => accepting.connection !== undefined, "the connection")
      return { a, b: accepting.connection, dialling, accepting, bound }
    }
  )
  return [
    {
      title: "tells both sides what they are, the receiver before the one who dials",
      run: Effect.gen(function*() {
        const { a, b, bound, dialling } = yield* pair()
        strictEqual(dialling.connection, a)
        ok(bound.port > 0, "the port is not the real one")
        deepStrictEqual([a.inbound, b.inbound], [false, true])
        deepStrictEqual([a.secure, b.secure], [socket.scheme === "msrps", socket.scheme === "msrps"])
        deepStrictEqual(b.socket, bound)
        deepStrictEqual(a.local, b.remote)
      })
    },
    {
      title: "carries octets both ways, in order and unchanged, whatever they are split into",
      run: Effect.gen(function*() {
        const { a, accepting, b, dialling } = yield* pair()
        const octets = pattern(200_000)
        for (let at = 0, size = 1; at < octets.length; at += size, size = size * 3 % 50_021 + 1) {
          a.write(octets.subarray(at, at + size), () => {})
          b.write(octets.subarray(at, at + size), () => {})
        }
        yield* until(() => accepting.octets.length >= octets.length && dialling.octets.length >= octets.length, "all")
        ok(accepting.octets.equals(octets) && dialling.octets.equals(octets), "they are others")
        yield* until(() => a.pending() === 0, "that nothing is pending")
      })
    },
    {
      title: "says once of each write that it is done, in order, and never inside of it",
      run: Effect.gen(function*() {
        const { a } = yield* pair()
        const told: Array<number> = []
        let inside = false
        for (let i = 0; i < 20; i++) {
          inside = true
          a.write(pattern(i * 1000 + 1), () => {
            strictEqual(inside, false, "inside of write")
            told.push(i)
          })
          inside = false
        }
        yield* until(() => told.length === 20, "all")
        deepStrictEqual(told, Array.from({ length: 20 }, (_, i) => i))
      })
    },
    {
      title: "brings nothing while it is paused, also from inside of bytes, and nothing is lost",
      run: Effect.gen(function*() {
        const { a, accepting, b } = yield* pair((_, accepting) => {
          accepting.onBytes = () => accepting.connection.pause()
        })
        const octets = pattern(300_000)
        a.write(octets, () => {})
        yield* until(() => accepting.octets.length > 0, "the first")
        const { length } = accepting.octets
        for (let i = 0; i < 100; i++) yield* Effect.yieldNow
        strictEqual(accepting.octets.length, length)
        accepting.onBytes = () => {}
        b.resume()
        yield* until(() => accepting.octets.length === octets.length, "the rest")
        ok(accepting.octets.equals(octets), "they are others")
      })
    },
    {
      title: "ends after what was written, which both are told once",
      run: Effect.gen(function*() {
        const { a, accepting, dialling } = yield* pair()
        const octets = pattern(100_000)
        a.write(octets, () => {})
        a.end()
        a.end()
        yield* until(() => accepting.closures > 0 && dialling.closures > 0, "the end")
        ok(accepting.octets.equals(octets), "octets are missing")
        let late = 0
        a.write(pattern(10), () => late++)
        yield* until(() => late === 1, "that a late write is done")
        deepStrictEqual([accepting.closures, dialling.closures], [1, 1])
      })
    },
    {
      title: "closes at once when it is destroyed, not inside of that, and gives each write back",
      run: Effect.gen(function*() {
        const { a, accepting, b, dialling } = yield* pair()
        b.pause()
        let written = 0
        for (let i = 0; i < 20; i++) a.write(pattern(100_000), () => written++)
        a.destroy()
        a.destroy()
        strictEqual(dialling.closures, 0)
        yield* until(() => written === 20 && dialling.closures > 0, "its end")
        strictEqual(a.pending(), 0)
        b.resume()
        yield* until(() => accepting.closures > 0, "the end of the other side")
        deepStrictEqual([accepting.closures, dialling.closures], [1, 1])
      })
    },
    {
      title: "fails to connect where nobody listens",
      run: Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const scope = yield* Scope.make()
        const bound = yield* Effect.provideService(listen(socket, new RecordingReceiver().accept), Scope.Scope, scope)
        yield* Scope.close(scope, Exit.void)
        const error = yield* Effect.flip(connect({ ...bound, host: socket.host }, new RecordingReceiver().accept))
        strictEqual(error._tag, "TransportError")
      })
    },
    {
      title: "closes what came in on a listener with the scope of that",
      run: Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const scope = yield* Scope.make()
        const accepting = new RecordingReceiver()
        const dialling = new RecordingReceiver()
        const bound = yield* Effect.provideService(listen(socket, accepting.accept), Scope.Scope, scope)
        yield* connect({ ...bound, host: socket.host }, dialling.accept)
        yield* until(() => accepting.connection !== undefined, "the connection")
        yield* Scope.close(scope, Exit.void)
        yield* until(() => accepting.closures === 1 && dialling.closures === 1, "its end")
      })
    },
    {
      title: "drops only the connection whose receiver throws",
      run: Effect.gen(function*() {
        const first = yield* pair((_, accepting) => {
          accepting.onBytes = () => {
            throw new Error("a defect of the receiver")
          }
        })
        const second = yield* pair()
        first.a.write(pattern(10), () => {})
        yield* until(() => first.dialling.closures === 1, "its end")
        second.a.write(pattern(10), () => {})
        yield* until(() => second.accepting.octets.length === 10, "octets on another one")
      })
    },
    {
      title: "runs deferred tasks later, in order",
      run: Effect.gen(function*() {
        const { defer } = yield* Transport
        const done: Array<number> = []
        for (let i = 0; i < 5; i++) defer(() => done.push(i))
        deepStrictEqual(done, [])
        yield* until(() => done.length === 5, "the tasks")
        deepStrictEqual(done, [0, 1, 2, 3, 4])
      })
    }
  ]
}
