/** A connection on an open `WebSocket`, with the flow control that this API lacks: when octets were sent, and when to wait. */
import { Buffer } from "../platform/Node.ts"
import {
  type Accept,
  type CloseReason,
  type Connection,
  ConnectionFacts,
  type Receiver
} from "../transport/Connection.ts"

/** Octets of body in a chunk to the relay. */
export const PIECE = 65_536
/** Octets of a received WebSocket message. The chunks of a relay are far shorter. */
export const MAX_MESSAGE = 8_388_608
/** Octets received while reading is paused. A WebSocket cannot be paused, so beyond it the connection is closed. */
export const MAX_HELD = 67_108_864
/** Milliseconds between checks of `bufferedAmount` while octets wait to be sent. */
const LOOK_AGAIN = 20

/** Close codes that a page may send: 1000, or codes for private use (RFC 6455 §7.4.2). */
const closeCodeOf: Readonly<Record<CloseReason, number>> = {
  done: 1000,
  "going away": 4001,
  protocol: 4002,
  policy: 4008,
  defect: 4011,
  overload: 4013
}

/** Close codes in words (RFC 6455 §7.4.1). */
const words: Readonly<Record<number, string>> = {
  1000: "the relay has closed",
  1001: "the relay goes out of service",
  1002: "the relay found an error in the protocol",
  1005: "the relay has closed",
  1006: "the connection broke",
  1008: "the relay does not allow it",
  1009: "a message was too big",
  1011: "the relay has failed",
  1013: "the relay is overloaded"
}

/** Why a WebSocket was closed. The reason text of the peer is not repeated. */
export const whyClosed = (code: number): string => `${words[code] ?? "it was closed"}, WebSocket ${code}`

interface Written {
  /** Octets that were handed to the socket up to and including this write. */
  readonly upTo: number
  readonly written: () => void
}

const octetsOf = (data: unknown): Buffer =>
  typeof data === "string" ? Buffer.from(data) : Buffer.from(data as ArrayBuffer)

export class WebSocketConnection extends ConnectionFacts implements Connection {
  readonly transport = "ws"
  readonly messages = { piece: PIECE }
  readonly #socket: WebSocket
  readonly #receiver: Receiver
  /** Octets that were handed to the socket in all. */
  #given = 0
  #writes: Array<Written> = []
  /** The beginning of a message that continues with the next write. */
  #begun: Uint8Array | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #paused = false
  /** Messages received while reading is paused. */
  #held: Array<Buffer> = []
  #heldOctets = 0
  #releasing = false
  #ended = false
  #gone = false

  constructor(socket: WebSocket, facts: ConnectionFacts, accept: Accept) {
    super(facts)
    this.#socket = socket
    socket.binaryType = "arraybuffer"
    this.#receiver = accept(this)
    // Text messages carry MSRP too (RFC 7977 §4.2).
    socket.addEventListener("message", ({ data }) => this.#came(octetsOf(data)))
    socket.addEventListener("close", ({ code }) => this.#closed(whyClosed(code)), { once: true })
  }

  // ---- out

  write(bytes: Uint8Array, written: () => void, ends: ReadonlyArray<number> = []): void {
    let at = 0
    if (!this.#ended && !this.#gone) {
      for (const end of ends) {
        this.#send(bytes.subarray(at, end))
        at = end
      }
      if (at < bytes.length) {
        const rest = bytes.subarray(at)
        this.#begun = Buffer.from(this.#begun === undefined ? rest : Buffer.concat([this.#begun, rest]))
      }
    }
    this.#writes.push({ upTo: this.#given, written })
    // Most octets are sent at once. The timer checks the rest.
    queueMicrotask(() => this.#look())
  }

  #send(octets: Uint8Array): void {
    const whole = this.#begun === undefined ? octets : Buffer.concat([this.#begun, octets])
    this.#begun = undefined
    // The platform copies the octets. They are never in shared memory, which the types of browsers do not accept.
    // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- the types of Node accept it
    this.#socket.send(whole as Uint8Array<ArrayBuffer>)
    this.#given += whole.length
  }

  /** Calls `written` for the octets that the platform has sent, and checks again later while others wait. */
  #look(): void {
    const sent = this.#gone ? Infinity : this.#given - this.#socket.bufferedAmount
    const behind = this.#writes.findIndex(({ upTo }) => upTo > sent)
    const done = this.#writes.splice(0, behind === -1 ? this.#writes.length : behind)
    if (this.#writes.length === 0) this.#clear()
    else {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        this.#look()
      }, LOOK_AGAIN)
    }
    for (const { written } of done) written()
  }

  #clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  pending(): number {
    return this.#gone ? 0 : this.#socket.bufferedAmount
  }

  // ---- in

  #came(message: Buffer): void {
    this.#look()
    if (this.#gone || message.length === 0) return
    if (message.length > MAX_MESSAGE) return this.#break("a message is too long")
    if (!this.#paused && this.#held.length === 0) return this.#receiver.bytes(message, true)
    this.#held.push(message)
    this.#heldOctets += message.length
    if (this.#heldOctets > MAX_HELD) this.#break("nobody takes what comes in")
  }

  #break(why: string): void {
    this.#socket.close(closeCodeOf.policy)
    this.#closed(why)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (this.#releasing || this.#held.length === 0) return
    this.#releasing = true
    queueMicrotask(() => {
      this.#releasing = false
      this.#release()
    })
  }

  #release(): void {
    while (!this.#paused && !this.#gone) {
      const message = this.#held.shift()
      if (message === undefined) return
      this.#heldOctets -= message.length
      this.#receiver.bytes(message, true)
    }
  }

  // ---- the end

  end(why: CloseReason = "done"): void {
    if (this.#ended) return
    this.#ended = true
    // The platform sends what is buffered first.
    this.#socket.close(closeCodeOf[why])
  }

  destroy(): void {
    if (this.#gone) return
    this.#socket.close()
    this.#ended = true
    queueMicrotask(() => this.#closed(undefined))
  }

  #closed(why: string | undefined): void {
    if (this.#gone) return
    if (!this.#paused) this.#release()
    this.#gone = true
    this.#held = []
    this.#look()
    queueMicrotask(() => this.#receiver.closed(why))
  }
}
