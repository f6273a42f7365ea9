import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, writeHead } from "../../../src/protocol/websocket/FrameHead.ts"
import { FrameReader, MAX_IDLE, MAX_KEPT } from "../../../src/protocol/websocket/FrameReader.ts"
import { mask } from "../../../src/protocol/websocket/Mask.ts"

/** A frame as a client (with `key`) or a server writes it, made octet by octet. */
const frame = (opcode: number, fin: boolean, payload: Uint8Array, key?: number): Buffer => {
  const head = Buffer.alloc(14)
  const length = writeHead(head, 0, opcode, fin, payload.length, key)
  const masked = Buffer.from(payload)
  if (key !== undefined) { for (let i = 0; i < masked.length; i++) masked[i]! ^= (key >>> (8 * (i & 3))) & 0xFF }
  return Buffer.concat([head.subarray(0, length), masked])
}

/** Writes down what it hears; pauses after some of it. */
class Heard {
  readonly messages: Array<string> = []
  readonly controls: Array<string> = []
  end: string | undefined
  paused = false
  #message: Array<Buffer> = []
  readonly #pauses: (heard: number) => boolean
  #heard = 0

  constructor(pauses: (heard: number) => boolean = () => false) {
    this.#pauses = pauses
  }

  data(octets: Buffer, last: boolean): void {
    this.#message.push(Buffer.from(octets))
    if (last) {
      this.messages.push(Buffer.concat(this.#message).toString("latin1"))
      this.#message = []
    }
    this.paused = this.#pauses(this.#heard++)
  }

  pinged(payload: Buffer): void {
    this.controls.push(`ping ${payload.toString("latin1")}`)
  }

  idle(): void {}
  ponged(payload: Buffer): void {
    this.controls.push(`pong ${payload.toString("latin1")}`)
  }

  closing(code: number): void {
    this.end = `close ${code}`
  }

  faulty(code: number, reason: string): void {
    this.end = `${code} ${reason}`
  }
}

/** Reads all of it in pieces of these sizes, again and again; what is not used is given once more, as a connection does. */
const read = (octets: Buffer, sizes: ReadonlyArray<number>, sink: Heard, masked = true): FrameReader => {
  const reader = new FrameReader(sink, masked)
  for (let at = 0, i = 0; at < octets.length; i++) {
    const size = sizes[i % sizes.length]!
    let rest = Buffer.from(octets.subarray(at, at + size))
    for (let used = reader.push(rest); used < rest.length; used = reader.push(rest)) {
      rest = rest.subarray(used)
      sink.paused = false
    }
    assert.isAtMost(reader.held, MAX_KEPT)
    sink.paused = false
    at += size
  }
  return reader
}

const payload = (max: number) => fc.uint8Array({ maxLength: max })
const message = fc.record({
  opcode: fc.constantFrom(TEXT, BINARY),
  fragments: fc.array(fc.oneof({ weight: 5, arbitrary: payload(200) }, { weight: 1, arbitrary: payload(70_000) }), {
    minLength: 1,
    maxLength: 4
  }),
  ping: fc.option(payload(125), { nil: undefined })
})

describe("FrameReader", () => {
  it("R7977-5.1-04 R7977-4.2-01 R7977-4.2-03: any messages, fragments, splits and pauses give the same octets, text or binary", () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 6 }),
        fc.option(fc.integer(), { nil: undefined }),
        fc.integer({ min: 1, max: 4 }),
        (messages, sizes, key, every) => {
          const octets: Array<Buffer> = []
          const pings: Array<string> = []
          for (const { fragments, opcode, ping } of messages) {
            for (const [i, one] of fragments.entries()) {
              octets.push(frame(i === 0 ? opcode : CONTINUATION, i === fragments.length - 1, one, key))
              if (ping === undefined) continue
              octets.push(frame(PING, true, ping, key))
              pings.push(`ping ${Buffer.from(ping).toString("latin1")}`)
            }
          }
          const heard = new Heard((n) => n % every === 0)
          read(Buffer.concat(octets), sizes, heard, key !== undefined)
          assert.isUndefined(heard.end)
          assert.deepStrictEqual(
            heard.messages,
            messages.map(({ fragments }) => Buffer.concat(fragments).toString("latin1"))
          )
          assert.deepStrictEqual(heard.controls, pings)
        }
      )
    )
  })

  const KEY = 0x12345678
  const key = (octets: Array<number>): Buffer => Buffer.concat([Buffer.from(octets), Buffer.alloc(4)])

  const faults: ReadonlyArray<readonly [string, Buffer, string]> = [
    ["a reserved bit", key([0xC2, 0x80]), "1002 a reserved bit"],
    ["a reserved opcode for data", key([0x83, 0x80]), "1002 a reserved opcode"],
    ["a reserved opcode for control", key([0x8B, 0x80]), "1002 a reserved opcode"],
    ["a frame that is not masked", Buffer.from([0x82, 0x00]), "1002 a frame without a mask"],
    ["a continuation of nothing", key([0x80, 0x80]), "1002 a continuation of nothing"],
    [
      "a message within a message",
      Buffer.concat([frame(BINARY, false, Buffer.from("a"), KEY), frame(TEXT, true, Buffer.from("b"), KEY)]),
      "1002 a message within a message"
    ],
    ["a control frame in fragments", key([0x09, 0x80]), "1002 a control frame in fragments"],
    ["a control frame that is too long", key([0x89, 0xFE, 0, 126]), "1002 a control frame of more than 125 octets"],
    ["16 bits of length without need", key([0x82, 0xFE, 0, 125]), "1002 a length in more octets than it needs"],
    [
      "64 bits of length without need",
      key([0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
      "1002 a length in more octets than it needs"
    ],
    ["a length of 2^63", key([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0]), "1009 a frame of more than 2^53 octets"],
    ["half a close code", frame(CLOSE, true, Buffer.from([3]), KEY), "1002 half a close code"],
    ["a close code that nobody sends", frame(CLOSE, true, Buffer.from([0x03, 0xED]), KEY), "1002 no close code"],
    [
      "a close reason that is not UTF-8",
      frame(CLOSE, true, Buffer.from([0x03, 0xE8, 0xFF]), KEY),
      "1007 a reason that is not UTF-8"
    ]
  ]
  for (const [what, octets, end] of faults) {
    it(`R6455-5.1-01 R6455-5.5-01 R6455-5.5-02: ${what} ends the connection, however it is split, and nothing behind it is read`, () => {
      for (const size of [1, 2, 3, 1000]) {
        const heard = new Heard()
        read(Buffer.concat([octets, frame(BINARY, true, Buffer.from("later"), KEY)]), [size], heard)
        assert.strictEqual(heard.end, end)
        assert.deepStrictEqual(heard.messages, [])
      }
    })
  }

  it("frames without a message may not follow one another for ever, and a message in between is enough", () => {
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(PING, true, Buffer.from("?"), 7)))
    const read = (between: Buffer): Heard => {
      const heard = new Heard()
      const reader = new FrameReader(heard, true)
      for (let i = 0; i <= MAX_IDLE / 1000; i++) {
        if (i === 9) reader.push(Buffer.from(between))
        reader.push(Buffer.from(pings))
      }
      return heard
    }
    assert.strictEqual(read(Buffer.alloc(0)).end, "1008 too many frames without a message")
    assert.isUndefined(read(frame(BINARY, true, Buffer.from("x"), 7)).end)
  })

  it("a close names its code, 1005 where there is none, and is the end", () => {
    for (const [octets, end] of [[[0x03, 0xE9, 0x78], "close 1001"], [[], "close 1005"]] as const) {
      const heard = new Heard()
      const close = frame(CLOSE, true, Buffer.from(octets), KEY)
      read(Buffer.concat([close, frame(PONG, true, Buffer.alloc(0), KEY)]), [5], heard)
      assert.strictEqual(heard.end, end)
      assert.deepStrictEqual(heard.controls, [])
    }
  })

  it("fragments without payload count as frames without a message", () => {
    const heard = new Heard()
    const reader = new FrameReader(heard, true)
    reader.push(frame(BINARY, false, Buffer.from("x"), KEY))
    const empty = Buffer.concat(Array.from({ length: 1000 }, () => frame(CONTINUATION, false, Buffer.alloc(0), KEY)))
    for (let i = 0; i < MAX_IDLE / 1000; i++) reader.push(Buffer.from(empty))
    assert.isUndefined(heard.end)
    reader.push(Buffer.from(empty))
    assert.strictEqual(heard.end, "1008 too many frames without a message")
  })

  it("R6455-5.5-02: a peer may close with the codes that are assigned or private, and with no other", () => {
    const ends = (code: number): string | undefined => {
      const heard = new Heard()
      read(frame(CLOSE, true, Buffer.from([code >> 8, code & 0xFF]), KEY), [100], heard)
      return heard.end
    }
    for (const code of [1000, 1003, 1007, 1014, 3000, 4999]) assert.strictEqual(ends(code), `close ${code}`)
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000]) {
      assert.strictEqual(ends(code), "1002 no close code", `${code}`)
    }
  })

  it("uses nothing of what comes while its sink is paused, with a part of a head kept", () => {
    const heard = new Heard()
    const reader = new FrameReader(heard, true)
    const octets = frame(BINARY, true, Buffer.from("x"), KEY)
    assert.strictEqual(reader.push(octets.subarray(0, 3)), 3)
    heard.paused = true
    assert.strictEqual(reader.push(octets.subarray(3)), 0)
    heard.paused = false
    assert.strictEqual(reader.push(octets.subarray(3)), octets.length - 3)
    assert.deepStrictEqual(heard.messages, ["x"])
  })

  it("a server's frames are not masked", () => {
    const heard = new Heard()
    read(frame(BINARY, true, Buffer.from("x"), KEY), [100], heard, false)
    assert.strictEqual(heard.end, "1002 a masked frame")
  })
})

describe("mask", () => {
  it("is the same, octet by octet, wherever the octets lie and wherever the payload begins", () => {
    fc.assert(
      fc.property(payload(300), fc.integer(), fc.nat({ max: 9 }), fc.nat({ max: 7 }), (octets, key, phase, offset) => {
        const buf = Buffer.alloc(octets.length + offset)
        buf.set(octets, offset)
        mask(buf, offset, buf.length, key, phase)
        const expected = Array.from(octets, (octet, i) => octet ^ ((key >>> (8 * ((i + phase) & 3))) & 0xFF))
        assert.deepStrictEqual([...buf.subarray(offset)], expected)
        assert.isTrue(buf.subarray(0, offset).every((octet) => octet === 0))
      })
    )
  })
})
