/**
 * Reads WebSocket frames from octets (RFC 6455 §5), incrementally: payload is passed on as it comes, and is not kept. There are no
 * extensions, so reserved bits and reserved opcodes have no meaning. Text is not checked to be UTF-8, because it carries octets
 * (RFC 7977 §4.2).
 */
import { isUtf8 } from "node:buffer"
import { keepOctets } from "../Octets.ts"
import { BINARY, CLOSE, closeCodes, CONTINUATION, MAX_CONTROL, MAX_MASKED_HEAD, PING, PONG, TEXT } from "./FrameHead.ts"
import { mask } from "./Mask.ts"

export interface FrameReaderSink {
  /** Octets of a message, perhaps none, valid during the call only. `last`: whether the message ends with them. */
  data(octets: Buffer, last: boolean): void
  /** A Ping; its payload is valid during the call only. */
  pinged(payload: Buffer): void
  ponged(payload: Buffer): void
  /** A frame without octets of a message begins. */
  idle(): void
  /** The peer closes with this code, or with none (1005). No more calls follow. */
  closing(code: number): void
  /** The octets are not WebSocket frames. No more calls follow. `code`: the code to close with. */
  faulty(code: number, reason: string): void
  /** Whether the sink wants nothing more now. */
  readonly paused: boolean
}

const NOTHING = Buffer.alloc(0)

/**
 * Frames without octets of a message, such as control frames, that may come in a row. They cost more than their octets, and have no
 * other limit. With a Pong every 25 seconds, this number is reached in ten weeks.
 */
export const MAX_IDLE = 250_000

/** The state between two frames. */
const NONE = -1

export class FrameReader {
  readonly #sink: FrameReaderSink
  /** Whether received frames are masked, as those of a client. */
  readonly #masked: boolean
  #opcode = NONE
  #fin = false
  /** Whether a message has begun that continues in the next data frame. */
  #inMessage = false
  /** Octets of payload of this frame that are still to come, and those that have come. */
  #left = 0
  #done = 0
  #key = 0
  /** An incomplete head, or control frame, that is kept between two reads. */
  #kept: Buffer | undefined
  /** Frames without octets of a message in a row. */
  #idle = 0
  #ended = false

  constructor(sink: FrameReaderSink, masked: boolean) {
    this.#sink = sink
    this.#masked = masked
  }

  /** Octets that are kept between reads. */
  get held(): number {
    return this.#kept?.length ?? 0
  }

  /**
   * Reads octets. Returns the number of octets used: all, unless the sink is paused meanwhile. The payload is unmasked in place.
   */
  push(chunk: Buffer): number {
    const kept = this.#kept
    if (kept === undefined) return this.#run(chunk)
    if (this.#sink.paused) return 0
    // At most a head or a control frame is kept, so little is copied.
    this.#kept = undefined
    const joint = Buffer.concat([kept, chunk])
    return this.#run(joint) - kept.length
  }

  #run(buf: Buffer): number {
    let at = 0
    while (at < buf.length && !this.#ended && !this.#sink.paused) {
      if (this.#opcode !== NONE) {
        const next = this.#opcode >= CLOSE ? this.#control(buf, at) : this.#payload(buf, at)
        if (next === at) return this.#keep(buf, at)
        at = next
        continue
      }
      const next = this.#head(buf, at)
      if (next === at) return this.#keep(buf, at)
      at = next
      if (this.#left === 0 && !this.#ended) at = this.#empty(buf, at)
    }
    return this.#ended ? buf.length : at
  }

  /** Keeps the rest, which is too short to be read. */
  #keep(buf: Buffer, at: number): number {
    if (!this.#ended) this.#kept = keepOctets(buf.subarray(at))
    return buf.length
  }

  #lose(code: number, reason: string): void {
    this.#ended = true
    this.#sink.faulty(code, reason)
  }

  /** Reads the head at `at`. Returns the offset behind it, which is `at` if the head is incomplete or invalid. */
  #head(buf: Buffer, at: number): number {
    const here = buf.length - at
    if (here < 2) return at
    const first = buf[at]!
    const second = buf[at + 1]!
    const length = second & 0x7F
    const size = 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (this.#masked ? 4 : 0)
    const fault = this.#faultOf(first, second, length)
    if (fault !== undefined) {
      this.#lose(closeCodes.protocol, fault)
      return at
    }
    if (here < size) return at
    let payload = length
    if (length === 126) payload = buf.readUInt16BE(at + 2)
    else if (length === 127) payload = buf.readUInt32BE(at + 2) * 2 ** 32 + buf.readUInt32BE(at + 6)
    if ((length === 126 && payload < 126) || (length === 127 && payload < 65_536)) {
      this.#lose(closeCodes.protocol, "a length in more octets than it needs")
      return at
    }
    if (!Number.isSafeInteger(payload)) {
      this.#lose(closeCodes.tooLarge, "a frame of more than 2^53 octets")
      return at
    }
    this.#opcode = first & 0x0F
    this.#idle = payload === 0 || this.#opcode >= CLOSE ? this.#idle + 1 : 0
    if (this.#idle > MAX_IDLE) {
      this.#lose(closeCodes.policy, "too many frames without a message")
      return at
    }
    if (this.#idle > 0) this.#sink.idle()
    this.#fin = (first & 0x80) !== 0
    this.#left = payload
    this.#done = 0
    this.#key = this.#masked ? buf.readInt32LE(at + size - 4) : 0
    return at + size
  }

  #faultOf(first: number, second: number, length: number): string | undefined {
    const opcode = first & 0x0F
    if ((first & 0x70) !== 0) return "a reserved bit"
    if ((opcode > BINARY && opcode < CLOSE) || opcode > PONG) return "a reserved opcode"
    if (((second & 0x80) !== 0) !== this.#masked) return this.#masked ? "a frame without a mask" : "a masked frame"
    if (opcode >= CLOSE) {
      if ((first & 0x80) === 0) return "a control frame in fragments"
      return length > MAX_CONTROL ? "a control frame of more than 125 octets" : undefined
    }
    if (opcode === CONTINUATION && !this.#inMessage) return "a continuation of nothing"
    if ((opcode === TEXT || opcode === BINARY) && this.#inMessage) return "a message within a message"
    return undefined
  }

  /** A frame without payload. */
  #empty(buf: Buffer, at: number): number {
    if (this.#opcode >= CLOSE) return this.#control(buf, at)
    this.#ends(NOTHING)
    return at
  }

  /** The last octets of a data frame. */
  #ends(octets: Buffer): void {
    const last = this.#fin
    this.#opcode = NONE
    this.#inMessage = !last
    if (last || octets.length > 0) this.#sink.data(octets, last)
  }

  #payload(buf: Buffer, at: number): number {
    const end = Math.min(buf.length, at + this.#left)
    if (this.#masked) mask(buf, at, end, this.#key, this.#done)
    const octets = buf.subarray(at, end)
    this.#done += end - at
    this.#left -= end - at
    if (this.#left === 0) this.#ends(octets)
    else this.#sink.data(octets, false)
    return end
  }

  /** Reads a whole control frame. */
  #control(buf: Buffer, at: number): number {
    const end = at + this.#left
    if (end > buf.length) return at
    if (this.#masked) mask(buf, at, end, this.#key, 0)
    const payload = buf.subarray(at, end)
    const opcode = this.#opcode
    this.#opcode = NONE
    this.#left = 0
    if (opcode === PING) this.#sink.pinged(payload)
    else if (opcode === PONG) this.#sink.ponged(payload)
    else this.#close(payload)
    return end
  }

  #close(payload: Buffer): void {
    if (payload.length === 0) {
      this.#ended = true
      return this.#sink.closing(1005)
    }
    if (payload.length === 1) return this.#lose(closeCodes.protocol, "half a close code")
    const code = payload.readUInt16BE(0)
    if (!isCloseCode(code)) return this.#lose(closeCodes.protocol, "no close code")
    if (!isUtf8(payload.subarray(2))) return this.#lose(closeCodes.text, "a reason that is not UTF-8")
    this.#ended = true
    this.#sink.closing(code)
  }
}

/** Whether a peer may close with this code (RFC 6455 §7.4): 1004 to 1006 and 1015 are never sent, 1016 to 2999 are reserved. */
const isCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999)

/** The most octets that are kept between two reads: a head and a control frame. */
export const MAX_KEPT = MAX_MASKED_HEAD + MAX_CONTROL
