import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type { OptionsError } from "../../src/Relay.ts"
import { type LocalSocket, Transport, type TransportError } from "../../src/Transport.ts"
import { pattern, poll, Recorder, turns } from "../support/Recorder.ts"

const MiB = 1_048_576

/** What every transport has to do. */
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
        let atClose: ReadonlyArray<number> = []
        dialling.onClosed = () => {
          atClose = [...calls]
        }
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
        assert.deepStrictEqual(atClose.slice(0, 3), [1, 1, 1])
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
        const shown = by === "tcp" ? scheme : scheme === "msrps" ? "wss" : "ws"
        assert.strictEqual(error.target, `${shown}://127.0.0.1:${bound.port}`)
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
