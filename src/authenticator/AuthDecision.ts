/** The question that an authenticator gets, and the decision that it gives. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { MsrpUri } from "../protocol/Uri.ts"
import type { ConnectionFacts } from "../transport/Connection.ts"

/**
 * An AUTH that ends at this relay.
 *
 * @category models
 * @since 0.1.0
 */
export interface AuthRequest {
  /** The rightmost URI of To-Path, which the digest includes (RFC 4976 §9.1). */
  readonly requestUri: MsrpUri
  /** Value of the first Authorization header; `undefined` if there is none. */
  readonly authorization: string | undefined
  /** Values of further Authorization headers, in order: some clients answer each challenge with one. One valid value is enough. */
  readonly furtherAuthorizations?: ReadonlyArray<string> | undefined
  /** Composed text (NFC); compared case-sensitively with the realm that the client sends. */
  readonly realm: string
  /** Address of the client; `undefined` behind another relay. Failures are counted by it, nonces are not bound to it. */
  readonly source: string | undefined
  /** Address of the relay that the client is behind. Failures are counted by it, because the client's address is unknown. */
  readonly relay?: string | undefined
  /**
   * The connection that the AUTH came in on: whether it uses TLS, and the names that the certificate of the peer proves (the
   * relay's option `clientCertificates` asks for one). For a client behind another relay it is the connection of that relay.
   * Absent in a test.
   */
  readonly connection?: ConnectionFacts | undefined
}

/**
 * Details of an AUTH that got no session, for the log.
 *
 * @category models
 * @since 0.2.0
 */
export interface AuthAttempt {
  /** The user name that the client sent. */
  readonly username?: string | undefined
  /** The reason in a few words, without secrets; absent if the status says it. */
  readonly reason?: string | undefined
}

/**
 * The outcome of an AUTH: granted (200), challenged (401), rejected for good (400 or 403), or to be tried again later (408).
 *
 * @category models
 * @since 0.1.0
 */
export type AuthDecision =
  | {
    readonly _tag: "Granted"
    /** Composed text (NFC). */
    readonly username: string
    readonly realm: string
    /** Value of the Authentication-Info header of the 200. Absent: no such header. */
    readonly authenticationInfo?: string | undefined
    /**
     * Maximum duration of the session, for example until a token or a certificate expires; a request for more is answered 423
     * (RFC 4976 §5.1). Rounded down to whole seconds. A bare number is milliseconds.
     */
    readonly maxExpires?: Duration.Input | undefined
    /** Additional headers of the 200; the relay itself sets the paths, Use-Path and Expires. */
    readonly headers?: ReadonlyArray<readonly [name: string, value: string]> | undefined
  }
  | {
    /** 401. */
    readonly _tag: "Challenge"
    /** Values of the WWW-Authenticate headers, in order; at least one (RFC 4976 §10.3). */
    readonly wwwAuthenticate: ReadonlyArray<string>
    /** Whether it counts as a failed attempt: there were credentials, and they were wrong (RFC 4976 §6.3). */
    readonly failed: boolean
    /** Whether the credentials were right, but their nonce is used up or too old. */
    readonly stale: boolean
    /** Details for the log. */
    readonly attempt?: AuthAttempt | undefined
  }
  | {
    readonly _tag: "Rejected"
    readonly status: 400 | 403
    /** The comment of the response: a few words for people, on one line. */
    readonly comment: string
    readonly attempt?: AuthAttempt | undefined
  }
  | {
    /** The backend cannot answer (408). It is not a failure of the user, who may try again. */
    readonly _tag: "Unavailable"
    /** Whether it counts as a failed attempt of the connection: the backend was not asked, because of too many failures. */
    readonly failed?: boolean | undefined
    readonly attempt?: AuthAttempt | undefined
  }

const isText = (value: unknown): boolean => typeof value === "string"
const isTextOrNone = (value: unknown): boolean => value === undefined || isText(value)
const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)

/** NaN, the time until an expiry that a token does not have, is none: `Duration` takes it for 0. */
const isTimeOrNone = (value: Duration.Input | undefined): boolean =>
  value === undefined ||
  (![value, ...Object.values(Object(value))].some(Number.isNaN) && Option.isSome(Duration.fromInput(value)))

/** Whether the decision of a custom authenticator conforms to its type: its parts go into responses and logs. */
export const isDecision = (decision: AuthDecision): boolean => {
  if (decision._tag === "Granted") {
    const { authenticationInfo, headers = [], maxExpires, realm, username } = decision
    return isText(username) && isText(realm) && isTextOrNone(authenticationInfo) && isTimeOrNone(maxExpires) &&
      Array.isArray(headers) && headers.every((header) => areTexts(header) && header.length === 2)
  }
  const { attempt } = decision
  if (!isTextOrNone(attempt?.username) || !isTextOrNone(attempt?.reason)) return false
  switch (decision._tag) {
    case "Challenge":
      return areTexts(decision.wwwAuthenticate) && decision.wwwAuthenticate.length > 0
    case "Rejected":
      return (decision.status === 400 || decision.status === 403) && isText(decision.comment)
    default:
      return decision._tag === "Unavailable"
  }
}
