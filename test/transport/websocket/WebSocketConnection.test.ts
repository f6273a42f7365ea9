import { assert, describe, it } from "vitest"
import { BINARY, CLOSE, headLength, PING, writeHead } from "../../../src/protocol/websocket/FrameHead.ts"
import { mask } from "../../../src/protocol/websocket/Mask.ts"
import { type Connection, ConnectionFacts, type Receiver } from "../../../src/transport/Connection.ts"
import { WebSocketConnection } from "../../../src/transport/websocket/WebSocketConnection.ts"
import { facts } from "../plain.ts"

const KEY = 0x12345678

/** A masked frame of a client. */
const frame = (opcode: number, payload = ""): Buffer => {
  const octets = Buffer.alloc(headLength(payload.length) + 4 + payload.length)
  const at = writeHead(octets, 0, opcode, true, payload.length, KEY)
  octets.write(payload, at, "latin1")
  mask(octets, at, octets.length, KEY, 0)
  return octets
}

/** A message of a client. */
const message = (text: string): Buffer => frame(BINARY, text)

/** The connection below a WebSocket, which tells what it is asked for. */
const under = <More extends Pick<Connection, "write">>(told: Array<string>, more: More) =>
  Object.assign(new ConnectionFacts(facts), {
    transport: "tcp" as const,
    messages: undefined,
    pending: () => 0,
    pause: () => void told.push("pause"),
    resume: () => void told.push("resume"),
    end: () => void told.push("end"),
    destroy: () => void told.push("destroy"),
    ...more
  })

/** A WebSocket whose receiver pauses it at the first message, when three of them have come in one read. */
const paused = (fails = false) => {
  const got: Array<string> = []
  const deferred: Array<() => void> = []
  const told: Array<string> = []
  const below = under(told, {
    halfClosed: false,
    lost: false,
    write: (octets: Uint8Array) => void told.push(`write ${Buffer.from(octets).toString("hex")}`)
  })
  const accept = (connection: Connection): Receiver => ({
    bytes: (octets) => {
      got.push(octets.toString())
      if (got.length === 1) connection.pause()
      else if (fails) throw new Error("a defect of the receiver")
    },
    leaving: () => void told.push("leaving"),
    closed: (failure) => void told.push(`closed ${failure}`)
  })
  const connection = new WebSocketConnection(below, accept, { defer: (task) => deferred.push(task) })
  const read = Buffer.concat([message("one"), message("two"), message("three")])
  connection.bytes(read)
  // The next read uses the same memory.
  read.fill(0)
  assert.deepStrictEqual([got, told], [["one"], ["pause"]])
  return { below, connection, deferred, got, told }
}

describe("WebSocketConnection", () => {
  it("keeps the messages of a read that came after it was paused, and hands them over in a later turn", () => {
    const { connection, deferred, got, told } = paused()
    connection.resume()
    assert.deepStrictEqual(got, ["one"])
    for (const task of deferred) task()
    assert.deepStrictEqual([got, told], [["one", "two", "three"], ["pause", "resume"]])
  })

  it("hands them over at once to who says that it is his turn, and once only", () => {
    const { connection, deferred, got, told } = paused()
    connection.deliver()
    assert.deepStrictEqual(got, ["one"])
    connection.resume()
    connection.deliver()
    assert.deepStrictEqual([got, told], [["one", "two", "three"], ["pause", "resume"]])
    for (const task of deferred) task()
    assert.lengthOf(got, 3)
  })

  it("says when what is written is lost with the connection below", () => {
    const { below, connection } = paused()
    assert.isFalse(connection.lost)
    below.lost = true
    assert.isTrue(connection.lost)
  })

  it("says that nothing reaches its peer any more, by a Close or by the connection below", () => {
    const { below, connection } = paused()
    assert.isFalse(connection.halfClosed)
    below.halfClosed = true
    assert.isTrue(connection.halfClosed)
    below.halfClosed = false
    connection.closing(1001)
    assert.isTrue(connection.halfClosed)
    const { connection: ended } = paused()
    ended.end()
    assert.isTrue(ended.halfClosed)
  })

  it("answers a Close, ends the connection below, and tells that the peer leaves, but never after the end", () => {
    for (const closes of [false, true]) {
      const { connection, deferred, told } = paused()
      connection.closing(1000)
      if (closes) {
        connection.destroy()
        connection.closed()
      }
      for (const task of deferred) task()
      assert.deepStrictEqual(
        told,
        closes ? ["pause", "destroy", "closed undefined"] : ["pause", "write 880203e8", "end", "leaving"]
      )
    }
  })

  it("takes what comes after a Close for no sign of life", () => {
    const { connection } = paused()
    connection.closing(1000)
    connection.takeHeard()
    connection.bytes(message("more"))
    assert.isFalse(connection.takeHeard())
  })

  it("hands over nothing more when it was destroyed", () => {
    const { connection, deferred, got } = paused()
    connection.resume()
    connection.destroy()
    connection.deliver()
    for (const task of deferred) task()
    assert.deepStrictEqual(got, ["one"])
  })

  it("hands them over before it tells that the connection is closed", () => {
    const { connection, deferred, got, told } = paused()
    connection.closed("ECONNRESET")
    connection.resume()
    for (const task of deferred) task()
    assert.deepStrictEqual([got, told], [["one", "two", "three"], ["pause", "closed ECONNRESET"]])
  })

  it.each(["end", "destroy"] as const)(
    "tells that it is closed, and nothing else, when nobody wants them (%s)",
    (how) => {
      const { connection, deferred, got, told } = paused()
      connection.closed()
      connection[how]()
      assert.notInclude(told, "closed undefined")
      for (const task of deferred) task()
      assert.deepStrictEqual([got, told.filter((one) => one.startsWith("closed"))], [["one"], ["closed undefined"]])
    }
  )

  it("is destroyed by a receiver that throws while they are handed over", () => {
    const { connection, told } = paused(true)
    connection.resume()
    assert.throws(() => connection.deliver(), "a defect of the receiver")
    assert.deepStrictEqual(told, ["pause", "destroy"])
  })

  it("says why it is destroyed to a peer that still reads", () => {
    const { connection, told } = paused()
    connection.destroy("policy")
    assert.deepStrictEqual(told, ["pause", "write 880203f0", "destroy"])
  })

  it("writes one frame for a message, in memory that is used again, and has nothing pending when it is written", () => {
    let done = (): void => {}
    let waiting = 100
    const writes: Array<Uint8Array> = []
    const below = under([], {
      write: (octets: Uint8Array, written: () => void) => {
        writes.push(octets)
        done = written
      },
      // Frames without a message wait below as well.
      pending: () => waiting
    })
    const connection = new WebSocketConnection(below, () => ({ bytes: () => {}, closed: () => {} }), {
      defer: () => {}
    })
    for (let i = 0; i < 2; i++) {
      connection.write(Buffer.alloc(10), () => {}, [10])
      assert.strictEqual(connection.pending(), 10)
      waiting = 7
      assert.strictEqual(connection.pending(), 7)
      waiting = 100
      done()
      assert.strictEqual(connection.pending(), 0)
    }
    assert.deepStrictEqual(writes.map(({ length }) => length), [12, 12])
    assert.strictEqual(writes[0]!.buffer, writes[1]!.buffer)
  })

  it("answers only the last of the Pings that came before a Pong was written", () => {
    const pongs: Array<string> = []
    const written: Array<() => void> = []
    const below = under([], {
      write: (octets: Uint8Array, done: () => void) => {
        pongs.push(Buffer.from(octets).toString("latin1", 2))
        written.push(done)
      }
    })
    const connection = new WebSocketConnection(below, () => ({ bytes: () => {}, closed: () => {} }), {
      defer: () => {}
    })
    for (const text of ["one", "two", "three"]) {
      const ping = Buffer.alloc(6 + text.length)
      const at = writeHead(ping, 0, PING, true, text.length, KEY)
      ping.write(text, at)
      mask(ping, at, ping.length, KEY, 0)
      connection.bytes(ping)
    }
    assert.deepStrictEqual(pongs, ["one"])
    for (const done of written) done()
    assert.deepStrictEqual(pongs, ["one", "three"])
  })

  it("answers a few Pings in a turn, and what comes behind many waits for the next ones", () => {
    const got: Array<string> = []
    const deferred: Array<() => void> = []
    let pongs = 0
    let reading = true
    const below = under([], {
      write: (_octets: Uint8Array, written: () => void) => {
        pongs++
        written()
      },
      pause: () => reading = false,
      resume: () => reading = true
    })
    const accept = (): Receiver => ({ bytes: (octets) => void got.push(octets.toString()), closed: () => {} })
    const connection = new WebSocketConnection(below, accept, { defer: (task) => deferred.push(task) })
    const ping = Buffer.alloc(6)
    writeHead(ping, 0, PING, true, 0, KEY)
    connection.bytes(Buffer.concat([message("first"), ...Array.from({ length: 40 }, () => ping), message("last")]))
    const seen = [[pongs, reading]]
    for (let turn = 0; turn < 6; turn++) {
      for (const task of deferred.splice(0)) task()
      seen.push([pongs, reading])
    }
    assert.deepStrictEqual(got, ["first", "last"])
    assert.deepStrictEqual(seen.slice(0, 1), [[16, false]])
    assert.deepStrictEqual(seen.at(-1), [40, true])
    assert.isAbove(new Set(seen.map(([count]) => count)).size, 2)
  })
})

/** A WebSocket of which a test says when its tasks run and its writes are done. */
const played = (onMessage: (connection: Connection, text: string) => void = () => {}) => {
  const got: Array<string> = []
  const told: Array<string> = []
  const deferred: Array<() => void> = []
  const unwritten: Array<() => void> = []
  const below = under(told, {
    write: (octets: Uint8Array, written: () => void) => {
      told.push(Buffer.from(octets).toString("hex"))
      unwritten.push(written)
    }
  })
  const accept = (connection: Connection): Receiver => ({
    bytes: (octets) => {
      got.push(octets.toString())
      onMessage(connection, octets.toString())
    },
    closed: () => void told.push("closed")
  })
  const connection = new WebSocketConnection(below, accept, { defer: (task) => deferred.push(task) })
  return {
    connection,
    got,
    told,
    run: () => deferred.splice(0).forEach((task) => task()),
    written: () => unwritten.splice(0).forEach((done) => done())
  }
}

describe("WebSocketConnection, its end", () => {
  it("is one Close, and nothing after that: no Ping, no Pong (RFC 6455 §5.5.1)", () => {
    const { connection, run, told, written } = played()
    connection.bytes(frame(PING, "1"))
    connection.bytes(frame(PING, "2"))
    connection.closing(1000)
    connection.end()
    run()
    written()
    connection.bytes(frame(PING, "3"))
    connection.ping()
    assert.deepStrictEqual(told, ["8a0131", "880203e8", "end"])
  })

  it("answers a Close without a code by one without a code", () => {
    const { connection, run, told } = played()
    connection.bytes(frame(CLOSE))
    run()
    assert.deepStrictEqual(told, ["8800", "end"])
  })

  it("is at once when the peer has answered its Close", () => {
    const { connection, told } = played()
    connection.end()
    connection.bytes(frame(CLOSE, "\x03\xe8"))
    assert.deepStrictEqual(told, ["880203e8", "end", "destroy"])
  })

  it("is told although octets are kept that nobody will want", () => {
    const { connection, got, told } = played((one) => one.pause())
    connection.bytes(Buffer.concat([message("one"), message("two")]))
    connection.end()
    connection.closed()
    assert.deepStrictEqual([got, told], [["one"], ["pause", "880203e8", "end", "closed"]])
  })

  it("by a receiver within a message is the last that it hears", () => {
    const { connection, got, told } = played((one) => one.destroy())
    connection.bytes(Buffer.concat([message("one"), message("two")]))
    connection.bytes(message("three"))
    assert.deepStrictEqual([got, told], [["one"], ["destroy"]])
  })
})

describe("WebSocketConnection, paused", () => {
  it("answers with the octets of a Ping as they came", () => {
    const { connection, told, written } = played()
    connection.bytes(frame(PING, "1"))
    const read = frame(PING, "2")
    connection.bytes(read)
    read.fill(0)
    written()
    assert.deepStrictEqual(told, ["8a0131", "8a0132"])
  })

  it("does not hand over what it keeps, nor read on when the last of that pauses it again", () => {
    const { connection, got, run, told } = played((one) => one.pause())
    connection.bytes(Buffer.concat([message("one"), message("two")]))
    connection.deliver()
    assert.deepStrictEqual(got, ["one"])
    connection.resume()
    run()
    assert.deepStrictEqual([got, told], [["one", "two"], ["pause", "pause"]])
    connection.resume()
    assert.deepStrictEqual(told, ["pause", "pause", "resume"])
  })

  it("reads on after many Pings in the next turn, and only if nobody else has paused it", () => {
    const { connection, run, told } = played()
    const pings = Buffer.concat(Array.from({ length: 16 }, () => frame(PING)))
    connection.bytes(pings)
    connection.pause()
    connection.resume()
    assert.notInclude(told, "resume")
    connection.pause()
    run()
    assert.notInclude(told, "resume")
    connection.resume()
    assert.strictEqual(told.at(-1), "resume")
  })
})
