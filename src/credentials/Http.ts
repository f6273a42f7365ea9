/**
 * Users whom an operator's own service knows. For each AUTH it gets a POST with
 *
 * ```json
 * { "username": "alice", "realm": "example.com", "method": "AUTH", "source": "192.0.2.1" }
 * ```
 *
 * (no source behind another relay) and answers 200 with `{ "password": "..." }` or `{ "ha1": { "MD5": "...", "SHA-256":
 * "..." } }` (either algorithm may be missing), or 404 when there is no such user. It may add the `username` as it has it:
 * when that is another than was asked for, as in other case, there is no such user. Any other answer, and none, means that
 * it cannot tell now: nobody is let in by that, and nobody is refused.
 *
 * @module
 */

import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import {
  Credentials,
  CredentialsUnavailable,
  type DigestAlgorithm,
  type Secret,
  storedSecret,
  type UserKey
} from "../Credentials.ts"
import { fetchWords } from "../net/ServerFault.ts"
import { checkOptions, duration, oneOf, type OptionsError, secret, text } from "../options/Options.ts"
import { digestAlgorithms } from "../protocol/digest/Digest.ts"

/**
 * Which service knows the users, and how it is asked.
 *
 * @category options
 * @since 0.1.0
 */
export interface HttpOptions {
  readonly url: string
  /** Sent as `Authorization: Bearer`. */
  readonly token?: Redacted.Redacted | undefined
  /** For one try. Absent: 2 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** Algorithms for which the service has an H(A1). Absent: both, as for passwords. */
  readonly algorithms?: ReadonlyArray<DigestAlgorithm> | undefined
  /**
   * A realm of the relay, in which the service is asked once at the start, for `nobody`: that it cannot tell is a warning.
   * Absent: what is wrong with it is not known before somebody logs in.
   */
  readonly realm?: string | undefined
}

/**
 * A user whom there is not: nothing of anybody is told when a service is asked for him.
 *
 * @category constants
 * @since 0.2.0
 */
export const nobody = "msrp-relay-check"

/**
 * Whether it can be sent in a header field (RFC 6750 §2.1 has fewer characters still).
 *
 * @category predicates
 * @since 0.2.0
 */
export const isHttpToken = (text: string): boolean => /^[\x21-\x7e]+$/.test(text)

/** An answer that does not say whether there is such a user. */
class HttpAnswer extends Data.TaggedError("HttpAnswer")<{ readonly status: number; readonly problem: string }> {
  override get message(): string {
    return `the answer was ${this.status}: ${this.problem}`
  }
}

/** Octets of an answer. */
const MAX_ANSWER = 65_536

/**
 * Questions at a time, each of which may have a connection of its own: as many strangers as may be in probation can want to know of
 * somebody at once, and their AUTHs must take neither the relay's descriptors nor the service.
 */
const MAX_ASKED = 64

/** After 100 ms, then 200 ms: a client waits for its AUTH. */
const RETRIES = { times: 2, schedule: Schedule.exponential("100 millis") }

const Answer = Schema.Union([
  Schema.Struct({ password: Schema.NonEmptyString, username: Schema.optional(Schema.String) }),
  Schema.Struct({
    username: Schema.optional(Schema.String),
    ha1: Schema.Struct({ "MD5": Schema.optional(Schema.String), "SHA-256": Schema.optional(Schema.String) })
  })
])

/** The text of an answer, of which no more is read than it may have. */
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
 * Whether it can be asked; a password in it would be in every error.
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

/**
 * Users whom an HTTP service knows. Options that cannot be used are an `OptionsError`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerHttp = (options: HttpOptions): Layer.Layer<Credentials, OptionsError, HttpClient.HttpClient> =>
  Layer.effect(
    Credentials,
    Effect.gen(function*() {
      yield* checkOptions("layerHttp", optionsSchema, options)
      const { algorithms, realm: first, timeout = "2 seconds", token, url } = options
      // What is not read of an answer is refused at the end of each question: it would keep its connection for minutes.
      const client = HttpClient.withScope(yield* HttpClient.HttpClient)
      const turns = yield* Semaphore.make(MAX_ASKED)
      const request = HttpClientRequest.post(url).pipe(
        HttpClientRequest.acceptJson,
        token === undefined ? (same) => same : HttpClientRequest.bearerToken(token)
      )
      const ask = Effect.fnUntraced(function*({ realm, source, username }: UserKey) {
        const response = yield* client.execute(
          HttpClientRequest.bodyJsonUnsafe(request, { username, realm, method: "AUTH", source })
        )
        const { status } = response
        if (status === 404) return Option.none<Secret>()
        if (status === 401 || status === 403) {
          return yield* new HttpAnswer({
            status,
            problem: token === undefined ? "it wants a token" : "it refuses the token"
          })
        }
        if (status !== 200) return yield* new HttpAnswer({ status, problem: "neither 200 nor 404" })
        const text = yield* textOf(response)
        // What is wrong with it is not told: it is about a secret.
        const answer = yield* Schema.decodeUnknownEffect(Schema.fromJsonString(Answer))(text).pipe(
          Effect.mapError(() => new HttpAnswer({ status, problem: "not as it should be" }))
        )
        if ((answer.username ?? username).normalize("NFC") !== username) return Option.none<Secret>()
        const secret = secretOf(answer)
        return secret === undefined
          ? yield* new HttpAnswer({ status, problem: "has no H(A1)" })
          : Option.some(secret)
      })
      const unavailable = (error: Effect.Error<ReturnType<typeof tried>>) =>
        new CredentialsUnavailable({
          backend: "http",
          cause: error._tag === "HttpAnswer"
            ? error.message
            : error._tag === "TimeoutError"
            ? "no answer"
            : `no connection: ${fetchWords(error)}`
        })
      const tried = (user: UserKey) =>
        ask(user).pipe(
          Effect.scoped,
          // Who users are is for nobody but the service that was set to know.
          Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
          Effect.timeout(timeout),
          (asking) => turns.withPermit(asking)
        )
      if (first !== undefined) {
        yield* tried({ username: nobody, realm: first }).pipe(
          Effect.catch((error) =>
            Effect.logWarning("the HTTP credentials cannot be read now: nobody can log in before they can").pipe(
              Effect.annotateLogs({ reason: unavailable(error).cause })
            )
          )
        )
      }
      return Credentials.make(
        (user) => tried(user).pipe(Effect.retry(RETRIES), Effect.mapError(unavailable)),
        algorithms
      )
    })
  )
