import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { hash, randomBytes } from "node:crypto"
import { type Attempt, Attempts, type AttemptsOptions } from "./authenticator/Attempts.ts"
import { monotonicMillis } from "./clock/Monotonic.ts"
import { Credentials, type CredentialsUnavailable, type Secret, type UserKey } from "./Credentials.ts"
import { networkOf } from "./net/Network.ts"
import { printAuthenticationInfo } from "./protocol/digest/AuthenticationInfo.ts"
import { type Authorization, parseAuthorization } from "./protocol/digest/Authorization.ts"
import { printChallenge } from "./protocol/digest/Challenge.ts"
import {
  type DigestAlgorithm,
  digestAlgorithms,
  fromOctets,
  ha1,
  type Proof,
  response,
  rspauth,
  sameDigest,
  sameText,
  toOctets
} from "./protocol/digest/Digest.ts"
import { transactionId } from "./protocol/Ident.ts"
import { type MsrpUri, parseUri, sameUri } from "./protocol/Uri.ts"

/** An AUTH that ends at this relay. */
export interface AuthRequest {
  /** The rightmost URI of To-Path: it is in the digest (RFC 4976 §9.1). */
  readonly requestUri: MsrpUri
  /** Value of Authorization, `undefined` when there is none. */
  readonly authorization: string | undefined
  /** Text; compared case by case with what the client sends back. */
  readonly realm: string
  /** Address of the client, `undefined` behind another relay. Nonces are not bound to it; too many failures are. */
  readonly source: string | undefined
}

export type AuthDecision =
  | {
    readonly _tag: "Granted"
    /** Text, composed (NFC). */
    readonly username: string
    readonly realm: string
    /** Value of Authentication-Info for the 200. */
    readonly authenticationInfo: string
  }
  | {
    /** 401. */
    readonly _tag: "Challenge"
    /** Values of WWW-Authenticate, one header each, in this order. */
    readonly wwwAuthenticate: ReadonlyArray<string>
    /** Counts as a failed attempt: there were credentials, and they were not right (RFC 4976 §6.3). */
    readonly failed: boolean
    /** The credentials were right, only their nonce is used up or too old. */
    readonly stale: boolean
  }
  | { readonly _tag: "Rejected"; readonly status: 400 | 403; readonly comment: string }
  | {
    /** The backend cannot answer: not a failure of the user. */
    readonly _tag: "Unavailable"
  }

/** The credentials have no algorithm that the settings allow to be offered. */
export class NoCommonAlgorithm extends Data.TaggedError("NoCommonAlgorithm")<{
  readonly allowed: ReadonlyArray<DigestAlgorithm>
  readonly available: ReadonlyArray<DigestAlgorithm>
}> {
  override get message(): string {
    return `No digest algorithm to offer: ${this.allowed.join(", ")} allowed, ` +
      `the credentials have ${this.available.join(", ")}`
  }
}

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

/** Decides an AUTH: whom to challenge, and who is who. */
export class Authenticator extends Context.Service<Authenticator, {
  readonly authenticate: (request: AuthRequest) => Effect.Effect<AuthDecision>
}>()("msrp-relay/Authenticator") {
  /** HTTP Digest with qop=auth (RFC 4976 §9.1, RFC 7616). Nonces are this layer's own: another process' are stale. */
  static readonly layerDigest = (
    options: DigestOptions = {}
  ): Layer.Layer<Authenticator, NoCommonAlgorithm, Credentials> =>
    Layer.effect(Authenticator, Effect.suspend(() => makeDigest(options)))
}

/** A backend that is down is told in one line, since every AUTH meets it; what is a defect with all that is known. */
const logUnavailable = (cause: Cause.Cause<CredentialsUnavailable | Cause.TimeoutError>): Effect.Effect<void> => {
  const what = "The credentials cannot be looked up"
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (error === undefined) return Effect.logError(what, cause)
  const reason = error._tag === "TimeoutError" ? "no answer in time" : error.message
  return Effect.annotateLogs(Effect.logError(what), { reason })
}

/** Characters of a user name that are logged. */
const LOGGED = 100

/** What anybody may write there, without line ends and what a terminal takes for commands (RFC 4975 §14.5). */
const printable = (text: string): string => text.slice(0, LOGGED).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}")

const makeDigest = Effect.fnUntraced(function*(options: DigestOptions) {
  const credentials = yield* Credentials
  const clock = yield* Clock.Clock
  const allowed = options.algorithms ?? digestAlgorithms
  const lookupTimeout = options.lookupTimeout ?? "10 seconds"
  const now = (): number => monotonicMillis(clock)
  const nonces = new Nonces(
    now,
    Duration.toMillis(options.nonceExpire ?? "30 seconds"),
    options.maxNonces ?? 65_536
  )
  const withoutMd5 = new Set((options.realmsWithoutMd5 ?? []).map((realm) => realm.toLowerCase()))
  const attempts = new Attempts(options, now)
  /** Does nothing here; some clients cannot do without. */
  const opaque = randomBytes(8).toString("hex")
  const absent = randomBytes(16).toString("hex")

  const offered = (): ReadonlyArray<DigestAlgorithm> =>
    allowed.filter((algorithm) => credentials.algorithms.includes(algorithm))
  if (offered().length === 0) {
    return yield* new NoCommonAlgorithm({ allowed, available: credentials.algorithms })
  }

  const challenge = (realm: string, algorithms: ReadonlyArray<DigestAlgorithm>, result: {
    readonly failed: boolean
    readonly stale: boolean
  }): AuthDecision => {
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

  const refused = (request: AuthRequest, reason: string, username?: string) =>
    Effect.logInfo("AUTH refused").pipe(
      Effect.annotateLogs({
        reason,
        realm: request.realm,
        ...(request.source === undefined ? {} : { source: request.source }),
        ...(username === undefined ? {} : { username: printable(username) })
      })
    )

  /** `undefined`: it failed, or took too long. The time limit costs only who has to wait, as few backends make one. */
  const lookup = Effect.fnUntraced(
    function*(user: UserKey) {
      const asked = credentials.lookup(user)
      if (Exit.isExit(asked)) return yield* asked
      const fiber = yield* Effect.forkChild(asked, { startImmediately: true })
      return yield* fiber.pollUnsafe() ?? Effect.timeout(Fiber.join(fiber), lookupTimeout)
    },
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.interrupt
        : Effect.as(logUnavailable(cause), undefined)
    )
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
    const found = yield* lookup({ username, realm, source })
    if (found === undefined) return { _tag: "Unavailable" }

    const proof: Proof = {
      algorithm,
      ha1: expected(found, algorithm, username, realm),
      nonce: authorization.nonce,
      nc: authorization.nc,
      cnonce: authorization.cnonce,
      // an equivalent URI is hashed as the client spells it
      uri: authorization.uri ?? requestUri.text
    }
    if (!sameDigest(response(proof), authorization.response)) {
      const late = attempt.failed()
      yield* refused(request, "wrong credentials", username)
      if (late > 0) yield* Effect.sleep(late)
      return challenge(realm, algorithms, { failed: true, stale: false })
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
      ? { _tag: "Rejected", status: 400, comment: "Malformed Authorization" }
      : { _tag: "Granted", username, realm, authenticationInfo }
  })

  const authenticate = Effect.fnUntraced(function*(request: AuthRequest): Effect.fn.Return<AuthDecision> {
    const { realm, requestUri, source } = request
    const algorithms = offered().filter((one) => one !== "MD5" || !withoutMd5.has(realm.toLowerCase()))
    if (algorithms.length === 0) {
      yield* Effect.logError("The credentials have no digest algorithm that may be offered any more")
      return { _tag: "Unavailable" }
    }
    if (request.authorization === undefined) return challenge(realm, algorithms, { failed: false, stale: false })

    const parsed = parseAuthorization(request.authorization)
    if (parsed._tag === "Malformed") return { _tag: "Rejected", status: 400, comment: "Malformed Authorization" }
    if (parsed._tag === "OtherScheme") {
      yield* refused(request, "not Digest")
      return challenge(realm, algorithms, { failed: true, stale: false })
    }
    const { authorization } = parsed
    const { username } = authorization
    if (authorization.uri !== undefined) {
      const uri = parseUri(authorization.uri)
      if (uri === undefined || !sameUri(uri, requestUri)) {
        return { _tag: "Rejected", status: 400, comment: "Not the URI of To-Path" }
      }
    }
    const algorithm = algorithms.find((one) => one === authorization.algorithm)
    if (algorithm === undefined || fromOctets(authorization.realm) !== realm.normalize("NFC")) {
      yield* refused(request, algorithm === undefined ? "algorithm not offered" : "another realm", username)
      return challenge(realm, algorithms, { failed: true, stale: false })
    }

    const attempt = attempts.begin(username, source === undefined ? undefined : networkOf(source))
    if (attempt === undefined) {
      yield* refused(request, "too many failures before", username)
      return { _tag: "Unavailable" }
    }
    return yield* Effect.ensuring(
      verify(request, authorization, algorithm, algorithms, attempt),
      Effect.sync(attempt.end)
    )
  })

  return Authenticator.of({ authenticate })
})

interface Spent {
  /** When the nonce was made. */
  readonly issued: number
  /** When it was used first. */
  readonly since: number
  /** The highest count seen. */
  nc: number
}

/** Characters of the code in a nonce: 132 bits. */
const MAC_LENGTH = 22

/**
 * Nonces: a time, random characters, and a code over both with a key made at start, so that one which was never used
 * costs no memory. Of one that was used, the count is kept until it expires (RFC 7616 §3.3, §5.12).
 */
class Nonces {
  readonly #key = randomBytes(32).toString("hex")
  /** In the order of first use. */
  readonly #spent = new Map<string, Spent>()
  /** Those made up to then are stale unless their count is kept: one may have been dropped early. */
  #floor = -1
  readonly #now: () => number
  readonly #origin: number
  readonly #life: number
  readonly #max: number

  /** `now` in milliseconds of any origin, as is `life`. */
  constructor(now: () => number, life: number, max: number) {
    this.#now = now
    this.#origin = now()
    this.#life = life
    this.#max = max
  }

  issue(): string {
    const text = `${this.#time()}-${transactionId()}`
    return `${text}-${this.#mac(text)}`
  }

  /** Uses a nonce up to this count. False: not a nonce of this relay, too old, or the count has been reached before. */
  spend(nonce: string, nc: number): boolean {
    const issued = this.#issued(nonce)
    const now = this.#time()
    this.#forget(now)
    if (issued === undefined || nc === 0 || this.#expired(issued, now)) return false
    const spent = this.#spent.get(nonce)
    if (spent !== undefined) {
      if (nc <= spent.nc) return false
      spent.nc = nc
      return true
    }
    if (issued <= this.#floor) return false
    this.#makeRoom()
    this.#spent.set(nonce, { issued, since: now, nc })
    return true
  }

  /** Whole milliseconds: a fraction would take longer to print than the code to calculate. */
  #time(): number {
    return Math.floor(this.#now() - this.#origin)
  }

  #expired(since: number, now: number): boolean {
    return now - since >= this.#life
  }

  #forget(now: number): void {
    for (const [nonce, { since }] of this.#spent) {
      if (!this.#expired(since, now)) return
      this.#spent.delete(nonce)
    }
  }

  #makeRoom(): void {
    if (this.#spent.size < this.#max) return
    for (const [nonce, { issued }] of this.#spent) {
      if (issued > this.#floor) this.#floor = issued
      this.#spent.delete(nonce)
      return
    }
  }

  /** SHA-3 with the key in front is a MAC by its design, and costs a fifth of what an HMAC object does. */
  #mac(text: string): string {
    return hash("sha3-256", `${this.#key}${text}`, "base64url").slice(0, MAC_LENGTH)
  }

  /** When it was made, if it was made here. */
  #issued(nonce: string): number | undefined {
    const text = nonce.slice(0, -MAC_LENGTH - 1)
    return sameText(nonce, `${text}-${this.#mac(text)}`) ? Number.parseInt(text, 10) : undefined
  }
}
