/**
 * Octets and texts that are kept for long.
 *
 * `Buffer.from` and `Buffer.concat` take small buffers from a shared pool of 64 KiB, which stays in memory as long as any part of
 * it is used. A few octets that are kept among many that are not would take a hundred times their memory.
 */
import { Buffer } from "../platform/Node.ts"

/** A copy in memory of its own. */
export const keepOctets = (octets: Uint8Array): Buffer => {
  const own = Buffer.allocUnsafeSlow(octets.length)
  own.set(octets)
  return own
}

/** The octets of both, one after the other, in memory of their own. */
export const keepBoth = (before: Uint8Array, after: Uint8Array): Buffer => {
  const own = Buffer.allocUnsafeSlow(before.length + after.length)
  own.set(before)
  own.set(after, before.length)
  return own
}

/** New memory has room for one part in this number more. */
const ROOM = 8

/**
 * Joins octets where little is added again and again. Room behind `before` is used if there is enough, so `before` must be all that
 * is in its memory, and must not be used afterwards.
 */
export const keepMore = (before: Buffer, after: Uint8Array): Buffer => {
  const from = before.byteOffset + before.length
  const length = before.length + after.length
  if (from + after.length <= before.buffer.byteLength) {
    const both = Buffer.from(before.buffer as ArrayBuffer, before.byteOffset, length)
    both.set(after, before.length)
    return both
  }
  const own = Buffer.allocUnsafeSlow(length + Math.floor(length / ROOM)).subarray(0, length)
  own.set(before)
  own.set(after, before.length)
  return own
}

/** The octets of a Latin-1 text, in memory of their own. */
export const keepText = (text: string): Buffer => {
  const own = Buffer.allocUnsafeSlow(text.length)
  own.write(text, "latin1")
  return own
}

/** A copy of a text, because a part of a text keeps all of it in memory. Text that is not Latin-1, which is never received, is returned as it is. */
export const ownText = (text: string): string => {
  const own = Buffer.from(text, "latin1").toString("latin1")
  return own === text ? own : text
}
