/**
 * WebSocket frames of the load client: writes the headers of outgoing frames, and removes those of incoming ones.
 *
 * The masking key is 0, so that masking costs the client nothing; for the relay it is a key like any other.
 */
/** Octets of the longest header of an outgoing frame. */
export const MAX_HEAD = 14

/** Writes the header of a binary frame at `at`; returns the offset after it. */
export const writeHead = (buf: Buffer, at: number, payload: number): number => {
  const first = buf.writeUInt8(0x82, at)
  const next = payload < 126
    ? buf.writeUInt8(0x80 | payload, first)
    : payload < 65_536
    ? buf.writeUInt16BE(payload, buf.writeUInt8(0xFE, first))
    : buf.writeUInt32BE(payload, buf.writeUInt32BE(0, buf.writeUInt8(0xFF, first)))
  return buf.writeUInt32LE(0, next)
}

/** A frame with this text. */
export const textFrame = (text: string): Buffer => {
  const frame = Buffer.allocUnsafe(MAX_HEAD + text.length)
  const at = writeHead(frame, 0, text.length)
  return frame.subarray(0, at + frame.write(text, at, "latin1"))
}

const PONG = Buffer.from([0x8A, 0x80, 0, 0, 0, 0])

export const requestFor = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  [
    "GET / HTTP/1.1",
    `Host: ${host.includes(":") ? `[${host}]` : host}:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: msrp",
    "",
    ""
  ].join("\r\n")

/** Removes the headers of incoming frames. */
export class Unframer {
  private readonly pong: (frame: Buffer) => void
  /** Whether the response has opened the WebSocket. */
  private opened = false
  private answer = ""
  /** Octets of payload of the current frame that have not arrived, and whether it is a control frame. */
  private left = 0
  private control = false
  /** The part of a header that has arrived. */
  private readonly head = Buffer.alloc(10)
  private headLength = 0

  constructor(pong: (frame: Buffer) => void) {
    this.pong = pong
  }

  /** Whether the WebSocket is open. */
  get isOpen(): boolean {
    return this.opened
  }

  /** The status line of a response that does not open the WebSocket; `undefined` if there is none so far. */
  get refusal(): string | undefined {
    return this.answer === "" || this.answer.startsWith("HTTP/1.1 101 ") ? undefined : this.answer.split("\r\n", 1)[0]
  }

  /** Moves the payload in `[start, end)` to `start`, without headers; returns the offset after it. */
  strip(buf: Buffer, start: number, end: number): number {
    let at = this.opened ? start : this.open(buf, start, end)
    let to = start
    while (at < end) {
      if (this.left > 0) {
        const next = Math.min(end, at + this.left)
        this.left -= next - at
        if (!this.control) {
          if (to !== at) buf.copyWithin(to, at, next)
          to += next - at
        }
        at = next
      } else {
        this.head[this.headLength++] = buf[at++]!
        this.readHead()
      }
    }
    return to
  }

  private readHead(): void {
    const { head, headLength } = this
    if (headLength < 2) return
    const short = head[1]!
    if (headLength < (short === 126 ? 4 : short === 127 ? 10 : 2)) return
    this.headLength = 0
    this.left = short === 126 ? head.readUInt16BE(2) : short === 127 ? head.readUInt32BE(6) : short
    this.control = (head[0]! & 8) !== 0
    if ((head[0]! & 15) === 9) this.pong(PONG)
  }

  private open(buf: Buffer, start: number, end: number): number {
    const before = this.answer.length
    this.answer += buf.toString("latin1", start, end)
    const found = this.answer.indexOf("\r\n\r\n")
    if (found === -1) return end
    this.opened = this.refusal === undefined
    return this.opened ? start + found + 4 - before : end
  }
}
