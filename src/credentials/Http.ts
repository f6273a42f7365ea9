/**
 * Users known to an HTTP service of the operator. For each AUTH the relay sends it a POST with
 *
 * ```json
 * { "username": "alice", "realm": "example.com", "method": "AUTH", "source": "192.0.2.1" }
 * ```
 *
 * (without `source` behind another relay). The service answers 200 with `{ "password": "..." }` or `{ "ha1": { "MD5": "...",
 * "SHA-256": "..." } }` (either algorithm may be missing), or 404 if there is no such user. It may add `username` as it is
 * stored: if that differs from the requested name, even only in case, there is no such user. Any other answer, or none, means
 * that the service cannot tell now: the client is neither let in nor refused.
 *
 * @module
 */

import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  Credentials,
  CredentialsUnavailable,
  type DigestAlgorithm,
  type Lookup,
  type Secret,
  storedSecret,
  type UserKey
} from "../Credentials.ts"
import { fetchWords } from "../net/ServerFault.ts"
import { checkOptions, duration, oneOf, type OptionsError, secret, text } from "../options/Options.ts"
import { digestAlgorithms } from "../protocol/digest/Digest.ts"
import { Turns } from "./Turns.ts"

/**
 * The HTTP service that knows the users, and options for asking it.
 *
 * @category options
 * @since 0.1.0
 */
export interface HttpOptions {
  readonly url: string
  /** Sent as `Authorization: Bearer`. */
  readonly token?: Redacted.Redacted | undefined
  /** Time limit for one try. Absent: 2 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** Algorithms for which the service has an H(A1). Absent: both, as for passwords. */
  readonly algorithms?: ReadonlyArray<DigestAlgorithm> | undefined
  /**
   * A realm of the relay, in which the service is asked for the user `nobody` at the start; a warning is logged if it cannot
   * tell. Absent: problems do not show before somebody logs in.
   */
  readonly realm?: string | undefined
}

/**
 * The name of a user who does not exist, for asking a service without revealing anything about real users.
 *
 * @category constants
 * @since 0.2.0
 */
export const nobody = "msrp-relay-check"

/**
 * Whether a token can be sent in a header field (RFC 6750 §2.1 allows even fewer characters).
 *
 * @category predicates
 * @since 0.2.0
 */
export const isHttpToken = (text: string): boolean => /^[\x21-\x7e]+$/.test(text)

/** The answer does not say whether there is such a user. */
class HttpAnswer extends Data.TaggedError("HttpAnswer")<{ readonly status: number; readonly problem: string }> {
  override get message(): string {
    return `the answer was ${this.status}: ${this.problem}`
  }
}

/** Maximum number of octets of an answer. */
const MAX_ANSWER = 65_536

/**
 * Requests to the service at a time. Each may need a connection of its own, and all strangers in probation may send AUTHs at
 * once: they must exhaust neither the descriptors of the relay nor the service.
 */
const MAX_ASKED = 64

/** Retries after 100 ms and 200 ms: no more, because a client is waiting for the answer to its AUTH. */
const RETRIES = { times: 2, schedule: Schedule.exponential("100 millis") }

const Answer = Schema.Union([
  Schema.Struct({ password: Schema.NonEmptyString, username: Schema.optional(Schema.String) }),
  Schema.Struct({
    username: Schema.optional(Schema.String),
    ha1: Schema.Struct({ "MD5": Schema.optional(Schema.String), "SHA-256": Schema.optional(Schema.String) })
  })
])

/** Made once: it takes longer than what it does. */
const decodeAnswer = Schema.decodeUnknownEffect(Schema.fromJsonString(Answer))

/** The text of an answer. Reading stops at the first octet too many. */
const textOf = ({ status, stream }: HttpClientResponse.HttpClientResponse) =>
  Stream.runFoldEffect(stream, () => Buffer.alloc(0), (before, more) => {
    const octets = before.length + more.length
    return octets > MAX_ANSWER
      ? Effect.fail(new HttpAnswer({ status, problem: "too long" }))
      : Effect.succeed(Buffer.concat([before, more], octets))
  }).pipe(Effect.map((octets) => octets.toString("utf8")))

const secretOf = (answer: typeof Answer.Type): Secret | undefined => {
  if ("password" in answer) return { _tag: "Password", password: Redacted.make(answer.password) }
  const ha1: Partial<Record<DigestAlgorithm, Redacted.Redacted>> = {}
  for (const [algorithm, digits] of Object.entries(answer.ha1)) {
    const secret = digits === undefined ? undefined : storedSecret(digits, false)
    if (secret?._tag === "Ha1") Object.assign(ha1, secret.ha1)
    if (secret === undefined || secret._tag !== "Ha1" || !(algorithm in secret.ha1)) return undefined
  }
  return Object.keys(ha1).length === 0 ? undefined : { _tag: "Ha1", ha1 }
}

/**
 * Whether a text is an http or https URL without a password, which every error message would show.
 *
 * @category predicates
 * @since 0.2.0
 */
export const isHttpUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === ""
}

const optionsSchema = Schema.Struct({
  url: text("an http or https URL without a password", isHttpUrl),
  token: Schema.optional(secret("visible ASCII characters", isHttpToken)),
  timeout: Schema.optional(duration),
  algorithms: Schema.optional(Schema.Array(oneOf(...digestAlgorithms))),
  realm: Schema.optional(Schema.String)
})

/** What an answer says about the user who was asked for. */
const secretIn = Effect.fnUntraced(function*(
  response: HttpClientResponse.HttpClientResponse,
  username: string,
  hasToken: boolean
) {
  const { status } = response
  const wrong = (problem: string) => new HttpAnswer({ status, problem })
  if (status === 404) {
    // Read like that of a user, whatever is in it: the time until the client has its answer would tell who is one.
    yield* Effect.ignore(Effect.flatMap(textOf(response), decodeAnswer))
    return Option.none<Secret>()
  }
  if (status === 401 || status === 403) return yield* wrong(hasToken ? "it refuses the token" : "it wants a token")
  if (status !== 200) return yield* wrong("neither 200 nor 404")
  const text = yield* textOf(response)
  // The details of what is wrong are left out, because they may quote a secret.
  const answer = yield* Effect.mapError(decodeAnswer(text), () => wrong("not as it should be"))
  if ((answer.username ?? username).normalize("NFC") !== username) return Option.none<Secret>()
  const secret = secretOf(answer)
  return secret === undefined ? yield* wrong("has no H(A1)") : Option.some(secret)
})

const unavailable = (error: HttpAnswer | HttpClientError.HttpClientError | Cause.TimeoutError) =>
  new CredentialsUnavailable({
    backend: "http",
    cause: error._tag === "HttpAnswer"
      ? error.message
      : error._tag === "TimeoutError"
      ? "no answer"
      : `no connection: ${fetchWords(error)}`
  })

/** Asks the service once for the secret of a user. */
const makeAsk = Effect.fnUntraced(function*({ timeout = "2 seconds", token, url }: HttpOptions) {
  // Scoped, so that the unread rest of an answer is aborted when the request is over: it would hold its connection for minutes.
  const client = HttpClient.withScope(yield* HttpClient.HttpClient)
  const turns = new Turns(MAX_ASKED)
  const request = HttpClientRequest.post(url).pipe(
    HttpClientRequest.acceptJson,
    token === undefined ? (same) => same : HttpClientRequest.bearerToken(token)
  )
  return (user: UserKey) => {
    const { realm, source, username } = user
    return client.execute(HttpClientRequest.bodyJsonUnsafe(request, { username, realm, method: "AUTH", source })).pipe(
      Effect.flatMap((response) => secretIn(response, username, token !== undefined)),
      Effect.scoped,
      // Redirects are not followed: only the configured service may learn which users log in.
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
      Effect.timeout(timeout),
      (asking) => turns.run(user, asking)
    )
  }
})

/**
 * Users known to an HTTP service. Fails with an `OptionsError` if the options cannot be used.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerHttp = (options: HttpOptions): Layer.Layer<Credentials, OptionsError, HttpClient.HttpClient> =>
  Layer.effect(
    Credentials,
    Effect.gen(function*() {
      yield* checkOptions("layerHttp", optionsSchema, options)
      const { algorithms, realm } = options
      const ask = yield* makeAsk(options)
      const lookup: Lookup = (user) => ask(user).pipe(Effect.retry(RETRIES), Effect.mapError(unavailable))
      const made = Credentials.make(lookup, algorithms)
      if (realm === undefined) return made
      const missing = yield* ask({ username: nobody, realm }).pipe(
        Effect.as(undefined),
        Effect.catch((error) => {
          const why = unavailable(error)
          return Effect.logWarning("the HTTP credentials cannot be read now: nobody can log in before they can").pipe(
            Effect.annotateLogs({ reason: why.cause }),
            Effect.as(why)
          )
        })
      )
      return { ...made, missing }
    })
  )
