/** What a connection of the load client writes. Small frames are collected in slabs of memory, which are used again. */
import type { Socket } from "node:net"
import type { OkFrame, SendFrame } from "./frames.ts"
import { MAX_HEAD, textFrame, writeHead } from "./webSocket.ts"

const SLAB_SIZE = 65_536

/** Octets up to which a body is copied to a slab. A larger one is written from where it is. */
const COPIED_BODY = 16_384

/** A piece of memory for output. It is free again when the operating system has its octets. */
interface Slab {
  readonly bytes: Buffer
  readonly release: () => void
}

const freeSlabs: Array<Slab> = []

const takeSlab = (): Slab => {
  const free = freeSlabs.pop()
  if (free !== undefined) return free
  const slab: Slab = { bytes: Buffer.allocUnsafeSlow(SLAB_SIZE), release: () => freeSlabs.push(slab) }
  return slab
}

export class Output {
  private readonly socket: Socket
  private readonly isWebSocket: boolean
  private slab: Slab | undefined
  /** Offsets in the slab: the end of its octets, and the end of those that were written. */
  private filled = 0
  private written = 0

  /** On a WebSocket, each MSRP frame is one message. */
  constructor(socket: Socket, isWebSocket: boolean) {
    this.socket = socket
    this.isWebSocket = isWebSocket
  }

  /** Adds a SEND. It is written by `flush`, or when its slab is full. */
  send(frame: SendFrame): void {
    if (this.isWebSocket) this.putHead(frame.length)
    this.put(frame.head)
    if (frame.rest === undefined) return
    const { body, end } = frame.rest
    if (body.length <= COPIED_BODY) {
      this.put(body)
    } else {
      this.socket.cork()
      this.write(undefined)
      this.socket.write(body)
    }
    this.put(end)
  }

  /** Adds a response with the transaction id at `idAt` in `source`. */
  respond(ok: OkFrame, source: Buffer, idAt: number): void {
    const { length } = ok.bytes
    if (this.isWebSocket) this.putHead(length)
    ok.write(this.room(length), this.filled, source, idAt)
    this.filled += length
  }

  /** Writes the text of a frame at once. */
  text(frame: string): void {
    if (this.isWebSocket) this.socket.write(textFrame(frame))
    else this.socket.write(frame, "latin1")
  }

  /** Writes the collected octets. */
  flush(): void {
    const { slab } = this
    if (slab === undefined) return
    this.write(slab.release)
    this.slab = undefined
    while (this.socket.writableCorked > 0) this.socket.uncork()
  }

  /** Gives the slab, which then has room for `size` octets at `filled`. */
  private room(size: number): Buffer {
    if (this.slab !== undefined && this.filled + size > SLAB_SIZE) {
      this.write(this.slab.release)
      this.slab = undefined
    }
    if (this.slab === undefined) {
      this.slab = takeSlab()
      this.filled = this.written = 0
    }
    return this.slab.bytes
  }

  private put(bytes: Buffer): void {
    this.room(bytes.length).set(bytes, this.filled)
    this.filled += bytes.length
  }

  /** Adds the WebSocket header of a message of `octets`. */
  private putHead(octets: number): void {
    this.filled = writeHead(this.room(MAX_HEAD), this.filled, octets)
  }

  private write(release: (() => void) | undefined): void {
    const part = this.slab!.bytes.subarray(this.written, this.filled)
    this.written = this.filled
    this.socket.write(part, release)
  }
}
