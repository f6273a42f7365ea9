/** A client's answer to a challenge, and its check of the relay's proof (RFC 7616 §3.4, §3.5). */
import { parseAuthenticationInfo } from "./AuthenticationInfo.ts"
import type { Challenge } from "./Challenge.ts"
import { digest, type Proof, response, rspauth, sameDigest, toOctets } from "./Digest.ts"
import { printParameters, quoted, token, withScheme } from "./Parameters.ts"

/** The values with which a client answers a challenge. */
export interface Answer {
  readonly username: string
  readonly password: string
  /** The rightmost URI of To-Path of the AUTH. */
  readonly uri: string
  /** The number of AUTHs with this nonce, including this one; the first is 1. */
  readonly nc: number
  /** Random, new for each AUTH. */
  readonly cnonce: string
  /** Whether the header also has the URI, as in HTTP, but not in RFC 4976. Default: false. */
  readonly sendUri?: boolean | undefined
}

const proofOf = (challenge: Challenge, answer: Answer): Proof => ({
  algorithm: challenge.algorithm,
  // the realm is hashed with exactly the octets that were received
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
 * `undefined` when a parameter cannot be written, such as a user name with a line break.
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

/** Whether the Authentication-Info of a 200 proves that the relay knows the secret of `answer`. */
export const verifyRspauth = (authenticationInfo: string, challenge: Challenge, answer: Answer): boolean => {
  const info = parseAuthenticationInfo(authenticationInfo)
  const proof = proofOf(challenge, answer)
  return info !== undefined && info.cnonce === proof.cnonce && info.nc.toLowerCase() === proof.nc &&
    sameDigest(info.rspauth, rspauth(proof))
}
