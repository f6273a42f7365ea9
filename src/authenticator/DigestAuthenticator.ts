/** HTTP Digest with qop=auth (RFC 4976 §9.1, RFC 7616), against the secrets of the credentials. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import { algorithmsOf, Credentials } from "../Credentials.ts"
import { makeBoundedLog } from "../logging/BoundedLog.ts"
import { networkOf } from "../net/Network.ts"
import type { Live } from "../options/Live.ts"
import { printAuthenticationInfo } from "../protocol/digest/AuthenticationInfo.ts"
import { type Authorization, chooseAuthorization } from "../protocol/digest/Authorization.ts"
import { printChallenge } from "../protocol/digest/Challenge.ts"
import { type DigestAlgorithm, fromOctets, rspauth, toOctets } from "../protocol/digest/Digest.ts"
import { parseUri, sameUri } from "../protocol/Uri.ts"
import type { Attempt } from "./Attempts.ts"
import type { AuthAttempt, AuthDecision, AuthRequest } from "./AuthDecision.ts"
import type { DigestOptions } from "./DigestOptions.ts"
import { type Claim, isProven, lacksAlgorithm, proofOf } from "./DigestProof.ts"
import { makeDigestState } from "./DigestState.ts"
import { makeSecretLookup } from "./SecretLookup.ts"

/**
 * The credentials support none of the algorithms that the options allow.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoCommonAlgorithm extends Data.TaggedError("NoCommonAlgorithm")<{
  readonly allowed: ReadonlyArray<DigestAlgorithm>
  readonly available: ReadonlyArray<DigestAlgorithm>
}> {
  override get message(): string {
    return `No digest algorithm to offer: ${this.allowed.join(", ")} allowed, ` +
      `the credentials have ${this.available.join(", ")}`
  }
}

const NO_ALGORITHM = "The credentials have no digest algorithm that may be offered any more"

/** What a challenge says about the credentials that it answers. */
type Outcome = Pick<Extract<AuthDecision, { readonly _tag: "Challenge" }>, "attempt" | "failed" | "stale">

const failedAs = (attempt: AuthAttempt): Outcome => ({ failed: true, stale: false, attempt })

const tooManyFailures = (username: string): AuthDecision => ({
  _tag: "Unavailable",
  failed: true,
  attempt: { username, reason: "too many failures before" }
})

/** A claim that is to be verified: it is well-formed, for the right realm, and uses an algorithm that is offered. */
interface Verification {
  readonly claim: Claim
  /** Address of the client, `undefined` behind another relay. */
  readonly source: string | undefined
  /** Address of the relay that the client is behind. */
  readonly relay: string | undefined
  /** Algorithms to offer if the AUTH is challenged again. */
  readonly algorithms: ReadonlyArray<DigestAlgorithm>
  readonly attempt: Attempt
}

export const makeDigest = Effect.fnUntraced(function*(given: Live<DigestOptions>) {
  const state = yield* makeDigestState(given)
  const credentials = yield* Credentials
  const log = yield* makeBoundedLog
  const { attempts, nonces } = state
  const lookup = makeSecretLookup(credentials, log, () => state.lookupTime)
  /** Has no use here, but some clients cannot do without it. */
  const opaque = randomBytes(8).toString("hex")

  const { allowed } = state
  if (!allowed.some((algorithm) => credentials.algorithms.includes(algorithm))) {
    return yield* new NoCommonAlgorithm({ allowed, available: credentials.algorithms })
  }

  const challenge = (realm: string, algorithms: ReadonlyArray<DigestAlgorithm>, outcome: Outcome): AuthDecision => {
    const nonce = nonces.issue()
    const values = algorithms.map((algorithm) =>
      printChallenge({ realm: toOctets(realm), nonce, opaque, algorithm, stale: outcome.stale })
    )
    return values.every((value) => value !== undefined)
      ? { _tag: "Challenge", wwwAuthenticate: values, ...outcome }
      : { _tag: "Rejected", status: 400, comment: "No such realm" }
  }

  const verify = Effect.fnUntraced(function*(
    { algorithms, attempt, claim, relay, source }: Verification
  ): Effect.fn.Return<AuthDecision> {
    const { authorization, realm } = claim
    const { cnonce, nc, nonce, username } = authorization
    const user = { username, realm, source, relay, known: attempt.wasWelcome }
    const found = yield* lookup("lookup", user)
    if (found === undefined) {
      return { _tag: "Unavailable", attempt: { username, reason: "the credentials cannot be looked up" } }
    }
    if (!attempt.goesOn()) return tooManyFailures(username)
    let secret = found
    let proof = proofOf(secret, claim)
    let right = isProven(proof, authorization)
    if (!right && credentials.recheck !== undefined) {
      // Counted before the backend is asked again, because other guesses go on meanwhile.
      attempt.failed()
      // The password may be new. If the backend is down now, the remembered secret decides: guesses must not be free then.
      const now = yield* lookup("recheck", user)
      if (now !== undefined) right = isProven(proof = proofOf(secret = now, claim), authorization)
    }
    if (!right) {
      const late = attempt.failed()
      if (late > 0) yield* Effect.sleep(late)
      const reason = lacksAlgorithm(secret, claim) ? "stored for another algorithm" : "wrong credentials"
      return challenge(realm, algorithms, failedAs({ username, reason }))
    }
    attempt.succeeded()
    // Only the holder of the password learns that a nonce is stale: guesses with old nonces count as failures.
    if (!nonces.spend(nonce, Number.parseInt(nc, 16))) {
      return challenge(realm, algorithms, { failed: false, stale: true })
    }
    const authenticationInfo = printAuthenticationInfo({
      nextnonce: nonces.issue(),
      rspauth: rspauth(proof),
      cnonce,
      nc
    })
    return authenticationInfo === undefined
      ? { _tag: "Rejected", status: 400, comment: "Malformed Authorization", attempt: { username } }
      : { _tag: "Granted", username, realm, authenticationInfo }
  })

  const authenticate = Effect.fnUntraced(function*(request: AuthRequest): Effect.fn.Return<AuthDecision> {
    const { realm, relay, requestUri, source } = request
    const algorithms = state.offeredIn(realm, algorithmsOf(credentials, realm))
    if (algorithms.length === 0) {
      yield* log(Effect.logError(NO_ALGORITHM), NO_ALGORITHM, source ?? "")
      return { _tag: "Unavailable" }
    }
    if (request.authorization === undefined) return challenge(realm, algorithms, { failed: false, stale: false })
    const offeredOf = (one: Authorization) => algorithms.find((algorithm) => algorithm === one.algorithm)
    const isOfRealm = (one: Authorization) => fromOctets(one.realm) === realm.normalize("NFC")

    const parsed = chooseAuthorization(
      request.authorization,
      request.furtherAuthorizations ?? [],
      (one) => offeredOf(one) !== undefined && isOfRealm(one)
    )
    if (parsed._tag === "Malformed") return { _tag: "Rejected", status: 400, comment: "Malformed Authorization" }
    if (parsed._tag === "OtherScheme") {
      return challenge(realm, algorithms, failedAs({ reason: "not Digest" }))
    }
    const { authorization } = parsed
    const { username } = authorization
    if (authorization.uri !== undefined) {
      const uri = parseUri(authorization.uri)
      if (uri === undefined || !sameUri(uri, requestUri)) {
        return { _tag: "Rejected", status: 400, comment: "Not the URI of To-Path", attempt: { username } }
      }
    }
    const algorithm = offeredOf(authorization)
    if (algorithm === undefined || !isOfRealm(authorization)) {
      const reason = algorithm === undefined ? "algorithm not offered" : "another realm"
      return challenge(realm, algorithms, failedAs({ username, reason }))
    }

    const attempt = attempts.begin({
      username,
      realm,
      source: source === undefined ? undefined : networkOf(source),
      relay: relay === undefined ? undefined : networkOf(relay)
    })
    if (attempt === undefined) return tooManyFailures(username)
    const claim = { authorization, algorithm, realm, requestUri: requestUri.text }
    return yield* Effect.ensuring(
      verify({ claim, source, relay, algorithms, attempt }),
      Effect.sync(() => attempt.end())
    )
  })

  return { authenticate }
})
