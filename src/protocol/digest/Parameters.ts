/** The parameters of a Digest header value (RFC 7616 §3.3, §3.4, §3.5), as octet strings. */
import { ALPHANUMERIC, isBlank, octetsOf } from "../Grammar.ts"

/** Limits of one header value; a value above them is malformed. */
export const digestLimits = {
  /** Octets of the whole header value. */
  header: 8192,
  /** Parameters, including unknown ones. */
  parameters: 32,
  /** Octets of the value of one parameter, without quotes and escapes. */
  value: 2048
} as const

export interface Parameter {
  readonly name: string
  /** Without quotes and escapes. */
  readonly value: string
  readonly quoted: boolean
}

interface Malformed {
  readonly _tag: "Malformed"
  /** What is wrong. Contains nothing of the value. */
  readonly reason: string
}

/** Values by their names in lower case. */
export type Parameters = ReadonlyMap<string, string>

export type DigestValue =
  | { readonly _tag: "Digest"; readonly parameters: Parameters }
  | { readonly _tag: "OtherScheme"; readonly scheme: string }
  | Malformed

export const malformed = (reason: string): Malformed => ({ _tag: "Malformed", reason })

/** Parameters with a meaning in one of the three headers, which may occur only once in a list. */
const known = new Set([
  "algorithm",
  "charset",
  "cnonce",
  "domain",
  "nc",
  "nextnonce",
  "nonce",
  "opaque",
  "qop",
  "realm",
  "response",
  "rspauth",
  "stale",
  "uri",
  "userhash",
  "username",
  "username*"
])

const HTAB = 9
const SP = 32
const QUOTE = 34
const COMMA = 44
const EQUALS = 61
const BACKSLASH = 92

/** The octets of a token of HTTP (RFC 9110 §5.6.2). Unlike one of MSRP, it has no braces. */
const tokenOctet = octetsOf(`${ALPHANUMERIC}!#$%&'*+-.^_\`|~`)

const isToken = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (tokenOctet[text.charCodeAt(i)] !== 1) return false
  return text.length > 0
}
/** Whether an octet may be in a quoted string: no control character but HTAB, and no character that is not an octet. */
const isText = (code: number): boolean => (code >= SP && code !== 127 && code <= 255) || code === HTAB
export const isWritable = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (!isText(text.charCodeAt(i))) return false
  return true
}

/**
 * Reads a parameter list, as in Authentication-Info: elements in any order, separated by commas with optional blanks; empty
 * elements are ignored. An unquoted value is any run without blanks, commas and quotes, because older grammars leave `uri`
 * unquoted.
 */
export const parseParameters = (text: string, from = 0): Parameters | Malformed => {
  const end = text.length
  if (end > digestLimits.header) return malformed("header value too long")
  const parameters = new Map<string, string>()
  let at = from
  const blanks = (): void => {
    while (at < end && isBlank(text.charCodeAt(at))) at++
  }
  let count = 0
  for (;;) {
    while (at < end && (isBlank(text.charCodeAt(at)) || text.charCodeAt(at) === COMMA)) at++
    if (at === end) return parameters
    if (++count > digestLimits.parameters) return malformed("too many parameters")

    const nameStart = at
    while (at < end && tokenOctet[text.charCodeAt(at)] === 1) at++
    const name = text.slice(nameStart, at).toLowerCase()
    blanks()
    if (name === "" || text.charCodeAt(at) !== EQUALS) return malformed("not a parameter")
    at++
    blanks()

    let value = ""
    if (text.charCodeAt(at) === QUOTE) {
      let start = ++at
      for (;;) {
        if (at >= end) return malformed("unbalanced quote")
        const code = text.charCodeAt(at)
        if (code === QUOTE) break
        if (code === BACKSLASH) {
          value += text.slice(start, at)
          start = ++at
          if (at >= end) return malformed("unbalanced quote")
        }
        if (!isText(text.charCodeAt(at))) return malformed("control character")
        at++
      }
      value += text.slice(start, at)
      at++
    } else {
      const start = at
      for (; at < end; at++) {
        const code = text.charCodeAt(at)
        if (code === COMMA || isBlank(code)) break
        if (code === QUOTE || !isText(code)) return malformed("quote or control character in an unquoted value")
      }
      value = text.slice(start, at)
      if (value === "") return malformed("parameter without a value")
    }
    if (value.length > digestLimits.value) return malformed("parameter too long")
    blanks()
    if (at < end && text.charCodeAt(at) !== COMMA) return malformed("comma missing")

    if (!parameters.has(name)) parameters.set(name, value)
    else if (known.has(name)) return malformed("parameter given twice")
  }
}

/** Reads a value of WWW-Authenticate or Authorization: a scheme, whose case does not matter, and its parameters. */
export const parseDigest = (text: string): DigestValue => {
  if (text.length > digestLimits.header) return malformed("header value too long")
  let start = 0
  while (isBlank(text.charCodeAt(start))) start++
  let at = start
  while (at < text.length && !isBlank(text.charCodeAt(at))) at++
  const scheme = text.slice(start, at)
  if (!isToken(scheme)) return malformed("no scheme")
  if (scheme.toLowerCase() !== "digest") return { _tag: "OtherScheme", scheme }
  const parameters = parseParameters(text, at)
  return "_tag" in parameters ? parameters : { _tag: "Digest", parameters }
}

/**
 * Makes a parameter list on one line, with a comma and one SP between its elements. `undefined` when one of them cannot be
 * written: a name or an unquoted value that is no token, or a quoted value with a control character such as CR or LF.
 * Quotes and backslashes are escaped, so no value can end its string early.
 */
export const printParameters = (parameters: ReadonlyArray<Parameter>): string | undefined => {
  let text = ""
  for (const { name, quoted, value } of parameters) {
    if (!isToken(name) || !(quoted ? isWritable(value) : isToken(value))) return undefined
    text += `${text === "" ? "" : ", "}${name}=${quoted ? `"${escaped(value)}"` : value}`
  }
  return text
}

const escaped = (value: string): string =>
  value.includes("\"") || value.includes("\\") ? value.replace(/["\\]/g, "\\$&") : value

export const quoted = (name: string, value: string): Parameter => ({ name, value, quoted: true })
export const token = (name: string, value: string): Parameter => ({ name, value, quoted: false })
export const withScheme = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : `Digest ${text}`
