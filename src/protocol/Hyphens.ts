/**
 * Seven hyphens, with which every end-line begins (RFC 4975 §7.1). A body without them contains neither the expected end-line nor
 * one of another transaction id, so one search answers both questions.
 */
import { Buffer } from "../platform/Node.ts"
export const DASH = 45
export const HYPHENS = 7
const seven = Buffer.alloc(HYPHENS, DASH)

/** Octets that are searched here before the search of the runtime is worth its call. */
const NEAR = 1024

/** The offset of the first run of at least seven hyphens in `buf[from, end)`, or -1. */
export const sevenHyphens = (buf: Buffer, from: number, end: number): number => {
  const near = Math.min(end, from + NEAR)
  // Every run of seven octets includes one of these offsets.
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

/** The first offset from `p` on that is no hyphen. */
export const behindHyphens = (buf: Buffer, p: number, end: number): number => {
  let after = p
  while (after < end && buf[after] === DASH) after++
  return after
}
