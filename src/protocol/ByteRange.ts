/** Byte-Range: which octets of its message a chunk has (RFC 4975 §7.1.1). */
import type { Flag } from "./Head.ts"

/**
 * The total of a message of which octets up to `last` were received: -1 if unknown. A `total` below `last` is invalid; the end of
 * the message gives it (RFC 4975 §7.3.1).
 */
export const totalOf = (total: number, last: number, flag: Flag): number =>
  last <= total ? total : flag === "$" ? last : -1

/** The value of Byte-Range; -1 stands for `*`. */
export const byteRange = (start: number, end: number, total: number): string =>
  `${start}-${end === -1 ? "*" : end}/${total === -1 ? "*" : total}`

export const byteRangeLine = (start: number, end: number, total: number): string =>
  `Byte-Range: ${byteRange(start, end, total)}\r\n`
