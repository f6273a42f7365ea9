/**
 * Text of headers and comments, which is UTF-8 (RFC 4975 §9, utf8text). To a program it is text; what is below has octet strings,
 * of which one character is one octet, so that what came can go on, or be hashed, as it is.
 */
import { Buffer } from "../platform/Node.ts"
import { type HeaderLines, isLine } from "../protocol/Encoder.ts"

/** The same in both. */
const ASCII = /^[\t -~]*$/

export const toUtf8 = (text: string): string => ASCII.test(text) ? text : Buffer.from(text, "utf8").toString("latin1")

/** What is no UTF-8 becomes U+FFFD. */
export const fromUtf8 = (octets: string): string =>
  ASCII.test(octets) ? octets : Buffer.from(octets, "latin1").toString("utf8")

export const headersToUtf8 = (headers: HeaderLines): HeaderLines =>
  headers.map(([name, value]) => [name, toUtf8(value)] as const)

/** Octets of it. */
export const utf8Length = (text: string): number => toUtf8(text).length

/** Whether text comes as it goes, in one line. */
export const isUtf8Line = (text: string): boolean => text.isWellFormed() && isLine(toUtf8(text))
