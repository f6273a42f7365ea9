/** Masking of payload (RFC 6455 §5.3): the same operation puts a mask on and takes it off. */

/** Octets from which on whole words are faster than single octets, with a view made for them. */
const WORDS_FROM = 48

/**
 * Masks `buf[start, end)` in place. `key`: the four octets of the masking key as a little-endian word. `phase`: how many
 * octets of the payload came before; only its last two bits count.
 */
export const mask = (buf: Buffer, start: number, end: number, key: number, phase: number): void => {
  let at = start
  let turn = phase & 3
  if (end - start >= WORDS_FROM) {
    // To the next word of the memory below.
    for (; ((buf.byteOffset + at) & 3) !== 0; at++, turn = (turn + 1) & 3) buf[at]! ^= key >>> (turn << 3)
    const count = (end - at) >> 2
    const words = new Int32Array(buf.buffer, buf.byteOffset + at, count)
    const bits = turn << 3
    const word = bits === 0 ? key : (key >>> bits) | (key << (32 - bits))
    let i = 0
    for (; i + 8 <= count; i += 8) {
      words[i]! ^= word
      words[i + 1]! ^= word
      words[i + 2]! ^= word
      words[i + 3]! ^= word
      words[i + 4]! ^= word
      words[i + 5]! ^= word
      words[i + 6]! ^= word
      words[i + 7]! ^= word
    }
    for (; i < count; i++) words[i]! ^= word
    at += count << 2
  }
  for (; at < end; at++, turn = (turn + 1) & 3) buf[at]! ^= key >>> (turn << 3)
}
