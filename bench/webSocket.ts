/**
 * The WebSocket of a connection of the load client: heads of frames, put before what goes out and taken out of what comes in.
 *
 * The masking key is 0, so that masking costs this client nothing; the relay takes it off like any other.
 */
/** Octets of the longest head of a frame that goes out. */
export const MAX_HEAD = 14

/** Writes the head of a binary frame at `at`; gives the offset behind it. */
export const writeHead = (buf: Buffer, at: number, payload: number): number => {
  const first = buf.writeUInt8(0x82, at)
  const next = payload < 126
    ? buf.writeUInt8(0x80 | payload, first)
    : payload < 65_536
    ? buf.writeUInt16BE(payload, buf.writeUInt8(0xFE, first))
    : buf.writeUInt32BE(payload, buf.writeUInt32BE(0, buf.writeUInt8(0xFF, first)))
  return buf.writeUInt32LE(0, next)
}

/** A whole frame with such text. */
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

/** Takes the heads out of what comes in. */
export class Unframer {
  private readonly pong: (frame: Buffer) => void
  /** The answer to the request has come. */
  private opened = false
  private answer = ""
  /** Octets of payload of this frame that are still to come, and whether they are of a control frame. */
  private left = 0
  private control = false
  /** A head that has begun in one read and goes on in another. */
  private readonly head = Buffer.alloc(10)
  private headLength = 0

  constructor(pong: (frame: Buffer) => void) {
    this.pong = pong
  }

  /** Whether the WebSocket is open. */
  get isOpen(): boolean {
    return this.opened
  }

  /** What the relay has answered instead of opening it, or nothing yet. */
  get refusal(): string | undefined {
    return this.answer === "" || this.answer.startsWith("HTTP/1.1 101 ") ? undefined : this.answer.split("\r\n", 1)[0]
  }

  /** Moves the payload in `[start, end)` together, to `start`; gives where it ends. */
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
