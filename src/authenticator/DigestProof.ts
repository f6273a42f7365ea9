/** Compares the digest of a client with the one that a user's secret gives (RFC 7616 §3.4). */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"
import type { Secret } from "../Credentials.ts"
import type { Authorization } from "../protocol/digest/Authorization.ts"
import { type DigestAlgorithm, ha1, type Proof, response, sameDigest } from "../protocol/digest/Digest.ts"

/** The credentials of an AUTH, apart from the secret behind them. */
export interface Claim {
  readonly authorization: Authorization
  readonly algorithm: DigestAlgorithm
  readonly realm: string
  /** The rightmost URI of To-Path, for a client that sends no `uri` parameter (RFC 4976 §9.1). */
  readonly requestUri: string
}

/** Hashed in place of the password of an unknown user. Random, so that it is nobody's password. */
const ABSENT = randomBytes(16).toString("hex")

/** The H(A1) to compare with. Known and unknown users cost the same hashes, so that the time does not tell them apart. */
const ha1Of = (secret: Option.Option<Secret>, { algorithm, authorization, realm }: Claim): string => {
  const known = Option.getOrUndefined(secret)
  const password = known?._tag === "Password" ? Redacted.value(known.password) : ABSENT
  const calculated = ha1(algorithm, authorization.username, realm, password)
  const stored = known?._tag === "Ha1" ? known.ha1[algorithm] : undefined
  return stored === undefined ? calculated : Redacted.value(stored).toLowerCase()
}

/** Whether a user has H(A1)s, but none of the algorithm that the client has chosen. */
export const lacksAlgorithm = (secret: Option.Option<Secret>, { algorithm }: Claim): boolean =>
  Option.exists(secret, (known) => known._tag === "Ha1" && known.ha1[algorithm] === undefined)

/** What the digest is made of if this is the user's secret; `None` stands for an unknown user. */
export const proofOf = (secret: Option.Option<Secret>, claim: Claim): Proof => {
  const { algorithm, authorization: { cnonce, nc, nonce, uri }, requestUri } = claim
  // An equivalent URI is hashed as the client spells it.
  return { algorithm, ha1: ha1Of(secret, claim), nonce, nc, cnonce, uri: uri ?? requestUri }
}

/** Whether the client has sent the digest of this proof. */
export const isProven = (proof: Proof, { response: sent }: Authorization): boolean => sameDigest(response(proof), sent)
