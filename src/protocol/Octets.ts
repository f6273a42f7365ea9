/**
 * Octets and texts that are kept.
 *
 * `Buffer.from` and `Buffer.concat` cut what is small from 64 KiB that many share, all of which stay for as long as any of it is
 * used: whoever has a few octets kept among many that are not would have a hundred times as much of the memory.
 */
import { Buffer } from "../platform/Node.ts"

/** A copy in memory of its own. */
export const keepOctets = (octets: Uint8Array): Buffer => {
  const own = Buffer.allocUnsafeSlow(octets.length)
  own.set(octets)
  return own
}

/** Both, one behind the other. */
export const keepBoth = (before: Uint8Array, after: Uint8Array): Buffer => {
  const own = Buffer.allocUnsafeSlow(before.length + after.length)
  own.set(before)
  own.set(after, before.length)
  return own
}

/** One part in so many is room for what comes next. */
const ROOM = 8

/**
 * The same where little comes again and again. Memory behind `before` is used if there is some, so `before` must be all that is in
 * it, and is no more afterwards.
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

/** A text of latin1. */
export const keepText = (text: string): Buffer => keepOctets(Buffer.from(text, "latin1"))

/** A copy: a part of a text keeps all of it in memory. What is not latin1, as all is that comes in, stays as it is. */
export const ownText = (text: string): string => {
  const own = Buffer.from(text, "latin1").toString("latin1")
  return own === text ? own : text
}
