import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { type LocalSocket, Transport, type TransportError } from "../../src/Transport.ts"
import { pattern, poll, Recorder, turns } from "./Recorder.ts"

const MiB = 1_048_576

/** What every transport has to do. */
export const contract = (
  name: string,
  scheme: LocalSocket["scheme"],
  transport: () => Layer.Layer<Transport, TransportError>
): void => {
  const socket: LocalSocket = { scheme, host: "127.0.0.1", port: 0 }

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
    it.effect("tells both sides the same facts, the receiver first", () =>
      provided(Effect.gen(function*() {
        const { a, accepting, b, bound, dialling } = yield* pair()
        assert.strictEqual(dialling.connection, a)
        assert.isAbove(bound.port, 0)
        assert.deepStrictEqual([a.inbound, b.inbound], [false, true])
        assert.deepStrictEqual([a.secure, b.secure], [scheme === "msrps", scheme === "msrps"])
        assert.deepStrictEqual(a.local, b.remote)
        assert.deepStrictEqual(a.remote, b.local)
        assert.deepStrictEqual(a.remote, { host: "127.0.0.1", port: bound.port })
        assert.strictEqual(a.socket, undefined)
        assert.deepStrictEqual(accepting.connection.socket, bound)
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

    it.effect("calls written once for each write, in order, later, when the octets may be reused", () =>
      provided(Effect.gen(function*() {
        const { a, accepting } = yield* pair()
        const sent = pattern(300 * 1000)
        const slab = Buffer.alloc(1000)
        const calls: Array<number> = []
        let inside = false
        const next = (i: number): void => {
          if (i === 300) return
          sent.copy(slab, 0, i * 1000, i * 1000 + 1000)
          inside = true
          a.write(slab, () => {
            assert.isFalse(inside)
            calls.push(i)
            slab.fill(0)
            next(i + 1)
          })
          inside = false
        }
        next(0)
        yield* accepting.untilLength(sent.length)
        yield* poll(() => calls.length === 300)
        assert.isTrue(accepting.received.equals(sent))
        assert.deepStrictEqual(calls, Array.from({ length: 300 }, (_, i) => i))
      })))

    it.effect("holds back a writer whose peer does not read, and drains when it does", () =>
      provided(Effect.gen(function*() {
        const { a, accepting, b } = yield* pair((_, accepting) => {
          accepting.onBytes = () => accepting.connection.pause()
        })
        const data = pattern(64 * MiB)
        let written = 0
        a.write(data, () => written++)
        assert.isAbove(a.pending(), 0)
        yield* accepting.until(() => accepting.length > 0)
        // What the system holds is full when nothing moves any more.
        let before = -1
        while (a.pending() !== before) {
          before = a.pending()
          yield* turns(500)
        }
        const stopped = accepting.length
        assert.isAbove(before, 32 * MiB)
        assert.isAtMost(before, data.length)
        assert.strictEqual(written, 0)
        // Some progress shows in the middle of the write. TLS encrypts all of one write at once.
        if (scheme === "msrp") {
          accepting.onBytes = () => {
            if (accepting.length > stopped + 16 * MiB) b.pause()
          }
          b.resume()
          yield* poll(() => a.pending() < before - 8 * MiB)
          assert.strictEqual(written, 0)
        }
        accepting.onBytes = () => {}
        b.resume()
        yield* accepting.untilLength(data.length)
        yield* poll(() => written === 1)
        assert.strictEqual(a.pending(), 0)
        assert.isTrue(accepting.received.equals(data))
      })))

    it.effect("gives nothing after pause until resume, and loses nothing", () =>
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

    it.effect("end: everything written arrives, then both sides are closed once", () =>
      provided(Effect.gen(function*() {
        const { a, accepting, dialling } = yield* pair()
        const data = pattern(3 * MiB)
        let written = 0
        a.write(data, () => written++)
        a.end()
        a.end()
        let dropped = 0
        a.write(data, () => dropped++)
        assert.strictEqual(dropped, 0)
        yield* accepting.untilClosed
        yield* dialling.untilClosed
        yield* poll(() => dropped > 0)
        yield* turns(20)
        assert.isTrue(accepting.received.equals(data))
        assert.deepStrictEqual([written, dropped, accepting.closures, dialling.closures], [1, 1, 1, 1])
        assert.strictEqual(a.pending(), 0)
      })))

    it.effect("R4975-5.4-24 flushes output to a peer that has closed its side, then closes", () =>
      provided(Effect.gen(function*() {
        const { a, accepting, b, dialling } = yield* pair()
        const data = pattern(4 * MiB)
        let written = 0
        b.write(data, () => written++)
        a.end()
        yield* dialling.untilClosed
        yield* accepting.untilClosed
        assert.isAtLeast(dialling.length, data.length)
        assert.isTrue(dialling.received.subarray(0, data.length).equals(data))
        assert.strictEqual(written, 1)
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

    it.effect("destroy: closed once on both sides, later, and every written is called", () =>
      provided(Effect.gen(function*() {
        const { a, accepting, b, dialling } = yield* pair((_, accepting) => {
          accepting.onBytes = () => accepting.connection.pause()
        })
        const calls = [0, 0, 0, 0]
        const count = (i: number) => () => void calls[i]!++
        a.write(pattern(32 * MiB), count(0))
        a.write(pattern(100), count(1))
        a.write(pattern(200), count(2))
        yield* accepting.until(() => accepting.length > 0)
        a.destroy()
        a.destroy()
        a.write(pattern(10), count(3))
        assert.strictEqual(dialling.closures, 0)
        assert.strictEqual(calls[3], 0)
        yield* dialling.untilClosed
        accepting.onBytes = () => {}
        b.resume()
        yield* accepting.untilClosed
        yield* poll(() => calls[3]! > 0)
        yield* turns(20)
        assert.deepStrictEqual(calls, [1, 1, 1, 1])
        assert.deepStrictEqual([dialling.closures, accepting.closures], [1, 1])
        // Nothing that is done now has an effect.
        for (const connection of [a, b]) {
          connection.pause()
          connection.resume()
          connection.end()
          connection.destroy()
          assert.strictEqual(connection.pending(), 0)
        }
        let after = 0
        b.write(pattern(10), () => after++)
        yield* poll(() => after === 1)
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

    it.effect("a receiver that throws costs its own connection only", () =>
      provided(Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const accepted: Array<Recorder> = []
        const bound = yield* listen(socket, (connection) => {
          const recorder = new Recorder()
          accepted.push(recorder)
          if (accepted.length === 3) throw new Error("accept")
          return recorder.accept(connection)
        })
        const dialled = [new Recorder(), new Recorder(), new Recorder()] as const
        const first = yield* connect(bound, dialled[0].accept)
        const second = yield* connect(bound, dialled[1].accept)
        yield* poll(() => accepted.length === 2)
        yield* connect(bound, dialled[2].accept)
        accepted[0]!.onBytes = () => {
          throw new Error("bytes")
        }
        first.write(pattern(10), () => {})
        yield* dialled[0].untilClosed
        yield* dialled[2].untilClosed
        second.write(pattern(10), () => {})
        yield* accepted[1]!.untilLength(10)
        assert.deepStrictEqual([accepted[0]!.closures, accepted[1]!.closures], [1, 0])
      })))

    it.effect("a listener accepts until its scope closes, and takes its connections along", () =>
      provided(Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const scope = yield* Scope.make()
        const accepting = new Recorder()
        const dialling = new Recorder()
        const bound = yield* Scope.provide(listen(socket, accepting.accept), scope)
        yield* connect(bound, dialling.accept)
        yield* poll(() => accepting.connection !== undefined)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(accepting.closures, 1)
        yield* dialling.untilClosed
        const error = yield* Effect.flip(connect(bound, new Recorder().accept))
        assert.deepStrictEqual(
          [error._tag, error.operation, error.reason],
          ["TransportError", "connect", "Refused"]
        )
        assert.strictEqual(error.target, `${scheme}://127.0.0.1:${bound.port}`)
        // The address is free again.
        const again = yield* listen(bound, accepting.accept)
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
        yield* accepting.until(() => order.length === 4)
        assert.deepStrictEqual(order, ["bytes 5", "first", "second", "third"])
      })))
  })
}
