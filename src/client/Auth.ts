/**
 * A client's AUTH (RFC 4976 §5.1, §9.1): a first request without credentials, the answer to the relay's challenge, and
 * the check that the relay also knows the password.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Answer, answerChallenge, verifyRspauth } from "../protocol/digest/Answer.ts"
import { parseAuthenticationInfo } from "../protocol/digest/AuthenticationInfo.ts"
import { type Challenge, saysStale, strongestChallenge } from "../protocol/digest/Challenge.ts"
import type { DigestAlgorithm } from "../protocol/digest/Digest.ts"
import type { HeaderLines } from "../protocol/Encoder.ts"
import { defaultFrameLimits } from "../protocol/FrameLimits.ts"
import { sessionId } from "../protocol/Ident.ts"
import { type MsrpUri, parsePath } from "../protocol/Uri.ts"
import { ClientError } from "./ClientError.ts"
import type { Frame } from "./Frame.ts"
import { refused } from "./Responses.ts"

/**
 * A relay's answer to a successful AUTH.
 *
 * @category models
 * @since 0.1.0
 */
export interface Grant {
  /** The URIs of Use-Path, which precede the peer's path in the To-Path of a request (RFC 4976 §4.2). */
  readonly usePath: ReadonlyArray<MsrpUri>
  /** Seconds until the path expires. */
  readonly expires: number
  /** Nonce for the next AUTH, if the relay gave one (RFC 7616 §3.5). */
  readonly nextNonce: string | undefined
  /** Whether the relay proved that it knows the password. False only with `rspauth: "optional"`. */
  readonly proven: boolean
  /** The challenge that was answered, and how often its nonce was used. Undefined if the relay asked for no password. */
  readonly used: UsedNonce | undefined
  /** The relay's 200. */
  readonly response: Frame
}

/**
 * A challenge of a relay, and how often its nonce was used.
 *
 * @category models
 * @since 0.2.0
 */
export interface UsedNonce {
  readonly challenge: Challenge
  readonly nc: number
}

export interface Credentials {
  /** The rightmost URI of the AUTH's To-Path. */
  readonly uri: string
  readonly username: string
  readonly password: Redacted.Redacted
  /** Requested lifetime in seconds. Absent: the relay decides. */
  readonly expires: number | undefined
  readonly adjustExpires: boolean
  readonly algorithms: ReadonlyArray<DigestAlgorithm>
  readonly rspauth: "required" | "optional"
  readonly sendUri: boolean
  readonly after: Grant | undefined
}

/** Sends AUTHs until the relay grants or refuses. `request` sends one with these headers and waits for its response. */
export const auth = Effect.fnUntraced(function*(
  request: (headers: HeaderLines) => Effect.Effect<Frame, ClientError>,
  options: Credentials
): Effect.fn.Return<Grant, ClientError> {
  let { expires } = options
  let attempt = following(options.after)
  let adjusted = false
  let renewed = false
  // The nonce of an earlier grant may have expired. Some relays do not call it stale, so one more challenge is answered.
  let kept = attempt !== undefined

  while (true) {
    const headers: Array<readonly [string, string]> = []
    let answer: Answer | undefined
    if (attempt !== undefined) {
      const { sendUri, uri, username } = options
      answer = {
        username,
        password: Redacted.value(options.password),
        uri,
        nc: attempt.nc,
        cnonce: sessionId(),
        sendUri
      }
      const authorization = answerChallenge(attempt.challenge, answer)
      if (authorization === undefined) return yield* malformed("the user name cannot be written in a header")
      headers.push(["Authorization", authorization])
    }
    if (expires !== undefined) headers.push(["Expires", `${expires}`])
    const response = yield* request(headers)

    if (response.status >= 200 && response.status < 300) {
      return yield* granted(response, attempt, answer, options.rspauth)
    }
    if (response.status === 423 && options.adjustExpires && !adjusted) {
      adjusted = true
      expires = seconds(response.header("Min-Expires")) ?? seconds(response.header("Max-Expires"))
      if (expires === undefined) return yield* malformed("423 without Min-Expires or Max-Expires", response)
      if (attempt !== undefined) attempt = { challenge: attempt.challenge, nc: attempt.nc + 1 }
      continue
    }
    if (response.status !== 401) return yield* refused(response)

    const values = response.octets("WWW-Authenticate")
    if (attempt !== undefined) {
      if (renewed || !(kept || saysStale(values))) return yield* refused(response)
      renewed = true
    }
    kept = false
    const challenge = strongestOf(values, options.algorithms)
    if (challenge === undefined) return yield* malformed("401 without a challenge that can be answered", response)
    attempt = { challenge, nc: 1 }
  }
})

const following = (grant: Grant | undefined): UsedNonce | undefined => {
  const used = grant?.used
  if (used === undefined) return undefined
  return grant?.nextNonce === undefined
    ? { challenge: used.challenge, nc: used.nc + 1 }
    : { challenge: { ...used.challenge, nonce: grant.nextNonce }, nc: 1 }
}

const strongestOf = (
  values: ReadonlyArray<string>,
  algorithms: ReadonlyArray<DigestAlgorithm>
): Challenge | undefined =>
  strongestChallenge(values.filter((value) => {
    const challenge = strongestChallenge([value])
    return challenge !== undefined && algorithms.includes(challenge.algorithm)
  }))

const granted = (
  response: Frame,
  used: UsedNonce | undefined,
  answer: Answer | undefined,
  rspauth: "required" | "optional"
): Effect.Effect<Grant, ClientError> => {
  const info = response.octets("Authentication-Info")[0]
  const proven = info !== undefined && used !== undefined && answer !== undefined &&
    verifyRspauth(info, used.challenge, answer)
  if (!proven && (info !== undefined || rspauth === "required")) {
    const what = info === undefined ? "no Authentication-Info" : "a wrong or malformed Authentication-Info"
    return Effect.fail(
      new ClientError({
        reason: "Unproven",
        message: `the relay did not prove that it knows the password: ${what}`,
        status: response.status,
        response
      })
    )
  }
  const usePath = parsePath(response.header("Use-Path") ?? "", defaultFrameLimits.pathUris)
  if (usePath === undefined) return malformed("200 without a valid Use-Path", response)
  const expires = seconds(response.header("Expires"))
  // A path that has expired already would be renewed in an endless loop.
  if (expires === undefined || expires === 0) return malformed("200 without a valid Expires", response)
  const nextNonce = info === undefined ? undefined : parseAuthenticationInfo(info)?.nextnonce
  return Effect.succeed({ usePath, expires, nextNonce, proven, used, response })
}

/** Larger values are cut to this, so that adding them to the current time still gives a valid date. */
const MAX_SECONDS = 2 ** 31

const seconds = (value: string | undefined): number | undefined =>
  value !== undefined && /^\d+$/.test(value) ? Math.min(Number(value), MAX_SECONDS) : undefined

const malformed = (message: string, response?: Frame): Effect.Effect<never, ClientError> =>
  Effect.fail(
    new ClientError({
      reason: "Answer",
      message,
      ...(response === undefined ? {} : { status: response.status, response })
    })
  )
