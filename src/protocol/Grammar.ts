/**
 * The grammar of a start line and a header section (RFC 4975 §9): classes of octets, names, and forms of values.
 * No strings are made of the octets.
 */
const SP = 32
const HTAB = 9
const STAR = 42
const DEL = 127

/** A class of octets: a table with 1 at each octet of the class. */
export const octetsOf = (characters: string): Uint8Array => {
  const table = new Uint8Array(256)
  for (let i = 0; i < characters.length; i++) table[characters.charCodeAt(i)] = 1
  return table
}
export const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
export const identFirst = octetsOf(ALPHANUMERIC)
export const identRest = octetsOf(ALPHANUMERIC + ".-+%=")
/** The octets of the name of an extension header (RFC 4975 §9, token). */
export const tokenOctet = octetsOf(ALPHANUMERIC + "!#$%&'*+-.^_`{|}~")
export const letter = octetsOf(ALPHANUMERIC.slice(0, 52))

export const MSRP = Uint8Array.from("MSRP ", (c) => c.charCodeAt(0))

/** The octets of a name in lower case, for `is` and `word`. */
const name = (text: string): Uint8Array => Uint8Array.from(text.toLowerCase(), (c) => c.charCodeAt(0))
export const SEND = name("SEND")
export const REPORT = name("REPORT")
export const AUTH = name("AUTH")
export const TO_PATH = name("To-Path")
export const FROM_PATH = name("From-Path")
export const MESSAGE_ID = name("Message-ID")
export const BYTE_RANGE = name("Byte-Range")
export const SUCCESS_REPORT = name("Success-Report")
export const FAILURE_REPORT = name("Failure-Report")
export const CONTENT_TYPE = name("Content-Type")
export const STATUS = name("Status")
export const EXPIRES = name("Expires")
export const YES = name("yes")
export const NO = name("no")
export const PARTIAL = name("partial")

/** Digits that a number in Byte-Range may have, so that it is exact in a double. */
const RANGE_DIGITS = 15

/**
 * The flag at the end of an end-line: complete, to be continued, or given up (RFC 4975 §7.1).
 *
 * @category models
 * @since 0.2.0
 */
export type Flag = "$" | "+" | "#"

/**
 * What Failure-Report asks for (RFC 4975 §7.1.2).
 *
 * @category models
 * @since 0.2.0
 */
export type FailureReport = "yes" | "partial" | "no"

export const isFlag = (octet: number): boolean => octet === 36 || octet === 43 || octet === 35

export const isText = (octet: number): boolean => (octet >= SP && octet !== DEL) || octet === HTAB

/** The end of the digits at `p`, or of a `*`. */
export const endOfNumber = (buf: Buffer, p: number, to: number): number => {
  if (p < to && buf[p] === STAR) return p + 1
  let q = p
  while (q < to && buf[q]! >= 48 && buf[q]! <= 57) q++
  return q
}

/** The value of the digits in `[from, to)`; -1 for `*`, -2 if there are none or too many. */
export const numberOf = (buf: Buffer, from: number, to: number): number => {
  if (to === from || to - from > RANGE_DIGITS) return -2
  if (buf[from] === STAR) return -1
  let value = 0
  for (let p = from; p < to; p++) value = value * 10 + buf[p]! - 48
  return value
}

/** Whether the octets at `p` are `wanted` in any case. `wanted` is in lower case. */
export const is = (buf: Buffer, p: number, wanted: Uint8Array): boolean => {
  for (let i = 0; i < wanted.length; i++) if ((buf[p + i]! | 32) !== wanted[i]) return false
  return true
}

/** Whether the octets in `[from, to)` are `wanted` in any case, and nothing more. */
export const word = (buf: Buffer, from: number, to: number, wanted: Uint8Array): boolean =>
  to - from === wanted.length && is(buf, from, wanted)

/** Octets of a Message-ID that is passed on. */
export const MAX_MESSAGE_ID = 255

/**
 * Whether it is a Message-ID that can be passed on. The grammar allows 4 to 32 characters of `ident` (RFC 4975 §9), but some
 * clients use UUIDs. It is only copied here, so any visible characters up to the limit are accepted.
 */
export const isMessageIdAt = (buf: Buffer, from: number, to: number): boolean => {
  if (to === from || to - from > MAX_MESSAGE_ID) return false
  for (let i = from; i < to; i++) if (buf[i]! <= SP || buf[i]! >= DEL) return false
  return true
}

/** Whether it is a value of Status: a namespace of three digits, a status code, and perhaps a comment (RFC 4975 §9). */
export const isStatus = (buf: Buffer, from: number, to: number): boolean => {
  if (to - from < 7 || buf[from + 3] !== SP) return false
  for (let i = 0; i < 7; i++) if (i !== 3 && (buf[from + i]! < 48 || buf[from + i]! > 57)) return false
  return to - from === 7 || buf[from + 7] === SP
}

export const isBlank = (code: number): boolean => code === SP || code === HTAB

/**
 * The text without blanks around it. Not by `trim()`, which takes the last octet of some UTF-8 sequences for a blank. Nor by a
 * regular expression, which would search for the end again from each of thousands of blanks in the middle.
 */
export const withoutBlanks = (text: string, from: number): string => {
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}
