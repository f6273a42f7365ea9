/** Authorization, the credentials of an AUTH (RFC 7616 §3.4). */
import { ownText } from "../Octets.ts"
import { algorithmNamed, type DigestAlgorithm, fromOctets } from "./Digest.ts"
import { type DigestValue, isWritable, malformed, type Parameters, parseDigest } from "./Parameters.ts"

/**
 * A parsed Authorization header. All values but `username` are octet strings. Username and nonce may be kept: they do not keep the
 * rest of the header in memory.
 */
export interface Authorization {
  /** Text, composed (NFC). */
  readonly username: string
  readonly realm: string
  readonly nonce: string
  readonly nc: string
  readonly cnonce: string
  readonly response: string
  /** `undefined`: an unknown algorithm. */
  readonly algorithm: DigestAlgorithm | undefined
  /** RFC 4976 has no such parameter; many clients send it. */
  readonly uri: string | undefined
}

type AuthorizationValue =
  | { readonly _tag: "Authorization"; readonly authorization: Authorization }
  | Exclude<DigestValue, { readonly _tag: "Digest" }>

/** `UTF-8'language'J%C3%A4s%C3%B8n` to octets (RFC 8187, once RFC 5987). */
const extendedValue = (text: string): string | undefined => {
  const match = /^utf-8'[^']*'((?:[^%']|%[0-9a-f]{2})*)$/i.exec(text)
  const octets = match?.[1]?.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return octets !== undefined && isWritable(octets) ? octets : undefined
}

/** The name of the user, as octets: `username`, or `username*` for a name that is not ASCII (RFC 7616 §3.4). */
export const usernameIn = (parameters: Parameters): string | undefined => {
  const extended = parameters.get("username*")
  return extended === undefined ? parameters.get("username") : extendedValue(extended)
}

/**
 * Reads an Authorization value with everything that RFC 4976 §9.1 requires. Without qop, nc or cnonce, with a qop that is never
 * offered, or with a user name that is given twice or hashed, it is malformed (RFC 7616 §3.4: a 4xx, here 400).
 */
export const parseAuthorization = (text: string): AuthorizationValue => {
  const parsed = parseDigest(text)
  if (parsed._tag !== "Digest") return parsed
  const { parameters } = parsed
  if (parameters.has("username*") && parameters.has("username")) return malformed("both username and username*")
  if ((parameters.get("userhash") ?? "false").toLowerCase() !== "false") return malformed("userhash is not offered")
  const username = usernameIn(parameters)
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
      username: fromOctets(ownText(username)),
      realm,
      nonce: ownText(nonce),
      nc,
      cnonce,
      response,
      algorithm: algorithmNamed(parameters.get("algorithm")),
      uri: parameters.get("uri")
    }
  }
}

/**
 * The value to use if there are several: the first one that `suits`, or else the first. Some clients send one for each challenge,
 * or those of other realms as well.
 */
export const chooseAuthorization = (
  first: string,
  others: ReadonlyArray<string>,
  suits: (authorization: Authorization) => boolean
): AuthorizationValue => {
  const parsed = parseAuthorization(first)
  if (others.length === 0 || isFit(parsed, suits)) return parsed
  for (const text of others) {
    const other = parseAuthorization(text)
    if (isFit(other, suits)) return other
  }
  return parsed
}

const isFit = (value: AuthorizationValue, suits: (authorization: Authorization) => boolean): boolean =>
  value._tag === "Authorization" && suits(value.authorization)
