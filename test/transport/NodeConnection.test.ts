import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Socket } from "node:net"
import { Duplex } from "node:stream"
import * as Tls from "node:tls"
import { type LocalSocket, type NodeOptions, Transport } from "../../src/Transport.ts"
import { makeDefer, MOST } from "../../src/transport/Defer.ts"
import { NodeConnection } from "../../src/transport/NodeConnection.ts"
import { ca, localhost } from "../support/pki.ts"
import { pattern, poll, Recorder } from "../support/Recorder.ts"
import { facts, plainClient, plainServer } from "./plain.ts"

const run = <A, E>(options: NodeOptions, effect: Effect.Effect<A, E, Transport | Scope.Scope>) =>
  Effect.provide(effect, Transport.layerNode(options))

const loopback: LocalSocket = { scheme: "msrp", host: "127.0.0.1", port: 0 }

describe("layerNode", () => {
  it.effect("a reset by the peer is a close like any other", () =>
    run(
      {},
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const accepting = new Recorder()
        const bound = yield* listen(loopback, accepting.accept)
        const { socket } = yield* plainClient(bound.port)
        yield* poll(() => accepting.connection !== undefined)
        socket.pause()
        let written = 0
        // Both are lost, which is known when they are given back.
        const lost: Array<boolean | undefined> = [accepting.connection.lost]
        for (const octets of [32 * 1_048_576, 10]) {
          accepting.connection.write(pattern(octets), () => {
            written++
            lost.push(accepting.connection.lost)
          })
        }
        socket.resetAndDestroy()
        yield* accepting.untilClosed
        assert.deepStrictEqual([written, accepting.closures, accepting.connection.pending()], [2, 1, 0])
        assert.deepStrictEqual(lost, [false, true, true])
      })
    ))
})

describe("NodeConnection", () => {
  it.effect("loses what is written while its end waits for its turn among others'", () =>
    Effect.gen(function*() {
      const recorder = new Recorder()
      const slices: Array<() => void> = []
      let gone = false
      const port = yield* plainServer((socket) => {
        const connection = new NodeConnection(
          socket,
          facts,
          { reads: "events", defer: makeDefer(() => {}), inSlices: (task) => void slices.push(task), defect: () => {} },
          () => {}
        )
        socket.once("close", () => void (gone = true))
        connection.start(recorder.accept)
      })
      const { socket } = yield* plainClient(port)
      yield* poll(() => recorder.connection !== undefined)
      assert.isFalse(recorder.connection.halfClosed)
      socket.resetAndDestroy()
      yield* poll(() => gone)
      assert.isTrue(recorder.connection.halfClosed)
      let lost: boolean | undefined
      recorder.connection.write(pattern(10), () => void (lost = recorder.connection.lost))
      yield* poll(() => lost !== undefined)
      assert.isTrue(lost)
      for (const task of slices) task()
      yield* recorder.untilClosed
    }))

  it.effect("says that its peer has closed its side, and still answers it, while its own end waits for its turn", () =>
    Effect.gen(function*() {
      const recorder = new Recorder()
      const slices: Array<() => void> = []
      const port = yield* plainServer((socket) =>
        new NodeConnection(
          socket,
          facts,
          { reads: "shared", defer: makeDefer(() => {}), inSlices: (task) => void slices.push(task), defect: () => {} },
          () => {}
        ).start(recorder.accept)
      )
      const { socket } = yield* plainClient(port)
      let heard = ""
      socket.on("data", (octets) => void (heard += octets.toString()))
      yield* poll(() => recorder.connection !== undefined)
      socket.end("last words")
      yield* poll(() => slices.length > 0)
      assert.isTrue(recorder.connection.halfClosed)
      assert.strictEqual(recorder.received.toString(), "last words")
      recorder.connection.write(Buffer.from("answer"), () => {})
      for (let task = slices.shift(); task !== undefined; task = slices.shift()) task()
      yield* poll(() => slices.length > 0)
      for (const task of slices) task()
      yield* recorder.untilClosed
      yield* poll(() => heard === "answer")
    }))

  it.effect.each(["shared", "events"] as const)(
    "reads on in the next turn when there was too much to read in this one (%s)",
    (reads) =>
      Effect.gen(function*() {
        const defer = makeDefer(() => {})
        const recorder = new Recorder()
        const sent = pattern(1_048_576)
        const port = yield* plainServer((socket) => {
          const connection = new NodeConnection(
            socket,
            facts,
            { reads, defer, inSlices: defer, defect: () => {} },
            () => {}
          )
          connection.start(recorder.accept)
        })
        let turn = 0
        const turnOfReads: Array<number> = []
        recorder.onBytes = () => {
          turnOfReads.push(turn)
          defer.nextTurn(() => void turn++)
          defer.read(MOST, true)
        }
        const { socket } = yield* plainClient(port)
        socket.end(sent)
        yield* recorder.untilClosed
        assert.isTrue(recorder.received.equals(sent))
        assert.isAbove(turnOfReads.length, 1)
        assert.strictEqual(new Set(turnOfReads).size, turnOfReads.length)
      })
  )

  it.effect("stops a TLS connection when there was too much to read, whatever its records fill, also where polls are ended", () =>
    Effect.gen(function*() {
      const defer = makeDefer(() => {}, () => {})
      const recorder = new Recorder()
      const sent = pattern(1_048_576)
      const { cert, key } = localhost
      const server = Tls.createServer({ cert, key: Redacted.value(key) }, (socket) => {
        const around = { reads: "shared", defer, inSlices: defer, defect: () => {} } as const
        new NodeConnection(socket, facts, around, () => {}).start(recorder.accept)
      })
      const port = yield* plainServer((socket) => void server.emit("connection", socket))
      let stops = 0
      recorder.onBytes = () => void defer.read(MOST, true)
      const { nextTurn } = defer
      Object.assign(defer, {
        nextTurn: (task: () => void) => {
          stops++
          nextTurn(task)
        }
      })
      const { socket } = yield* plainClient(port)
      const secure = Tls.connect({ socket, ca, servername: "localhost" })
      for (let at = 0; at < sent.length; at += 10_000) secure.write(sent.subarray(at, at + 10_000))
      secure.end()
      yield* recorder.untilClosed
      assert.isTrue(recorder.received.equals(sent))
      assert.isAbove(stops, sent.length / 65_536)
    }))

  it.effect.each(["shared", "events"] as const)(
    "hears of its peer's end where it has ended and is paused before it would read on (%s)",
    (reads) =>
      Effect.gen(function*() {
        const defer = makeDefer(() => {})
        const recorder = new Recorder()
        const port = yield* plainServer((socket) => {
          const around = { reads, defer, inSlices: defer, defect: () => {} }
          new NodeConnection(socket, facts, around, () => {}).start(recorder.accept)
        })
        recorder.onBytes = () => {
          defer.nextTurn(() => {
            recorder.connection.end()
            recorder.connection.pause()
          })
          defer.read(MOST, true)
        }
        const { socket } = yield* plainClient(port)
        socket.resume()
        socket.write(pattern(10))
        yield* recorder.untilClosed
        assert.strictEqual(recorder.closures, 1)
      })
  )

  it.effect("tells of its end in a slice of a turn, since others may close together with it", () =>
    Effect.gen(function*() {
      const defer = makeDefer(() => {})
      const recorder = new Recorder()
      const slices: Array<() => void> = []
      const told: Array<string> = []
      const inSlices = (task: () => void) => void slices.push(task)
      const port = yield* plainServer((socket) => {
        const around = { reads: "shared", defer, inSlices, defect: () => {} } as const
        new NodeConnection(socket, facts, around, () => void told.push("gone")).start(recorder.accept)
      })
      const { socket } = yield* plainClient(port)
      yield* poll(() => recorder.connection !== undefined)
      socket.resetAndDestroy()
      yield* poll(() => slices.length > 0)
      assert.deepStrictEqual([told, recorder.closures, recorder.connection.pending()], [[], 0, 0])
      for (const slice of slices) slice()
      assert.deepStrictEqual([told, recorder.closures], [["gone"], 1])
    }))

  it.effect.each(["destroy", "end"] as const)(
    "waits for its slice also when %s comes in between",
    (how) =>
      Effect.gen(function*() {
        const recorder = new Recorder()
        const slices: Array<() => void> = []
        const inSlices = (task: () => void) => void slices.push(task)
        const port = yield* plainServer((socket) => {
          const around = { reads: "shared", defer: makeDefer(() => {}), inSlices, defect: () => {} } as const
          new NodeConnection(socket, facts, around, () => {}).start(recorder.accept)
        })
        const { socket } = yield* plainClient(port)
        yield* poll(() => recorder.connection !== undefined)
        socket.resetAndDestroy()
        yield* poll(() => slices.length > 0)
        recorder.connection[how]()
        yield* Effect.promise(() => new Promise((resume) => setImmediate(() => setImmediate(resume))))
        assert.strictEqual(recorder.closures, 0)
        for (const slice of slices) slice()
        assert.strictEqual(recorder.closures, 1)
      })
  )

  it.effect("ends its side in a slice of a turn when the peer has, with what was written before", () =>
    Effect.gen(function*() {
      const defer = makeDefer(() => {})
      const recorder = new Recorder()
      const slices: Array<() => void> = []
      const inSlices = (task: () => void) => void slices.push(task)
      let served: Socket | undefined
      const port = yield* plainServer((socket) => {
        served = socket
        const around = { reads: "shared", defer, inSlices, defect: () => {} } as const
        new NodeConnection(socket, facts, around, () => {}).start(recorder.accept)
      })
      const { socket } = yield* plainClient(port)
      const received: Array<Buffer> = []
      socket.on("data", (chunk: Buffer) => received.push(chunk))
      yield* poll(() => recorder.connection !== undefined)
      recorder.connection.write(pattern(1000), () => {})
      let ended = false
      socket.once("end", () => ended = true)
      socket.end()
      yield* poll(() => slices.length > 0 && Buffer.concat(received).length === 1000)
      assert.isFalse(served?.writableEnded)
      slices.shift()!()
      yield* poll(() => ended && slices.length > 0)
      slices.shift()!()
      assert.strictEqual(recorder.closures, 1)
    }))
})

/** Destroys a stream, and waits until it has told everybody. */
const closing = (stream: Duplex) =>
  Effect.callback<void>((resume) => {
    stream.once("close", () => resume(Effect.void))
    stream.destroy()
  })

/** A connection over a stream of which a test says what happens, and when its tasks run. `before`: what was read before. */
const played = (before = "", prepare: (recorder: Recorder) => void = () => {}) => {
  const tasks: Array<() => void> = []
  const later = (task: () => void) => void tasks.push(task)
  const turn = { isFull: false }
  const stream = new Duplex({ read: () => {}, write: () => {} })
  if (before !== "") stream.push(before)
  const recorder = new Recorder()
  const defer = Object.assign(later, { read: () => turn.isFull, nextTurn: later, nextTick: later })
  const failures: Array<string | undefined> = []
  const connection = new NodeConnection(
    stream as Socket,
    facts,
    { reads: "events", defer, inSlices: later, defect: () => {} },
    () => {}
  )
  connection.start((one) => {
    recorder.accept(one)
    prepare(recorder)
    return { bytes: recorder.bytes, closed: (failure) => (failures.push(failure), recorder.closed()) }
  })
  return {
    connection,
    failures,
    recorder,
    stream,
    turn,
    /** Octets that come in now, even if reading was stopped: one read of TLS can give several. */
    give: (text: string) => {
      const octets = Buffer.from(text)
      stream.emit("data", octets)
      octets.fill(0)
    },
    received: () => recorder.received.toString(),
    run: () => {
      for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task()
    },
    /** Closes the stream, as a peer does. */
    gone: closing(stream)
  }
}

describe("NodeConnection, octets that are held", () => {
  it("what was read before there was a receiver comes first, and not inside the call", () => {
    const { give, received, run } = played("one ")
    give("two")
    assert.strictEqual(received(), "")
    run()
    assert.strictEqual(received(), "one two")
  })

  it("are a copy, and come one by one as the receiver wants them", () => {
    const { connection, give, received, recorder, run } = played()
    recorder.onBytes = () => connection.pause()
    for (const text of ["1", "2", "3"]) give(text)
    for (const so of ["1", "12", "123"]) {
      run()
      assert.strictEqual(received(), so)
      connection.resume()
    }
  })

  it.effect("come before the close", () =>
    Effect.gen(function*() {
      const { connection, give, gone, received, recorder, run } = played()
      connection.pause()
      give("last")
      yield* gone
      run()
      assert.deepStrictEqual([received(), recorder.closures], ["", 0])
      connection.resume()
      run()
      assert.deepStrictEqual([received(), recorder.closures], ["last", 1])
    }))

  it.effect.each(["end", "destroy"] as const)(
    "are dropped by %s, also of a peer that has gone",
    (how) =>
      Effect.gen(function*() {
        const { connection, give, gone, received, recorder, run } = played()
        connection.pause()
        give("last")
        yield* gone
        run()
        connection[how]()
        run()
        connection.resume()
        run()
        assert.deepStrictEqual([received(), recorder.closures], ["", 1])
      })
  )

  it("are not given after destroy", () => {
    const { connection, received, run } = played("one")
    connection.destroy()
    run()
    assert.strictEqual(received(), "")
  })

  it("are dropped by the end of a paused connection, and so is what comes in then", () => {
    const { connection, give, received, run } = played()
    connection.pause()
    give("before")
    connection.end()
    give("after")
    connection.resume()
    run()
    give("now")
    assert.strictEqual(received(), "now")
  })

  it.effect.each([
    ["before they are given", false],
    ["inside accept", true]
  ])(
    "do not keep a connection that was ended and paused %s from noticing the close",
    ([, inside]) =>
      Effect.gen(function*() {
        const stop = ({ connection }: Recorder): void => {
          connection.end()
          connection.pause()
        }
        const { gone, received, recorder, run, stream } = played("one", inside ? stop : undefined)
        if (!inside) stop(recorder)
        run()
        assert.isFalse(stream.isPaused())
        yield* gone
        run()
        assert.deepStrictEqual([received(), recorder.closures], ["", 1])
      })
  )
})

describe("NodeConnection, its stream", () => {
  it("is not read while the connection is paused inside accept", () => {
    const { stream } = played("", ({ connection }) => connection.pause())
    assert.isTrue(stream.isPaused())
  })

  it("is not read on in the next turn if the connection is paused by then", () => {
    const { connection, give, run, stream, turn } = played()
    turn.isFull = true
    give("much")
    connection.pause()
    run()
    assert.isTrue(stream.isPaused())
    connection.resume()
    assert.isFalse(stream.isPaused())
  })

  it.effect("is destroyed when it has failed, and its error is told", () =>
    Effect.gen(function*() {
      const { failures, gone, run, stream } = played()
      stream.emit("error", Object.assign(new Error("a failure"), { code: "ERR_SSL_BAD" }))
      assert.isTrue(stream.destroyed)
      yield* gone
      run()
      assert.deepStrictEqual(failures, ["ERR_SSL_BAD"])
    }))

  it.effect("may be closed already", () =>
    Effect.gen(function*() {
      const stream = new Duplex({ read: () => {} })
      yield* closing(stream)
      const recorder = new Recorder()
      const defer = makeDefer(() => {})
      new NodeConnection(
        stream as Socket,
        facts,
        { reads: "events", defer, inSlices: defer, defect: () => {} },
        () => {}
      )
        .start(recorder.accept)
      yield* recorder.untilClosed
    }))

  it.effect("has nothing pending when it is lost; until then, what is written after the end counts", () =>
    Effect.gen(function*() {
      const { connection, gone, run, stream } = played()
      let written = 0
      connection.write(pattern(100), () => written++)
      assert.strictEqual(connection.pending(), 100)
      connection.end()
      connection.write(pattern(10), () => written++)
      assert.deepStrictEqual([connection.pending(), stream.writableLength], [110, 100])
      yield* gone
      assert.strictEqual(connection.pending(), 0)
      run()
      assert.strictEqual(written, 2)
    }))
})
