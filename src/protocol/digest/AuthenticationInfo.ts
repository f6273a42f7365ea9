/** Authentication-Info: the relay's proof, and the nonce for the next AUTH (RFC 7616 §3.5). */
import { parseParameters, printParameters, quoted, token } from "./Parameters.ts"

/** A parsed Authentication-Info header. */
interface AuthenticationInfo {
  /** The nonce for the client's next AUTH, whose count starts at 1 again. */
  readonly nextnonce: string | undefined
  readonly rspauth: string
  /** As in the request. */
  readonly cnonce: string
  readonly nc: string
}

/** Makes an Authentication-Info value: qop and nc are unquoted, the others quoted (RFC 7616 §3.5). */
export const printAuthenticationInfo = (info: AuthenticationInfo): string | undefined =>
  printParameters([
    ...(info.nextnonce === undefined ? [] : [quoted("nextnonce", info.nextnonce)]),
    quoted("rspauth", info.rspauth),
    quoted("cnonce", info.cnonce),
    token("nc", info.nc),
    token("qop", "auth")
  ])

/** Reads an Authentication-Info value. `undefined` if it lacks anything that RFC 4976 §9.1 requires. */
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
