/**
 * Seven hyphens, with which every end-line begins (RFC 4975 §7.1). Where there are none, there is neither the end-line
 * that is expected nor one of any other transaction id: one search of a body answers both questions.
 */
import { Buffer } from "../platform/Node.ts"
export const DASH = 45
export const HYPHENS = 7
const seven = Buffer.alloc(HYPHENS, DASH)

/** Octets that are searched here before the runtime's own search is worth its call. */
const NEAR = 1024

/** Where the first run of at least seven hyphens in `buf[from, end)` begins, or -1. */
export const sevenHyphens = (buf: Buffer, from: number, end: number): number => {
  const near = Math.min(end, from + NEAR)
  // Of any seven neighbouring octets one is here.
  let p = from + HYPHENS - 1
  for (; p < near; p += HYPHENS) {
    if (buf[p] !== DASH) continue
    let first = p
    while (first > from && buf[first - 1] === DASH) first--
    const after = behindHyphens(buf, p, end)
    if (after - first >= HYPHENS) return first
    p = after - 1
  }
  if (p >= end) return -1
  const far = p - HYPHENS + 1
  const found = buf.subarray(far, end).indexOf(seven)
  return found === -1 ? -1 : far + found
}

/** The first offset from `p` on that has no hyphen. */
export const behindHyphens = (buf: Buffer, p: number, end: number): number => {
  let after = p
  while (after < end && buf[after] === DASH) after++
  return after
}
