/**
 * HTTP Digest as MSRP uses it (RFC 7616 with the restrictions of RFC 4976 §9.1): qop is always `auth`, the method is
 * always `AUTH`, and the request URI is the rightmost URI of To-Path.
 *
 * Header values are octet strings: one character is one octet, as `Head` reads and `Encoder` writes them. User names,
 * realms and passwords from other sources are text; `toOctets` encodes them in UTF-8.
 */
import { Buffer, hash, timingSafeEqual } from "../../platform/Node.ts"

/**
 * An algorithm of digest authentication, as written in its parameter (RFC 7616 §3.3).
 *
 * @category models
 * @since 0.1.0
 */
export type DigestAlgorithm = "MD5" | "SHA-256"

/** All algorithms, the strongest first. */
export const digestAlgorithms: ReadonlyArray<DigestAlgorithm> = ["SHA-256", "MD5"]

/** Hexadecimal digits of a hash. */
const hashLength: Readonly<Record<DigestAlgorithm, number>> = { "MD5": 32, "SHA-256": 64 }

const HEXADECIMAL = /^[0-9a-f]+$/i

/** The algorithm that made a hash, by its length; `undefined` if it is no hash. */
export const algorithmOf = (digits: string): DigestAlgorithm | undefined =>
  HEXADECIMAL.test(digits) ? digestAlgorithms.find((one) => hashLength[one] === digits.length) : undefined

/** Text as an octet string of its UTF-8 octets, composed as RFC 7616 §4 requires (NFC). */
export const toOctets = (text: string): string =>
  ASCII.test(text) ? text : Buffer.from(text.normalize("NFC"), "utf8").toString("latin1")

/** The text of a string of UTF-8 octets, composed (NFC). */
export const fromOctets = (octets: string): string =>
  ASCII.test(octets) ? octets : Buffer.from(octets, "latin1").toString("utf8").normalize("NFC")

/** Matches text that has the same octets in every encoding and composition. */
const ASCII = /^[ -~]*$/

const NODE_NAME: Readonly<Record<DigestAlgorithm, string>> = { "MD5": "md5", "SHA-256": "sha256" }

export const digest = (algorithm: DigestAlgorithm, octets: string): string =>
  hash(NODE_NAME[algorithm], ASCII.test(octets) ? octets : Buffer.from(octets, "latin1"), "hex")

/** H(A1) of a user (RFC 7616 §3.4.2): lower-case hexadecimal, as secret as the password. All three are text. */
export const ha1 = (algorithm: DigestAlgorithm, username: string, realm: string, password: string): string =>
  digest(algorithm, `${toOctets(username)}:${toOctets(realm)}:${toOctets(password)}`)

/** The values of a digest, beside the method. All but `ha1` are exactly as in the header of the client. */
export interface Proof {
  readonly algorithm: DigestAlgorithm
  /** H(A1), lower-case hexadecimal. */
  readonly ha1: string
  readonly nonce: string
  /** The nonce count: eight hexadecimal digits. */
  readonly nc: string
  readonly cnonce: string
  /** The rightmost URI of To-Path of the request, as the client has written it. */
  readonly uri: string
}

const keyed = (proof: Proof, a2: string): string => {
  const { algorithm, cnonce, ha1, nc, nonce } = proof
  return digest(algorithm, `${ha1}:${nonce}:${nc}:${cnonce}:auth:${digest(algorithm, a2)}`)
}

/** The client's proof (RFC 7616 §3.4.1). */
export const response = (proof: Proof): string => keyed(proof, `AUTH:${proof.uri}`)

/** The relay's proof that it knows the secret too (RFC 7616 §3.5). */
export const rspauth = (proof: Proof): string => keyed(proof, `:${proof.uri}`)

/** Compares two texts in a time that does not depend on where they differ. */
export const sameText = (a: string, b: string): boolean => {
  const left = Buffer.from(a, "utf8")
  const right = Buffer.from(b, "utf8")
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Compares two digests, in constant time and without regard to the case of hexadecimal digits. */
export const sameDigest = (a: string, b: string): boolean => sameText(a.toLowerCase(), b.toLowerCase())

export const algorithmNamed = (name: string | undefined): DigestAlgorithm | undefined =>
  name === undefined ? "MD5" : digestAlgorithms.find((one) => one.toLowerCase() === name.toLowerCase())
