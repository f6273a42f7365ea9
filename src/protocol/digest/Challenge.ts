/** WWW-Authenticate: what the relay asks for (RFC 7616 §3.3). */
import { algorithmNamed, type DigestAlgorithm, digestAlgorithms } from "./Digest.ts"
import { parseDigest, printParameters, quoted, token, withScheme } from "./Parameters.ts"

/** What a realm may be, that goes into a challenge between quotation marks. */
export const REALM = /^[^\p{Cc}"\\]{1,255}$/u

/** By which settings tell realms apart: in whatever case and composition they are written. */
export const realmKey = (realm: string): string => realm.normalize("NFC").toLowerCase()

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
