/** WWW-Authenticate, the challenge of a relay (RFC 7616 §3.3). */
import { algorithmNamed, type DigestAlgorithm, digestAlgorithms } from "./Digest.ts"
import { parseDigest, printParameters, quoted, token, withScheme } from "./Parameters.ts"

/** Matches a realm that can be written as a quoted string. */
export const REALM = /^[^\p{Cc}"\\]{1,255}$/u

/** The key of a realm in settings, which does not depend on case or Unicode composition. */
export const realmKey = (realm: string): string => realm.normalize("NFC").toLowerCase()

/**
 * One WWW-Authenticate value.
 *
 * @category models
 * @since 0.2.0
 */
export interface Challenge {
  readonly realm: string
  readonly nonce: string
  /** A value that the client returns unchanged. */
  readonly opaque: string | undefined
  readonly algorithm: DigestAlgorithm
  /** Whether the digest was correct and only its nonce cannot be used any more, so that the user need not be asked again. */
  readonly stale: boolean
}

/**
 * Makes a WWW-Authenticate value. realm, qop, nonce and opaque are quoted, algorithm and stale are not (RFC 7616 §3.3); there
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

/** Reads a challenge. `undefined` unless it is Digest with qop=auth and a known algorithm. */
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

/** Whether WWW-Authenticate values say that only the nonce was refused, and not the user (RFC 4976 §6.3). */
export const saysStale = (wwwAuthenticate: ReadonlyArray<string>): boolean =>
  wwwAuthenticate.some((text) => {
    const parsed = parseDigest(text)
    return parsed._tag === "Digest" && parsed.parameters.get("stale")?.toLowerCase() === "true"
  })
