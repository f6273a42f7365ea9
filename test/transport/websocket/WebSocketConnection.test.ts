import { assert, describe, it } from "vitest"
import { BINARY, headLength, PING, writeHead } from "../../../src/protocol/websocket/FrameHead.ts"
import { mask } from "../../../src/protocol/websocket/Mask.ts"
import { type Connection, ConnectionFacts, type Receiver } from "../../../src/transport/Connection.ts"
import { WebSocketConnection } from "../../../src/transport/websocket/WebSocketConnection.ts"
import { facts } from "../plain.ts"

const KEY = 0x12345678

/** A message of a client. */
const message = (text: string): Buffer => {
  const { length } = text
  const frame = Buffer.alloc(headLength(length) + 4 + length)
  const at = writeHead(frame, 0, BINARY, true, length, KEY)
  frame.write(text, at)
  mask(frame, at, frame.length, KEY, 0)
  return frame
}

/** A WebSocket whose receiver pauses it at the first message, when three of them have come in one read. */
const paused = (fails = false) => {
  const got: Array<string> = []
  const deferred: Array<() => void> = []
  const told: Array<string> = []
  const below: Connection & { halfClosed: boolean; lost: boolean } = Object.assign(new ConnectionFacts(facts), {
    transport: "tcp" as const,
    messages: undefined,
    halfClosed: false,
    lost: false,
    write: (octets: Uint8Array) => void told.push(`write ${Buffer.from(octets).toString("hex")}`),
    pending: () => 0,
    pause: () => void told.push("pause"),
    resume: () => void told.push("resume"),
    end: () => void told.push("end"),
    destroy: () => void told.push("destroy")
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

  it("answers only the last of the Pings that came before a Pong was written", () => {
    const pongs: Array<string> = []
    const written: Array<() => void> = []
    const below: Connection = Object.assign(new ConnectionFacts(facts), {
      transport: "tcp" as const,
      messages: undefined,
      write: (octets: Uint8Array, done: () => void) => {
        pongs.push(Buffer.from(octets).toString("latin1", 2))
        written.push(done)
      },
      pending: () => 0,
      pause: () => {},
      resume: () => {},
      end: () => {},
      destroy: () => {}
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
    const below: Connection = Object.assign(new ConnectionFacts(facts), {
      transport: "tcp" as const,
      messages: undefined,
      write: (_octets: Uint8Array, written: () => void) => {
        pongs++
        written()
      },
      pending: () => 0,
      pause: () => reading = false,
      resume: () => reading = true,
      end: () => {},
      destroy: () => {}
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
