/** Masking of payload (RFC 6455 §5.3): the same operation masks and unmasks. */

/** The number of octets from which on masking whole words is faster than single octets. */
const WORDS_FROM = 48

/** The words of the memory that was masked last, because a new view is garbage of twice the size of a short message. */
let words: Int32Array = new Int32Array(0)

const wordsOf = ({ buffer }: Buffer): Int32Array =>
  words.buffer === buffer ? words : words = new Int32Array(buffer, 0, buffer.byteLength >> 2)

/**
 * Masks `buf[start, end)` in place. `key`: the four octets of the masking key as a little-endian word. `phase`: the
 * number of octets of the payload before these; only its last two bits count.
 */
export const mask = (buf: Buffer, start: number, end: number, key: number, phase: number): void => {
  let at = start
  let turn = phase & 3
  if (end - start >= WORDS_FROM) {
    // Up to the next word of the memory.
    for (; ((buf.byteOffset + at) & 3) !== 0; at++, turn = (turn + 1) & 3) buf[at]! ^= key >>> (turn << 3)
    const words = wordsOf(buf)
    const bits = turn << 3
    const word = bits === 0 ? key : (key >>> bits) | (key << (32 - bits))
    let i = (buf.byteOffset + at) >> 2
    const last = (buf.byteOffset + end) >> 2
    at += (last - i) << 2
    for (; i + 8 <= last; i += 8) {
      words[i]! ^= word
      words[i + 1]! ^= word
      words[i + 2]! ^= word
      words[i + 3]! ^= word
      words[i + 4]! ^= word
      words[i + 5]! ^= word
      words[i + 6]! ^= word
      words[i + 7]! ^= word
    }
    for (; i < last; i++) words[i]! ^= word
  }
  for (; at < end; at++, turn = (turn + 1) & 3) buf[at]! ^= key >>> (turn << 3)
}
