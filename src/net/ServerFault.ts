/**
 * Why a server (a database, an HTTP service) cannot be reached, in words. The messages of drivers and `fetch` are not used: they
 * may contain hosts and user names.
 */
import { codeOf, wordsOf } from "./ErrorCode.ts"

const ISSUER = "its certificate is signed by an authority that is not trusted here"
const CUT = "the other side has cut the connection"
const NO_TLS = "the other side does not speak TLS"

const words = new Map([
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "its certificate is self-signed"],
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

/** The most nested causes that are followed. */
const DEPTH = 6

/** Yields an error and its nested causes. */
export function* causesOf(error: unknown): Generator<Readonly<Record<string, unknown>>> {
  let one = error
  for (let depth = 0; depth < DEPTH && typeof one === "object" && one !== null; depth++) {
    const known = one as Readonly<Record<string, unknown>>
    yield known
    one = known["reason"] ?? known["cause"]
  }
}

/** A code in words; undefined if it is unknown. */
export const wordsOfCode = (code: string): string | undefined => {
  const known = words.get(code)
  if (known !== undefined) return `${known} (${code})`
  const told = wordsOf(Object.assign(new Error(code), { code }))
  return told === code ? undefined : told
}

/** The message of `fetch` for a port that the Fetch standard forbids; the error has no code. */
const BAD_PORT = "bad port"

/** The name of its error for octets that are not HTTP, which may have no code either. */
const PARSER = "HTTPParserError"

/** Why `fetch` failed, in words. */
export const fetchWords = (error: unknown): string => {
  for (const cause of causesOf(error)) {
    if (cause["message"] === BAD_PORT) return "this port is blocked for HTTP"
    if (cause["name"] === PARSER) return "the answer is not HTTP"
    const code = codeOf(cause)
    if (code !== "unknown") return wordsOfCode(code) ?? code
  }
  return "failed"
}
