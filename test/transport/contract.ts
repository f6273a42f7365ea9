import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type { OptionsError } from "../../src/Relay.ts"
import { transportContract } from "../../src/testing.ts"
import { type LocalSocket, Transport, type TransportError } from "../../src/Transport.ts"
import { pattern, poll, Recorder, turns } from "../support/Recorder.ts"

const MiB = 1_048_576

/** What every transport has to do: the contract that is published, and what of a relay's own transports is tested beyond it. */
export const contract = (
  name: string,
  scheme: LocalSocket["scheme"],
  transport: () => Layer.Layer<Transport, TransportError | OptionsError>,
  by: "tcp" | "ws" = "tcp"
): void => {
  const socket: LocalSocket = { scheme, transport: by, host: "127.0.0.1", port: 0 }

  /** A connection between two recorders. */
  const pair = Effect.fnUntraced(function*(prepare: (a: Recorder, b: Recorder) => void = () => {}) {
    const { connect, listen } = yield* Transport
    const dialling = new Recorder()
    const accepting = new Recorder()
    prepare(dialling, accepting)
    let accepted = false
    const bound = yield* listen(socket, (connection) => {
      accepted = true
      return accepting.accept(connection)
    })
    const a = yield* connect({ ...bound }, dialling.accept)
    yield* poll(() => accepted)
    return { a, b: accepting.connection, dialling, accepting, bound }
  })

  const provided = <A, E>(effect: Effect.Effect<A, E, Transport | Scope.Scope>) => Effect.provide(effect, transport())

  describe(name, () => {
    for (const { run, title } of transportContract(socket)) it.effect(title, () => provided(run))

    it.effect("gives both sides the address that is listened on; a dialled connection has no listening socket", () =>
      provided(Effect.gen(function*() {
        const { a, b, bound } = yield* pair()
        assert.deepStrictEqual(a.remote, { host: "127.0.0.1", port: bound.port })
        assert.deepStrictEqual(b.local, a.remote)
        assert.strictEqual(a.socket, undefined)
      })))

    it.effect.prop(
      "gives the octets in order and unchanged, for any split of the writes",
      { sizes: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40_000 }))) },
      ({ sizes }) =>
        provided(Effect.gen(function*() {
          const { a, accepting, b, dialling } = yield* pair()
          const data = pattern(sizes.reduce((sum, size) => sum + size, 0))
          let at = 0
          for (const size of sizes) {
            a.write(data.subarray(at, at + size), () => {})
            b.write(data.subarray(at, at + size), () => {})
            at += size
          }
          yield* accepting.untilLength(data.length)
          yield* dialling.untilLength(data.length)
          assert.isTrue(accepting.received.equals(data))
          assert.isTrue(dialling.received.equals(data))
        })),
      { arbitrary: { runs: 25 } }
    )

    it.effect("has no more need of the octets of a write when it calls written", () =>
      provided(Effect.gen(function*() {
        const { a, accepting } = yield* pair()
        const sent = pattern(300 * 1000)
        const slab = Buffer.alloc(1000)
        const next = (at: number): void => {
          if (at === sent.length) return
          sent.copy(slab, 0, at, at + slab.length)
          a.write(slab, () => {
            slab.fill(0)
            next(at + slab.length)
          })
        }
        next(0)
        yield* accepting.untilLength(sent.length)
        assert.isTrue(accepting.received.equals(sent))
      })))

    it.effect("holds back a writer whose peer does not read; pending follows what the system takes", () =>
      provided(Effect.gen(function*() {
        const { a, accepting, b } = yield* pair((_, accepting) => {
          accepting.onBytes = () => accepting.connection.pause()
        })
        const data = pattern(24 * MiB)
        let written = 0
        a.write(data, () => written++)
        assert.isAbove(a.pending(), 0)
        yield* accepting.untilLength(1)
        // What the system holds is full when nothing moves any more.
        let before = -1
        while (a.pending() !== before) {
          before = a.pending()
          yield* turns(500)
        }
        assert.isAbove(before, 4 * MiB)
        assert.isBelow(before, data.length)
        assert.strictEqual(written, 0)
        const seen = new Set<number>()
        while (accepting.length < data.length) {
          b.resume()
          yield* Effect.yieldNow
          assert.isAtMost(a.pending(), before)
          before = a.pending()
          if (written === 0) seen.add(before)
        }
        assert.isAbove(seen.size, 3)
        yield* poll(() => written === 1)
        assert.strictEqual(a.pending(), 0)
        assert.isTrue(accepting.received.equals(data))
      })))

    it.effect("a receiver that pauses gets what came before the close, then the close", () =>
      provided(Effect.gen(function*() {
        const { a, accepting, b } = yield* pair((_, accepting) => {
          accepting.onBytes = () => accepting.connection.pause()
        })
        const data = pattern(50_000)
        // All of it, and the close, may come in one read.
        b.pause()
        a.write(data, () => {})
        a.end()
        yield* turns(100)
        b.resume()
        yield* accepting.untilLength(1)
        yield* turns(100)
        if (accepting.length < data.length) assert.strictEqual(accepting.closures, 0)
        while (accepting.length < data.length) {
          b.resume()
          yield* Effect.yieldNow
        }
        b.resume()
        yield* accepting.untilClosed
        assert.isTrue(accepting.received.equals(data))
      })))

    it.effect("may be paused and resumed at each piece, also twice, and loses nothing", () =>
      provided(Effect.gen(function*() {
        let paused = false
        const { a, accepting, b } = yield* pair((_, accepting) => {
          accepting.onBytes = () => {
            assert.isFalse(paused)
            paused = true
            accepting.connection.pause()
            accepting.connection.pause()
          }
        })
        const data = pattern(700_000)
        a.write(data, () => {})
        while (accepting.length < data.length) {
          yield* accepting.until(() => paused)
          yield* turns(3)
          if (accepting.length === data.length) break
          paused = false
          b.resume()
          b.resume()
        }
        assert.isTrue(accepting.received.equals(data))
        assert.strictEqual(accepting.closures, 0)
      })))

    it.effect("does not read when paused as soon as it is open, or just after it was resumed", () =>
      provided(Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const accepting = new Recorder()
        const dialling = new Recorder()
        const bound = yield* listen(socket, accepting.accept)
        const a = yield* Effect.tap(
          connect(bound, dialling.accept),
          (connection) => Effect.sync(() => connection.pause())
        )
        yield* poll(() => accepting.connection !== undefined)
        const data = pattern(32 * MiB)
        accepting.connection.write(data, () => {})
        yield* turns(500)
        assert.isAbove(accepting.connection.pending(), 4 * MiB)
        for (let i = 0; i < 50; i++) {
          a.resume()
          a.pause()
          yield* turns(5)
        }
        yield* turns(500)
        const { length } = dialling
        assert.isAbove(accepting.connection.pending(), 4 * MiB)
        yield* turns(500)
        assert.strictEqual(dialling.length, length)
        a.resume()
        yield* dialling.untilLength(data.length)
        assert.isTrue(dialling.received.equals(data))
      })))

    it.effect("waits when paused inside accept", () =>
      provided(Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const accepting = new Recorder()
        const bound = yield* listen(socket, (connection) => {
          connection.pause()
          return accepting.accept(connection)
        })
        const a = yield* connect(bound, new Recorder().accept)
        a.write(pattern(1000), () => {})
        yield* poll(() => accepting.connection !== undefined)
        yield* turns(50)
        assert.strictEqual(accepting.length, 0)
        accepting.connection.resume()
        yield* accepting.untilLength(1000)
      })))

    it.effect("gives back once what was written before its end and after it, and is closed once", () =>
      provided(Effect.gen(function*() {
        const { a, accepting, dialling } = yield* pair()
        let [written, late] = [0, 0]
        a.write(pattern(3 * MiB), () => written++)
        a.end()
        a.write(pattern(3 * MiB), () => late++)
        assert.strictEqual(late, 0)
        yield* accepting.untilClosed
        yield* dialling.untilClosed
        yield* poll(() => late > 0)
        yield* turns(20)
        assert.deepStrictEqual([written, late, accepting.closures, dialling.closures], [1, 1, 1, 1])
        assert.deepStrictEqual([accepting.length, a.pending()], [3 * MiB, 0])
      })))

    it.effect("R4975-5.4-24 flushes output to a peer that has closed its side, then closes", () =>
      provided(Effect.gen(function*() {
        const { a, accepting, b, dialling } = yield* pair()
        const data = pattern(24 * MiB)
        let written = 0
        b.write(data, () => written++)
        a.end()
        // Written before or after the peer's close is seen: must not cost what came before.
        let late = 0
        let calls = 0
        while (accepting.closures === 0) {
          late++
          b.write(data.subarray(0, 10), () => calls++)
          yield* Effect.yieldNow
        }
        yield* dialling.untilClosed
        yield* poll(() => calls === late)
        assert.isAtLeast(dialling.length, data.length)
        assert.isTrue(dialling.received.subarray(0, data.length).equals(data))
        assert.strictEqual(written, 1)
      })))

    it.effect("R4975-5.4-24 writes the answers of this turn to a peer that has closed its side right after it asked", () =>
      provided(Effect.gen(function*() {
        const { defer } = yield* Transport
        const { a, accepting, b, dialling } = yield* pair()
        accepting.onBytes = () => defer(() => b.write(Buffer.from("answer"), () => {}))
        a.write(Buffer.from("question"), () => {})
        a.end()
        yield* dialling.untilClosed
        assert.deepStrictEqual([accepting, dialling].map(({ received }) => received.toString()), ["question", "answer"])
      })))

    it.effect("end on a paused connection still gets to the close", () =>
      provided(Effect.gen(function*() {
        const { a, accepting, b, dialling } = yield* pair()
        a.pause()
        b.write(pattern(16 * MiB), () => {})
        yield* turns(20)
        a.end()
        yield* dialling.untilClosed
        yield* accepting.untilClosed
        assert.strictEqual(dialling.closures + accepting.closures, 2)
      })))

    it.effect("gives back each write before it is closed by destroy; later calls have no effect", () =>
      provided(Effect.gen(function*() {
        const { a, accepting, b, dialling } = yield* pair((_, accepting) => {
          accepting.onBytes = () => accepting.connection.pause()
        })
        const calls = [0, 0, 0]
        const count = (i: number) => () => void calls[i]!++
        for (const [i, octets] of [32 * MiB, 100, 200].entries()) a.write(pattern(octets), count(i))
        yield* accepting.until(() => accepting.length > 0)
        let atClose: ReadonlyArray<number> = []
        dialling.onClosed = () => {
          atClose = [...calls]
        }
        a.destroy()
        yield* dialling.untilClosed
        accepting.onBytes = () => {}
        b.resume()
        yield* accepting.untilClosed
        assert.deepStrictEqual([atClose, calls], [[1, 1, 1], [1, 1, 1]])
        for (const connection of [a, b]) {
          connection.pause()
          connection.resume()
          connection.end()
          connection.destroy()
          let after = 0
          connection.write(pattern(10), () => after++)
          assert.deepStrictEqual([connection.pending(), after], [0, 0])
          yield* poll(() => after > 0)
          yield* turns(20)
          assert.strictEqual(after, 1)
        }
        assert.deepStrictEqual([dialling.closures, accepting.closures], [1, 1])
      })))

    it.effect("gives nothing after destroy inside bytes", () =>
      provided(Effect.gen(function*() {
        let calls = 0
        const { a, accepting, dialling } = yield* pair((_, accepting) => {
          accepting.onBytes = () => {
            calls++
            accepting.connection.destroy()
            assert.strictEqual(accepting.closures, 0)
          }
        })
        a.write(pattern(300_000), () => {})
        yield* accepting.untilClosed
        yield* dialling.untilClosed
        assert.strictEqual(calls, 1)
      })))

    it.effect("drops only the connection whose receiver could not be made", () =>
      provided(Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const accepted = new Recorder()
        let count = 0
        const bound = yield* listen(socket, (connection) => {
          if (++count === 2) throw new Error("accept")
          return accepted.accept(connection)
        })
        const dialled = [new Recorder(), new Recorder()] as const
        const first = yield* connect(bound, dialled[0].accept)
        yield* poll(() => count === 1)
        yield* connect(bound, dialled[1].accept)
        yield* dialled[1].untilClosed
        first.write(pattern(10), () => {})
        yield* accepted.untilLength(10)
        assert.strictEqual(accepted.closures, 0)
      })))

    it.effect("refuses connections to a listener whose scope is closed, and frees its address", () =>
      provided(Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const scope = yield* Scope.make()
        const bound = yield* Scope.provide(listen(socket, new Recorder().accept), scope)
        yield* Scope.close(scope, Exit.void)
        const error = yield* Effect.flip(connect(bound, new Recorder().accept))
        assert.deepStrictEqual([error.operation, error.reason], ["connect", "Refused"])
        const shown = by === "tcp" ? scheme : scheme === "msrps" ? "wss" : "ws"
        assert.strictEqual(error.target, `${shown}://127.0.0.1:${bound.port}`)
        const again = yield* listen(bound, new Recorder().accept)
        assert.strictEqual(again.port, bound.port)
      })))

    it.effect("outbound connections end with the layer", () => {
      const accepting = new Recorder()
      const dialling = new Recorder()
      return Effect.gen(function*() {
        yield* provided(Effect.gen(function*() {
          const { connect, listen } = yield* Transport
          const bound = yield* listen(socket, accepting.accept)
          yield* Effect.scoped(connect(bound, dialling.accept))
          yield* poll(() => accepting.connection !== undefined)
          assert.strictEqual(dialling.closures, 0)
        })).pipe(Effect.scoped)
        assert.deepStrictEqual([dialling.closures, accepting.closures], [1, 1])
      })
    })

    it.effect("an address in use is an error", () =>
      provided(Effect.gen(function*() {
        const { listen } = yield* Transport
        const bound = yield* listen(socket, new Recorder().accept)
        const error = yield* Effect.flip(listen(bound, new Recorder().accept))
        assert.deepStrictEqual([error.operation, error.reason], ["listen", "AddressInUse"])
      })))

    it.effect("a connection whose dial was interrupted does not stay open", () =>
      provided(Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const accepting = new Recorder()
        const dialling = new Recorder()
        const bound = yield* listen(socket, accepting.accept)
        const fiber = yield* Effect.forkChild(connect(bound, dialling.accept), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        yield* turns(100)
        assert.strictEqual(dialling.connection === undefined ? 1 : dialling.closures, 1)
        assert.strictEqual(accepting.connection === undefined ? 1 : accepting.closures, 1)
      })))

    it.effect("defer runs tasks in order, once what is at hand has been delivered", () =>
      provided(Effect.gen(function*() {
        const { defer } = yield* Transport
        const { a, accepting } = yield* pair()
        const order: Array<string> = []
        accepting.onBytes = (chunk) => {
          order.push(`bytes ${chunk.length}`)
          defer(() => {
            order.push("first")
            queueMicrotask(() => order.push("end of turn"))
            defer(() => {
              order.push("third")
              accepting.changed()
            })
          })
          defer(() => {
            throw new Error("a task")
          })
          defer(() => order.push("second"))
        }
        a.write(pattern(5), () => {})
        yield* accepting.until(() => order.length === 5)
        assert.deepStrictEqual(order, ["bytes 5", "first", "second", "end of turn", "third"])
      })))
  })
}
