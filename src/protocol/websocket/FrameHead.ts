/** Encodes heads of WebSocket frames (RFC 6455 §5.2), and has the constants of the protocol. */

export const CONTINUATION = 0
export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/** Octets of the payload of a control frame at most (RFC 6455 §5.5). */
export const MAX_CONTROL = 125

/** Octets of the longest head, with its masking key. */
export const MAX_MASKED_HEAD = 14

const FIN = 0x80
const MASKED = 0x80

/** Octets of the head of an unmasked frame with `payload` octets of payload. */
export const headLength = (payload: number): number => payload < 126 ? 2 : payload < 65_536 ? 4 : 10

/** Writes a head at `at`. Returns the offset behind it. Without `key` the payload is not masked, as from a server. */
export const writeHead = (
  buf: Buffer,
  at: number,
  opcode: number,
  fin: boolean,
  payload: number,
  key?: number
): number => {
  const bit = key === undefined ? 0 : MASKED
  let next = at
  buf[next++] = (fin ? FIN : 0) | opcode
  if (payload < 126) buf[next++] = bit | payload
  else if (payload < 65_536) {
    buf[next++] = bit | 126
    buf[next++] = payload >>> 8
    buf[next++] = payload
  } else {
    buf[next++] = bit | 127
    next = buf.writeUInt32BE(Math.floor(payload / 2 ** 32), next)
    next = buf.writeUInt32BE(payload >>> 0, next)
  }
  return key === undefined ? next : buf.writeInt32LE(key | 0, next)
}

/** Makes a whole control frame of a server. */
export const controlFrame = (opcode: number, payload: Uint8Array): Buffer => {
  const frame = Buffer.allocUnsafe(2 + payload.length)
  writeHead(frame, 0, opcode, true, payload.length)
  frame.set(payload, 2)
  return frame
}

/** The codes with which a connection is closed (RFC 6455 §7.4.1, and its registry). */
export const closeCodes = {
  normal: 1000,
  goingAway: 1001,
  protocol: 1002,
  text: 1007,
  policy: 1008,
  tooLarge: 1009,
  defect: 1011,
  overload: 1013
} as const

/** The payload of a Close frame. `reason` is cut to 123 octets of UTF-8, at the end of a character. */
export const closePayload = (code: number, reason: string): Buffer => {
  let text = Buffer.from(reason)
  if (text.length > MAX_CONTROL - 2) {
    let end = MAX_CONTROL - 2
    while ((text[end]! & 0xC0) === 0x80) end--
    text = text.subarray(0, end)
  }
  const payload = Buffer.allocUnsafe(2 + text.length)
  payload.writeUInt16BE(code, 0)
  payload.set(text, 2)
  return payload
}
