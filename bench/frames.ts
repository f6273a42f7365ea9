/**
 * Frames that are made once and sent many times: only their number changes from message to message.
 */
import type { MessageScenario } from "./scenarios.ts"

/** Octets up to which a frame has a copy of its body. A larger body is shared by all frames, because copies would fit into no cache. */
const wholeFrameLimit = 2048

const digits = 10

/** A text that ends in a number: the transaction identifier and Message-ID of the n-th message. */
export class Counter {
  readonly text: Buffer

  constructor(prefix: string) {
    this.text = Buffer.from(prefix + "0".repeat(digits), "latin1")
  }

  next(): void {
    increment(this.text, this.text.length - 1)
  }

  /** Continues from another text, if that has the same length. */
  set(text: string): void {
    if (text.length === this.text.length) this.text.write(text, "latin1")
  }

  /** Whether this text is in the buffer at `at`. */
  matches(buffer: Buffer, at: number): boolean {
    const { text } = this
    for (let i = text.length - 1; i >= 0; i--) {
      if (buffer[at + i] !== text[i]) return false
    }
    return true
  }
}

const increment = (buffer: Buffer, lastDigit: number): void => {
  let at = lastDigit
  while (buffer[at] === 0x39) buffer[at--] = 0x30
  buffer[at]!++
}

export interface SendOptions {
  readonly prefix: string
  readonly toPath: string
  readonly fromPath: string
  readonly body: Buffer
  readonly contentType: string
}

/** A SEND with the number of the message in three places, all of which `next` increments. */
export class SendFrame {
  /** The whole frame, or the part before the body. */
  readonly head: Buffer
  /** The body and the end-line, if they are sent separately. */
  readonly rest: { readonly body: Buffer; readonly end: Buffer } | undefined
  /** Octets of the whole frame. */
  readonly length: number
  private readonly places: ReadonlyArray<readonly [buffer: Buffer, lastDigit: number]>

  constructor(options: SendOptions) {
    const { body } = options
    const id = options.prefix + "0".repeat(digits)
    // The end of a chunk larger than 2048 octets is left open: it may be interrupted (RFC 4975 §7.1.1).
    const rangeEnd = body.length > 2048 ? "*" : String(body.length)
    const start = `MSRP ${id} SEND\r\nTo-Path: ${options.toPath}\r\nFrom-Path: ${options.fromPath}\r\nMessage-ID: ${id}`
    const head = Buffer.from(
      `${start}\r\nByte-Range: 1-${rangeEnd}/${body.length}\r\nContent-Type: ${options.contentType}\r\n\r\n`,
      "latin1"
    )
    const end = Buffer.from(`\r\n-------${id}$\r\n`, "latin1")
    const whole = head.length + body.length + end.length <= wholeFrameLimit
    this.head = whole ? Buffer.concat([head, body, end]) : head
    this.rest = whole ? undefined : { body, end }
    this.length = this.head.length + (whole ? 0 : body.length + end.length)
    const endAt = whole ? head.length + body.length : 0
    this.places = [
      [this.head, 5 + id.length - 1],
      [this.head, start.length - 1],
      [whole ? this.head : end, endAt + 9 + id.length - 1]
    ]
  }

  next(): void {
    for (const [buffer, lastDigit] of this.places) increment(buffer, lastDigit)
  }
}

/** A 200 for requests whose transaction id has a given length. */
export class OkFrame {
  readonly bytes: Buffer
  readonly idLength: number

  constructor(idLength: number, toPath: string, fromPath: string) {
    const id = "0".repeat(idLength)
    this.idLength = idLength
    this.bytes = Buffer.from(
      `MSRP ${id} 200 OK\r\nTo-Path: ${toPath}\r\nFrom-Path: ${fromPath}\r\n-------${id}$\r\n`,
      "latin1"
    )
  }

  /** Writes the response to `target`; the transaction id is copied from `source`. */
  write(target: Buffer, at: number, source: Buffer, idAt: number): void {
    const { bytes, idLength } = this
    target.set(bytes, at)
    const last = at + bytes.length - 3 - idLength
    for (let i = 0; i < idLength; i++) {
      const octet = source[idAt + i]!
      target[at + 5 + i] = octet
      target[last + i] = octet
    }
  }
}

const alphabet = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "latin1")

/** Makes a body, the same in every run: lines of letters and digits, or octets of any value. */
export const makeBody = (kind: MessageScenario["body"], size: number): Buffer => {
  const body = Buffer.allocUnsafe(size)
  let state = 0x2f6e2b1
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const octet = state >>> 24
    body[i] = kind === "binary" ? octet : i % 72 === 71 ? 0x0a : alphabet[octet & 63]!
  }
  return body
}
