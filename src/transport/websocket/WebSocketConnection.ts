/**
 * A connection that carries messages by WebSocket (RFC 6455, RFC 7977) over one that carries octets. A message
 * is sent in one fragment for each write that has a part of it, so neither side needs memory for a whole message.
 */
import { keepOctets } from "../../protocol/Octets.ts"
import {
  BINARY,
  CLOSE,
  closeCodes,
  closePayload,
  CONTINUATION,
  controlFrame,
  headLength,
  PING,
  PONG,
  writeHead
} from "../../protocol/websocket/FrameHead.ts"
import { FrameReader, type FrameReaderSink } from "../../protocol/websocket/FrameReader.ts"
import { mask } from "../../protocol/websocket/Mask.ts"
import { type Accept, type CloseReason, type Connection, ConnectionFacts, type Receiver } from "../Connection.ts"
import { releaseSpare, takeSpare } from "./Spares.ts"

/** The most octets of body in a chunk to a WebSocket client, by default. */
const PIECE = 65_536

interface WebSocketOptions {
  /** The most octets of body in a chunk to the peer (RFC 7977 §5.1). */
  readonly piece?: number | undefined
  /** Makes masking keys; defined if this is the client. */
  readonly key?: (() => number) | undefined
  readonly defer: (task: () => void) => void
}

/** The close code of each reason (RFC 6455 §7.4.1). */
export const closeCodeOf: Readonly<Record<CloseReason, number>> = {
  done: closeCodes.normal,
  "going away": closeCodes.goingAway,
  protocol: closeCodes.protocol,
  policy: closeCodes.policy,
  defect: closeCodes.defect,
  overload: closeCodes.overload
}

/** The most frames without octets of a message in a turn: each may cost as much as a message. */
const IDLE = 16

const NO_ENDS: ReadonlyArray<number> = []

const nothing = (): void => {}

export class WebSocketConnection extends ConnectionFacts implements Connection, Receiver, FrameReaderSink {
  readonly transport = "ws"
  readonly messages: { readonly piece: number }
  /** Whether the receiver has paused the connection. */
  #held = false
  /** Frames without octets of a message in this turn; beyond `IDLE`, reading waits for the next turn. */
  #idles = 0
  /** The connection that carries octets. */
  readonly below: Connection
  readonly #key: (() => number) | undefined
  readonly #defer: (task: () => void) => void
  readonly #receiver: Receiver
  readonly #reader: FrameReader
  /** Octets that came in while the receiver had paused the connection, not decoded yet. */
  #rest: Buffer | undefined
  /** The spare buffer that `#rest` is a part of. */
  #restIn: Buffer | undefined
  #releasing = false
  /** Whether an outgoing message has begun, and not ended. */
  #open = false
  /** Octets of messages that were passed to the connection below, and are not written. */
  #unwritten = 0
  /** The violation of the protocol by the peer, if any. */
  #fault: { readonly code: number; readonly reason: string } | undefined
  #ended = false
  /** Whether the peer has sent a Close; it is answered after what is written in this turn. */
  #peerEnded = false
  #gone = false
  /** Defined when the connection below is closed. */
  #down: { readonly failure: string | undefined } | undefined
  /** Whether the receiver has been told of the close. */
  #told = false
  /** Whether a Pong is being written. */
  #ponging = false
  /** The payload of the Pong to write after that. */
  #owed: Buffer | undefined
  /** Whether anything has come in since the last `takeHeard`. */
  #heard = true

  constructor(below: Connection, accept: Accept, { defer, key, piece = PIECE }: WebSocketOptions) {
    super(below)
    this.below = below
    this.#defer = defer
    this.#key = key
    this.messages = { piece }
    this.#reader = new FrameReader(this, key === undefined)
    this.#receiver = accept(this)
  }

  // ---- out

  write(bytes: Uint8Array, written: () => void, ends: ReadonlyArray<number> = NO_ENDS): void {
    const octets = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const { length } = octets
    const headRoom = (ends.length + 1) * (headLength(length) + (this.#key === undefined ? 0 : 4))
    const spare = takeSpare(length + headRoom)
    let to = 0
    let at = 0
    for (const end of ends) {
      to = this.#frame(spare, to, octets, at, end, true)
      at = end
    }
    if (at < length) to = this.#frame(spare, to, octets, at, length, false)
    this.#unwritten += length
    this.below.write(spare.subarray(0, to), () => {
      this.#unwritten -= length
      releaseSpare(spare)
      written()
    })
  }

  /** Writes a frame; `fin`: whether it ends the message. Returns the offset after the frame. */
  #frame(out: Buffer, to: number, octets: Buffer, start: number, end: number, fin: boolean): number {
    const key = this.#key?.()
    const payload = writeHead(out, to, this.#open ? CONTINUATION : BINARY, fin, end - start, key)
    octets.copy(out, payload, start, end)
    if (key !== undefined) mask(out, payload, payload + end - start, key, 0)
    this.#open = !fin
    return payload + end - start
  }

  get lost(): boolean {
    return this.below.lost === true
  }

  /** Nothing is sent after a Close (RFC 6455 §5.5.1). */
  get halfClosed(): boolean {
    return this.#ended || this.#peerEnded || this.below.halfClosed === true
  }

  pending(): number {
    return Math.min(this.below.pending(), this.#unwritten)
  }

  /** Sends a Ping (RFC 6455 §5.5.2). */
  ping(): void {
    if (!this.#ended) this.#control(PING, Buffer.alloc(0), nothing)
  }

  takeHeard(): boolean {
    const heard = this.#heard
    this.#heard = false
    return heard
  }

  #control(opcode: number, payload: Uint8Array, written: () => void): void {
    const key = this.#key?.()
    if (key === undefined) return this.below.write(controlFrame(opcode, payload), written)
    const frame = Buffer.allocUnsafe(6 + payload.length)
    const at = writeHead(frame, 0, opcode, true, payload.length, key)
    frame.set(payload, at)
    mask(frame, at, frame.length, key, 0)
    this.below.write(frame, written)
  }

  // ---- in

  bytes(chunk: Buffer): void {
    // Otherwise a peer that sends on after its Close, and never closes the connection below, would keep it.
    if (!this.#peerEnded) this.#heard = true
    const used = this.#reader.push(chunk)
    if (used < chunk.length && !this.#gone) this.#keep(chunk, used)
  }

  #keep(chunk: Buffer, from: number): void {
    const spare = this.#restIn = takeSpare(chunk.length - from)
    this.#rest = spare.subarray(0, chunk.copy(spare, 0, from))
  }

  /** Drops the kept octets, and returns their buffer. */
  #forget(): void {
    if (this.#restIn !== undefined) releaseSpare(this.#restIn)
    this.#rest = this.#restIn = undefined
  }

  data(octets: Buffer, last: boolean): void {
    if (!this.#gone) this.#receiver.bytes(octets, last)
  }

  /** If several Pings come before a Pong is written, only the last one is answered (RFC 6455 §5.5.3). */
  pinged(payload: Buffer): void {
    if (this.#ended) return
    if (this.#ponging) this.#owed = keepOctets(payload)
    else this.#pong(payload)
  }

  #pong(payload: Uint8Array): void {
    this.#ponging = true
    this.#owed = undefined
    this.#control(PONG, payload, () => {
      this.#ponging = false
      if (this.#owed !== undefined && !this.#ended) this.#pong(this.#owed)
    })
  }

  ponged(): void {}

  idle(): void {
    if (++this.#idles === 1) this.#defer(this.#nextTurn)
    if (this.#idles === IDLE) this.below.pause()
  }

  readonly #nextTurn = (): void => {
    const waited = this.#idles >= IDLE
    this.#idles = 0
    if (waited && !this.#held && !this.#gone) this.#goOn()
  }

  get paused(): boolean {
    return this.#held || this.#idles >= IDLE
  }

  pause(): void {
    if (this.#held) return
    this.#held = true
    this.below.pause()
  }

  resume(): void {
    if (!this.#held) return
    this.#held = false
    if (this.#idles < IDLE) this.#goOn()
  }

  #goOn(): void {
    if (this.#rest === undefined) this.below.resume()
    else this.#release()
  }

  /** Delivers the kept octets outside of the call of `resume`, then reads on. */
  #release(): void {
    if (this.#releasing) return
    this.#releasing = true
    this.#defer(() => {
      this.#releasing = false
      this.deliver()
    })
  }

  deliver(): void {
    const rest = this.#rest
    if (rest === undefined || this.paused || this.#gone) return
    const memory = this.#restIn!
    this.#rest = this.#restIn = undefined
    try {
      this.bytes(rest)
    } catch (defect) {
      this.destroy()
      throw defect
    } finally {
      releaseSpare(memory)
    }
    if (this.#rest !== undefined) return
    if (this.#down !== undefined) this.#tellLater()
    else if (!this.paused) this.below.resume()
  }

  // ---- the end

  closing(code: number): void {
    if (this.#ended) return this.destroy()
    this.#peerEnded = true
    // What came in before the Close may have answers that are not written yet, and nothing is written after a Close.
    this.#defer(() => {
      if (this.#ended || this.#gone) return
      this.#ended = true
      this.#control(CLOSE, code === 1005 ? Buffer.alloc(0) : closePayload(code, ""), nothing)
      this.below.end()
      this.#receiver.leaving?.()
    })
  }

  faulty(code: number, reason: string): void {
    this.#fault = { code, reason }
    if (this.#receiver.broken !== undefined) return this.#receiver.broken(reason)
    this.end()
  }

  end(why: CloseReason = "done"): void {
    if (this.#ended) return
    if (this.#down !== undefined) this.#tellLater()
    this.#say(why)
    this.below.end()
  }

  #say(why: CloseReason): void {
    if (this.#ended) return
    this.#ended = true
    const { code, reason } = this.#fault ?? { code: closeCodeOf[why], reason: "" }
    this.#control(CLOSE, closePayload(code, reason), nothing)
  }

  destroy(why?: CloseReason): void {
    if (why !== undefined) this.#say(why)
    this.#gone = true
    this.#forget()
    if (this.#down !== undefined) this.#tellLater()
    else this.below.destroy()
  }

  /** Octets read before the close are still delivered, unless this side has ended the connection. */
  closed(failure?: string): void {
    this.#down = { failure }
    if (this.#rest === undefined || this.#ended) this.#tell()
  }

  #tellLater(): void {
    this.#defer(() => this.#tell())
  }

  #tell(): void {
    if (this.#told) return
    this.#told = true
    this.#gone = true
    this.#forget()
    this.#receiver.closed(this.#down?.failure)
  }
}
