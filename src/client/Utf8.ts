/**
 * Headers and comments are UTF-8 (RFC 4975 §9, utf8text). Programs see text; the codec uses octet strings, in which one character is
 * one octet, so that values can be forwarded or hashed unchanged.
 */
import { Buffer } from "../platform/Node.ts"
import { type HeaderLines, isLine } from "../protocol/Encoder.ts"

/** Text that is identical as an octet string. */
const ASCII = /^[\t -~]*$/

/** The octet string of a text. */
export const toUtf8 = (text: string): string => ASCII.test(text) ? text : Buffer.from(text, "utf8").toString("latin1")

/** The text of an octet string. Invalid UTF-8 becomes U+FFFD. */
export const fromUtf8 = (octets: string): string =>
  ASCII.test(octets) ? octets : Buffer.from(octets, "latin1").toString("utf8")

export const headersToUtf8 = (headers: HeaderLines): HeaderLines =>
  headers.map(([name, value]) => [name, toUtf8(value)] as const)

/** Octets of a text in UTF-8. */
export const utf8Length = (text: string): number => toUtf8(text).length

/** Whether text has no lone surrogates, and is valid in one line. */
export const isUtf8Line = (text: string): boolean => text.isWellFormed() && isLine(toUtf8(text))
