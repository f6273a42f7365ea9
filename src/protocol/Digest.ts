/**
 * HTTP Digest as MSRP uses it (RFC 7616 with the restrictions of RFC 4976 §9.1): qop is always `auth`, the method is
 * always `AUTH`, and the request URI is the rightmost URI of To-Path.
 *
 * Header values are octet strings: one character is one octet, as `Head` reads and `Encoder` writes them. User names,
 * realms and passwords that come from elsewhere are text; `toOctets` makes UTF-8 octets of them.
 */
import { hash, timingSafeEqual } from "node:crypto"

export type DigestAlgorithm = "MD5" | "SHA-256"

/** Every algorithm, strongest first. */
export const digestAlgorithms: ReadonlyArray<DigestAlgorithm> = ["SHA-256", "MD5"]

/** Hexadecimal digits of a hash. */
export const hashLength: Readonly<Record<DigestAlgorithm, number>> = { "MD5": 32, "SHA-256": 64 }

/** What one header value may cost; above it the value is malformed. */
export const digestLimits = {
  /** Octets of the whole header value. */
  header: 8192,
  /** Parameters in it, unknown ones too. */
  parameters: 32,
  /** Octets of one parameter's value, without quotes and escapes. */
  value: 2048
} as const

/** Text as UTF-8 octets in an octet string, composed as RFC 7616 §4 wants it (NFC). */
export const toOctets = (text: string): string =>
  ASCII.test(text) ? text : Buffer.from(text.normalize("NFC"), "utf8").toString("latin1")

/** The text which UTF-8 octets stand for, composed. */
export const fromOctets = (octets: string): string =>
  ASCII.test(octets) ? octets : Buffer.from(octets, "latin1").toString("utf8").normalize("NFC")

/** The same in every encoding and composition. */
const ASCII = /^[ -~]*$/

// ---------------------------------------------------------------------------------------------------------------------
// parameter lists

export interface Parameter {
  readonly name: string
  /** Without quotes and escapes. */
  readonly value: string
  readonly quoted: boolean
}

export interface Malformed {
  readonly _tag: "Malformed"
  /** What is wrong. Nothing of the value is in it. */
  readonly reason: string
}

/** Values by name in lower case. */
export type Parameters = ReadonlyMap<string, string>

export type DigestValue =
  | { readonly _tag: "Digest"; readonly parameters: Parameters }
  | { readonly _tag: "OtherScheme"; readonly scheme: string }
  | Malformed

const malformed = (reason: string): Malformed => ({ _tag: "Malformed", reason })

/** Parameters that have a meaning in one of the three headers: these may stand in a list only once. */
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

const table = (characters: string): Uint8Array => {
  const octets = new Uint8Array(256)
  for (const character of characters) octets[character.charCodeAt(0)] = 1
  return octets
}
const tokenOctet = table("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~")

const isToken = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (tokenOctet[text.charCodeAt(i)] !== 1) return false
  return text.length > 0
}
const isBlank = (code: number): boolean => code === SP || code === HTAB
/** An octet that may stand in a quoted string: no control character but HTAB, nothing that is not an octet. */
const isText = (code: number): boolean => (code >= SP && code !== 127 && code <= 255) || code === HTAB
const isWritable = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (!isText(text.charCodeAt(i))) return false
  return true
}

/**
 * A parameter list, as in Authentication-Info: elements with commas between them and any blanks round those, in any
 * order; empty elements are passed over. An unquoted value is any run without blanks, commas and quotes, since older
 * grammars leave `uri` unquoted.
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

/** A value of WWW-Authenticate or Authorization: a scheme, whose name is in any case, and its parameters. */
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
 * A parameter list on one line, its elements separated by a comma and one SP. `undefined` when one of them cannot be
 * written: a name or an unquoted value that is no token, or a quoted one with a control character such as CR or LF.
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

const quoted = (name: string, value: string): Parameter => ({ name, value, quoted: true })
const token = (name: string, value: string): Parameter => ({ name, value, quoted: false })
const withScheme = (text: string | undefined): string | undefined => text === undefined ? undefined : `Digest ${text}`

// ---------------------------------------------------------------------------------------------------------------------
// digests

const NODE_NAME: Readonly<Record<DigestAlgorithm, string>> = { "MD5": "md5", "SHA-256": "sha256" }

const digest = (algorithm: DigestAlgorithm, octets: string): string =>
  hash(NODE_NAME[algorithm], ASCII.test(octets) ? octets : Buffer.from(octets, "latin1"), "hex")

/** H(A1) of a user (RFC 7616 §3.4.2): lower-case hexadecimal, as secret as the password. All three are text. */
export const ha1 = (algorithm: DigestAlgorithm, username: string, realm: string, password: string): string =>
  digest(algorithm, `${toOctets(username)}:${toOctets(realm)}:${toOctets(password)}`)

/** What a digest is made of, beside the method. All but `ha1` exactly as the client's header has it. */
export interface Proof {
  readonly algorithm: DigestAlgorithm
  /** H(A1), lower-case hexadecimal. */
  readonly ha1: string
  readonly nonce: string
  /** The nonce count: eight hexadecimal digits. */
  readonly nc: string
  readonly cnonce: string
  /** The rightmost To-Path URI of the request, as the client spells it. */
  readonly uri: string
}

const keyed = (proof: Proof, a2: string): string => {
  const { algorithm, cnonce, ha1, nc, nonce } = proof
  return digest(algorithm, `${ha1}:${nonce}:${nc}:${cnonce}:auth:${digest(algorithm, a2)}`)
}

/** The client's proof (RFC 7616 §3.4.1). */
export const response = (proof: Proof): string => keyed(proof, `AUTH:${proof.uri}`)

/** The relay's proof: that it knows the secret too (RFC 7616 §3.5). */
export const rspauth = (proof: Proof): string => keyed(proof, `:${proof.uri}`)

/** Compares in a time that does not tell where two texts differ. */
export const sameText = (a: string, b: string): boolean => {
  const left = Buffer.from(a, "utf8")
  const right = Buffer.from(b, "utf8")
  return left.length === right.length && timingSafeEqual(left, right)
}

/** The same for digests: hexadecimal digits of either case are equal. */
export const sameDigest = (a: string, b: string): boolean => sameText(a.toLowerCase(), b.toLowerCase())

const algorithmNamed = (name: string | undefined): DigestAlgorithm | undefined =>
  name === undefined ? "MD5" : digestAlgorithms.find((one) => one.toLowerCase() === name.toLowerCase())

// ---------------------------------------------------------------------------------------------------------------------
// the relay's side

/** One WWW-Authenticate value. */
export interface Challenge {
  readonly realm: string
  readonly nonce: string
  /** For the client to send back unchanged. */
  readonly opaque: string | undefined
  readonly algorithm: DigestAlgorithm
  /** The digest was right, only its nonce cannot be used (any more): no need to ask the user again. */
  readonly stale: boolean
}

/**
 * A WWW-Authenticate value. realm, qop, nonce and opaque are quoted, algorithm and stale are not (RFC 7616 §3.3); there
 * is no domain (RFC 4976 §9.1). `undefined` when the realm has a control character.
 */
export const printChallenge = (challenge: Challenge): string | undefined =>
  withScheme(printParameters([
    quoted("realm", challenge.realm),
    quoted("qop", "auth"),
    quoted("nonce", challenge.nonce),
    ...(challenge.opaque === undefined ? [] : [quoted("opaque", challenge.opaque)]),
    token("algorithm", challenge.algorithm),
    ...(challenge.stale ? [token("stale", "true")] : [])
  ]))

/** What an Authorization header says. Octet strings, but for `username`. */
export interface Authorization {
  /** Text, composed (NFC). */
  readonly username: string
  readonly realm: string
  readonly nonce: string
  readonly nc: string
  readonly cnonce: string
  readonly response: string
  /** `undefined`: one that is not known here. */
  readonly algorithm: DigestAlgorithm | undefined
  /** RFC 4976 has no such parameter; many clients send it. */
  readonly uri: string | undefined
}

export type AuthorizationValue =
  | { readonly _tag: "Authorization"; readonly authorization: Authorization }
  | Exclude<DigestValue, { readonly _tag: "Digest" }>

/** `UTF-8'language'J%C3%A4s%C3%B8n` to octets (RFC 8187, once RFC 5987). */
const extendedValue = (text: string): string | undefined => {
  const match = /^utf-8'[^']*'((?:[^%']|%[0-9a-f]{2})*)$/i.exec(text)
  const octets = match?.[1]?.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return octets !== undefined && isWritable(octets) ? octets : undefined
}

/**
 * An Authorization value with everything RFC 4976 §9.1 demands: without qop, nc or cnonce, with a qop that is never
 * offered, with a user name given twice or hashed, it is malformed (RFC 7616 §3.4: a 4xx, here 400).
 */
export const parseAuthorization = (text: string): AuthorizationValue => {
  const parsed = parseDigest(text)
  if (parsed._tag !== "Digest") return parsed
  const { parameters } = parsed
  const extended = parameters.get("username*")
  if (extended !== undefined && parameters.has("username")) return malformed("both username and username*")
  if ((parameters.get("userhash") ?? "false").toLowerCase() !== "false") return malformed("userhash is not offered")
  const username = extended === undefined ? parameters.get("username") : extendedValue(extended)
  const realm = parameters.get("realm")
  const nonce = parameters.get("nonce")
  const nc = parameters.get("nc")
  const cnonce = parameters.get("cnonce")
  const response = parameters.get("response")
  const qop = parameters.get("qop")
  if (username === undefined) return malformed("username missing")
  if (realm === undefined) return malformed("realm missing")
  if (nonce === undefined) return malformed("nonce missing")
  if (response === undefined) return malformed("response missing")
  if (cnonce === undefined) return malformed("cnonce missing")
  if (qop === undefined) return malformed("qop missing")
  if (qop !== "auth") return malformed("qop is not auth")
  if (nc === undefined || !/^[0-9a-f]{8}$/i.test(nc)) return malformed("nc is not eight hexadecimal digits")
  return {
    _tag: "Authorization",
    authorization: {
      username: fromOctets(username),
      realm,
      nonce,
      nc,
      cnonce,
      response,
      algorithm: algorithmNamed(parameters.get("algorithm")),
      uri: parameters.get("uri")
    }
  }
}

/** What an Authentication-Info header says. */
export interface AuthenticationInfo {
  /** The nonce for the client's next AUTH, whose count starts at 1 again. */
  readonly nextnonce: string | undefined
  readonly rspauth: string
  /** As in the request. */
  readonly cnonce: string
  readonly nc: string
}

/** An Authentication-Info value: qop and nc unquoted, the others quoted (RFC 7616 §3.5). */
export const printAuthenticationInfo = (info: AuthenticationInfo): string | undefined =>
  printParameters([
    ...(info.nextnonce === undefined ? [] : [quoted("nextnonce", info.nextnonce)]),
    quoted("rspauth", info.rspauth),
    quoted("cnonce", info.cnonce),
    token("nc", info.nc),
    token("qop", "auth")
  ])

// ---------------------------------------------------------------------------------------------------------------------
// the client's side

/** A challenge that can be answered here: Digest with qop=auth and an algorithm known here. */
const parseChallenge = (text: string): Challenge | undefined => {
  const parsed = parseDigest(text)
  if (parsed._tag !== "Digest") return undefined
  const { parameters } = parsed
  const realm = parameters.get("realm")
  const nonce = parameters.get("nonce")
  const algorithm = algorithmNamed(parameters.get("algorithm"))
  const qop = parameters.get("qop")?.split(",").map((one) => one.trim().toLowerCase())
  if (realm === undefined || nonce === undefined || algorithm === undefined || qop?.includes("auth") !== true) {
    return undefined
  }
  const stale = parameters.get("stale")?.toLowerCase() === "true"
  return { realm, nonce, opaque: parameters.get("opaque"), algorithm, stale }
}

/** The challenge with the strongest algorithm among WWW-Authenticate values; the first of equals. */
export const strongestChallenge = (wwwAuthenticate: ReadonlyArray<string>): Challenge | undefined => {
  const challenges = wwwAuthenticate.map(parseChallenge).filter((one) => one !== undefined)
  for (const algorithm of digestAlgorithms) {
    const found = challenges.find((one) => one.algorithm === algorithm)
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether WWW-Authenticate values say that only the nonce was refused, not the user (RFC 4976 §6.3). */
export const saysStale = (wwwAuthenticate: ReadonlyArray<string>): boolean =>
  wwwAuthenticate.some((text) => {
    const parsed = parseDigest(text)
    return parsed._tag === "Digest" && parsed.parameters.get("stale")?.toLowerCase() === "true"
  })

/** What a client answers a challenge with. */
export interface Answer {
  readonly username: string
  readonly password: string
  /** The rightmost To-Path URI of the AUTH this goes into. */
  readonly uri: string
  /** How often this nonce has been used, this time included: from 1. */
  readonly nc: number
  /** Random, new for each AUTH. */
  readonly cnonce: string
  /** Send the URI in the header too, as HTTP does and RFC 4976 does not. Absent: no. */
  readonly sendUri?: boolean | undefined
}

const proofOf = (challenge: Challenge, answer: Answer): Proof => ({
  algorithm: challenge.algorithm,
  // the realm is hashed octet for octet as it came
  ha1: digest(
    challenge.algorithm,
    `${toOctets(answer.username)}:${challenge.realm}:${toOctets(answer.password)}`
  ),
  nonce: challenge.nonce,
  nc: answer.nc.toString(16).padStart(8, "0"),
  cnonce: answer.cnonce,
  uri: answer.uri
})

/**
 * The Authorization value that answers a challenge. For `nextnonce`, take the challenge with that nonce in it.
 * `undefined` when a parameter cannot be written, as a user name with a line break.
 */
export const answerChallenge = (challenge: Challenge, answer: Answer): string | undefined => {
  const proof = proofOf(challenge, answer)
  return withScheme(printParameters([
    quoted("username", toOctets(answer.username)),
    quoted("realm", challenge.realm),
    quoted("nonce", challenge.nonce),
    ...(answer.sendUri === true ? [quoted("uri", answer.uri)] : []),
    token("algorithm", challenge.algorithm),
    token("qop", "auth"),
    token("nc", proof.nc),
    quoted("cnonce", answer.cnonce),
    quoted("response", response(proof)),
    ...(challenge.opaque === undefined ? [] : [quoted("opaque", challenge.opaque)])
  ]))
}

/** `answerChallenge` for the strongest of the challenges in a 401; `undefined` also when none can be answered. */
export const authorizationFor = (wwwAuthenticate: ReadonlyArray<string>, answer: Answer): string | undefined => {
  const challenge = strongestChallenge(wwwAuthenticate)
  return challenge === undefined ? undefined : answerChallenge(challenge, answer)
}

/** An Authentication-Info value with all that RFC 4976 §9.1 demands, else `undefined`. */
export const parseAuthenticationInfo = (text: string): AuthenticationInfo | undefined => {
  const parameters = parseParameters(text)
  if ("_tag" in parameters) return undefined
  const rspauth = parameters.get("rspauth")
  const cnonce = parameters.get("cnonce")
  const nc = parameters.get("nc")
  if (rspauth === undefined || cnonce === undefined || nc === undefined || parameters.get("qop") !== "auth") {
    return undefined
  }
  return { nextnonce: parameters.get("nextnonce"), rspauth, cnonce, nc }
}

/** Whether the Authentication-Info of a 200 proves that the relay knows the secret that `answer` was made with. */
export const verifyRspauth = (authenticationInfo: string, challenge: Challenge, answer: Answer): boolean => {
  const info = parseAuthenticationInfo(authenticationInfo)
  const proof = proofOf(challenge, answer)
  return info !== undefined && info.cnonce === proof.cnonce && info.nc.toLowerCase() === proof.nc &&
    sameDigest(info.rspauth, rspauth(proof))
}
