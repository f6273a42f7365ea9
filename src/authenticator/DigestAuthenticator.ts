/** HTTP Digest with qop=auth (RFC 4976 §9.1, RFC 7616), against the secrets that the credentials have. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { algorithmsOf, Credentials, type CredentialsUnavailable, type Secret, type UserKey } from "../Credentials.ts"
import { makeBoundedLog } from "../logging/BoundedLog.ts"
import { kindOf } from "../logging/ErrorKind.ts"
import { credentialsSeconds, measured } from "../metrics/Seconds.ts"
import { networkOf } from "../net/Network.ts"
import { follow, type Live } from "../options/Live.ts"
import { duration, oneOf, text, whole, wrongOrUnknown } from "../options/Options.ts"
import { printAuthenticationInfo } from "../protocol/digest/AuthenticationInfo.ts"
import { type Authorization, chooseAuthorization } from "../protocol/digest/Authorization.ts"
import { printChallenge, REALM, realmKey } from "../protocol/digest/Challenge.ts"
import {
  type DigestAlgorithm,
  digestAlgorithms,
  fromOctets,
  ha1,
  type Proof,
  response,
  rspauth,
  sameDigest,
  toOctets
} from "../protocol/digest/Digest.ts"
import { parseUri, sameUri } from "../protocol/Uri.ts"
import { type Attempt, Attempts, type AttemptsOptions } from "./Attempts.ts"
import type { AuthAttempt, AuthDecision, AuthRequest } from "./AuthDecision.ts"
import { Nonces } from "./Nonces.ts"

/**
 * The credentials have no algorithm that the settings allow to be offered.
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

/**
 * They may change (`Live`).
 *
 * @category options
 * @since 0.1.0
 */
export interface DigestOptions extends AttemptsOptions {
  /** How long a nonce can be used; from then on it is stale. A bare number is milliseconds. Absent: 30 seconds. */
  readonly nonceExpire?: Duration.Input | undefined
  /**
   * What may be offered, most preferred first: a challenge each, for those which the credentials have too. Absent:
   * SHA-256, MD5. Some clients know MD5 only and read only the last challenge.
   */
  readonly algorithms?: ReadonlyArray<DigestAlgorithm> | undefined
  /** Realms where MD5 is neither offered nor accepted (RFC 8760 §3). */
  readonly realmsWithoutMd5?: ReadonlyArray<string> | undefined
  /** Nonces in use whose count is kept. Above it the one used first goes stale early. Absent: 65,536. */
  readonly maxNonces?: number | undefined
  /** How long the credentials may take to answer. Absent: 10 seconds. */
  readonly lookupTimeout?: Duration.Input | undefined
}

const failures = Schema.optional(whole([0, 1_000_000_000]))

const optionsSchema = Schema.Struct({
  nonceExpire: Schema.optional(duration),
  algorithms: Schema.optional(Schema.Array(oneOf(...digestAlgorithms))),
  realmsWithoutMd5: Schema.optional(Schema.Array(text("a realm", (realm) => REALM.test(realm)))),
  maxNonces: Schema.optional(whole([1, 100_000_000])),
  lookupTimeout: Schema.optional(duration),
  freePerUser: failures,
  freePerAddress: failures
})

/** A backend that is down is told in one line, since every AUTH meets it; of a defect, which may quote a secret, only its kind. */
const unavailableLine = (cause: Cause.Cause<CredentialsUnavailable | Cause.TimeoutError>): Effect.Effect<void> => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  const reason = error === undefined
    ? `a defect: ${kindOf(Cause.squash(cause))}`
    : error._tag === "TimeoutError"
    ? "no answer in time"
    : error.message
  return Effect.annotateLogs(Effect.logError(UNAVAILABLE), { reason })
}
const UNAVAILABLE = "The credentials cannot be looked up"
const NO_ALGORITHM = "The credentials have no digest algorithm that may be offered any more"

const lookupResultOf = (exit: Exit.Exit<unknown, CredentialsUnavailable | Cause.TimeoutError>) => {
  if (Exit.isSuccess(exit)) return "answered"
  if (Cause.hasInterruptsOnly(exit.cause)) return undefined
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  return error === undefined ? "defect" : error._tag === "TimeoutError" ? "timed out" : "unavailable"
}

/** What a challenge says of the credentials before it. */
type Outcome = Pick<Extract<AuthDecision, { readonly _tag: "Challenge" }>, "attempt" | "failed" | "stale">

const failedAs = (attempt: AuthAttempt): Outcome => ({ failed: true, stale: false, attempt })

const NONCE_LIFE = "30 seconds"
const LOOKUP_TIME = "10 seconds"
const MAX_NONCES = 65_536

const lifeOf = ({ nonceExpire = NONCE_LIFE }: DigestOptions): number => Duration.toMillis(nonceExpire)

const realmsOf = ({ realmsWithoutMd5 = [] }: DigestOptions): ReadonlySet<string> =>
  new Set(realmsWithoutMd5.map(realmKey))

export const makeDigest = Effect.fnUntraced(function*(given: Live<DigestOptions>) {
  const live = yield* follow(
    given,
    wrongOrUnknown<DigestOptions>("Authenticator.layerDigest", optionsSchema),
    (options) => {
      nonces.life = lifeOf(options)
      nonces.max = options.maxNonces ?? MAX_NONCES
      attempts.options = options
      withoutMd5 = realmsOf(options)
    }
  )
  const options = live.current
  const credentials = yield* Credentials
  const log = yield* makeBoundedLog
  const clock = yield* Clock.Clock
  const now = (): number => monotonicMillis(clock)
  const nonces = new Nonces(
    now,
    lifeOf(options),
    options.maxNonces ?? MAX_NONCES
  )
  let withoutMd5 = realmsOf(options)
  const attempts = new Attempts(options, now)
  /** Does nothing here; some clients cannot do without. */
  const opaque = randomBytes(8).toString("hex")
  const absent = randomBytes(16).toString("hex")

  const allowed = (): ReadonlyArray<DigestAlgorithm> => live.current.algorithms ?? digestAlgorithms
  const offered = (available: ReadonlyArray<DigestAlgorithm>): ReadonlyArray<DigestAlgorithm> =>
    allowed().filter((algorithm) => available.includes(algorithm))
  if (offered(credentials.algorithms).length === 0) {
    return yield* new NoCommonAlgorithm({ allowed: allowed(), available: credentials.algorithms })
  }

  const challenge = (realm: string, algorithms: ReadonlyArray<DigestAlgorithm>, result: Outcome): AuthDecision => {
    const nonce = nonces.issue()
    const values = algorithms.map((algorithm) =>
      printChallenge({ realm: toOctets(realm), nonce, opaque, algorithm, stale: result.stale })
    )
    return values.every((value) => value !== undefined)
      ? { _tag: "Challenge", wwwAuthenticate: values, ...result }
      : { _tag: "Rejected", status: 400, comment: "No such realm" }
  }

  /** H(A1) to compare with. The same hashes are made whether there is such a user or not. */
  const expected = (secret: Option.Option<Secret>, algorithm: DigestAlgorithm, username: string, realm: string) => {
    const known = Option.getOrUndefined(secret)
    const calculated = ha1(
      algorithm,
      username,
      realm,
      known?._tag === "Password" ? Redacted.value(known.password) : absent
    )
    const stored = known?._tag === "Ha1" ? known.ha1[algorithm] : undefined
    return stored === undefined ? calculated : Redacted.value(stored).toLowerCase()
  }

  /** `undefined`: it failed, or took too long. The time limit costs only who has to wait, as few backends make one. */
  const lookup = Effect.fnUntraced(
    function*(which: "lookup" | "recheck", user: UserKey) {
      const asked = credentials[which]!(user)
      if (Exit.isExit(asked)) return yield* asked
      const fiber = yield* Effect.forkChild(asked, { startImmediately: true })
      return yield* fiber.pollUnsafe() ?? Effect.timeout(Fiber.join(fiber), live.current.lookupTimeout ?? LOOKUP_TIME)
    },
    (asking) => measured(asking, credentialsSeconds, lookupResultOf),
    (asking, _, { source = "" }) =>
      Effect.catchCause(asking, (cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.as(log(unavailableLine(cause), `${UNAVAILABLE}: ${kindOf(Cause.squash(cause))}`, source), undefined))
  )

  /** Compares the digest with that of the user's secret (RFC 7616 §3.4). */
  const verify = Effect.fnUntraced(function*(
    request: AuthRequest,
    authorization: Authorization,
    algorithm: DigestAlgorithm,
    algorithms: ReadonlyArray<DigestAlgorithm>,
    attempt: Attempt
  ): Effect.fn.Return<AuthDecision> {
    const { realm, requestUri, source } = request
    const { username } = authorization
    const user = { username, realm, source }
    const found = yield* lookup("lookup", user)
    if (found === undefined) {
      return { _tag: "Unavailable", attempt: { username, reason: "the credentials cannot be looked up" } }
    }

    const proofWith = (secret: Option.Option<Secret>): Proof => ({
      algorithm,
      ha1: expected(secret, algorithm, username, realm),
      nonce: authorization.nonce,
      nc: authorization.nc,
      cnonce: authorization.cnonce,
      // an equivalent URI is hashed as the client spells it
      uri: authorization.uri ?? requestUri.text
    })
    const isRight = (proof: Proof): boolean => sameDigest(response(proof), authorization.response)
    let proof = proofWith(found)
    let right = isRight(proof)
    if (!right && credentials.recheck !== undefined) {
      // The password may be new. A backend that is down now does not make guesses free: what is remembered counts.
      const now = yield* lookup("recheck", user)
      if (now !== undefined) right = isRight(proof = proofWith(now))
    }
    if (!right) {
      const late = attempt.failed()
      if (late > 0) yield* Effect.sleep(late)
      return challenge(realm, algorithms, failedAs({ username, reason: "wrong credentials" }))
    }
    attempt.succeeded()
    // only the holder of the password learns that a nonce is stale: guesses with old nonces count as failures
    if (!nonces.spend(authorization.nonce, Number.parseInt(authorization.nc, 16))) {
      return challenge(realm, algorithms, { failed: false, stale: true })
    }
    const authenticationInfo = printAuthenticationInfo({
      nextnonce: nonces.issue(),
      rspauth: rspauth(proof),
      cnonce: authorization.cnonce,
      nc: authorization.nc
    })
    return authenticationInfo === undefined
      ? { _tag: "Rejected", status: 400, comment: "Malformed Authorization", attempt: { username } }
      : { _tag: "Granted", username, realm, authenticationInfo }
  })

  const authenticate = Effect.fnUntraced(function*(request: AuthRequest): Effect.fn.Return<AuthDecision> {
    const { realm, relay, requestUri, source } = request
    const algorithms = offered(algorithmsOf(credentials, realm)).filter((one) =>
      one !== "MD5" || !withoutMd5.has(realmKey(realm))
    )
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
    if (attempt === undefined) {
      return { _tag: "Unavailable", failed: true, attempt: { username, reason: "too many failures before" } }
    }
    return yield* Effect.ensuring(
      verify(request, authorization, algorithm, algorithms, attempt),
      Effect.sync(attempt.end)
    )
  })

  return { authenticate }
})
