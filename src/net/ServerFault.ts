/**
 * What is wrong between here and a server that is asked, in words. What drivers and `fetch` say themselves may have hosts and users
 * in it, and is not told.
 */
import { codeOf, wordsOf } from "./ErrorCode.ts"

const ISSUER = "its certificate is signed by an authority that is not trusted here"
const CUT = "the other side has cut the connection"
const NO_TLS = "something else than TLS is spoken there"

const words = new Map([
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "its certificate is signed by itself"],
  ["SELF_SIGNED_CERT_IN_CHAIN", ISSUER],
  ["UNABLE_TO_GET_ISSUER_CERT", ISSUER],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", ISSUER],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", ISSUER],
  ["CERT_HAS_EXPIRED", "its certificate, or one that it depends on, has expired"],
  ["CERT_NOT_YET_VALID", "its certificate is not valid yet"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is for another name"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", NO_TLS],
  ["ERR_SSL_PACKET_LENGTH_TOO_LONG", NO_TLS],
  ["UND_ERR_SOCKET", CUT],
  ["UND_ERR_CONNECT_TIMEOUT", "no answer in time"],
  ["PROTOCOL_CONNECTION_LOST", CUT]
])

/** Depth to which causes are followed. */
const DEPTH = 6

/** An error, and those that it is caused by. */
export function* causesOf(error: unknown): Generator<Readonly<Record<string, unknown>>> {
  let one = error
  for (let depth = 0; depth < DEPTH && typeof one === "object" && one !== null; depth++) {
    const known = one as Readonly<Record<string, unknown>>
    yield known
    one = known["reason"] ?? known["cause"]
  }
}

/** Of a code; nothing where it is not known. */
export const wordsOfCode = (code: string): string | undefined => {
  const known = words.get(code)
  if (known !== undefined) return `${known} (${code})`
  const told = wordsOf(Object.assign(new Error(code), { code }))
  return told === code ? undefined : told
}

/** `fetch` has no code for a port that the Fetch standard forbids. */
const BAD_PORT = "bad port"

/** Nor always one for octets that are no HTTP. */
const PARSER = "HTTPParserError"

/** Why `fetch` came to nothing. */
export const fetchWords = (error: unknown): string => {
  for (const cause of causesOf(error)) {
    if (cause["message"] === BAD_PORT) return "HTTP is never spoken to this port"
    if (cause["name"] === PARSER) return "what answers there is no HTTP"
    const code = codeOf(cause)
    if (code !== "unknown") return wordsOfCode(code) ?? code
  }
  return "failed"
}
