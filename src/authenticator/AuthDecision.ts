/** What an authenticator is asked, and what it decides. */
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
  /** The rightmost URI of To-Path: it is in the digest (RFC 4976 §9.1). */
  readonly requestUri: MsrpUri
  /** Value of Authorization, `undefined` when there is none. */
  readonly authorization: string | undefined
  /** Values of further ones, in order: some clients answer each challenge with its own. One of them all is enough. */
  readonly furtherAuthorizations?: ReadonlyArray<string> | undefined
  /** Text, composed (NFC); compared case by case with what the client sends back. */
  readonly realm: string
  /** Address of the client, `undefined` behind another relay. Nonces are not bound to it; too many failures are. */
  readonly source: string | undefined
  /** Address of the relay that the client is behind. Too many failures are bound to it, as nothing else is known. */
  readonly relay?: string | undefined
  /**
   * The connection that it came in on: whether it is TLS, and what the certificate proves that its peer has shown (asked for
   * with the relay's option `clientCertificates`). Behind another relay it is that relay's. Absent in a test.
   */
  readonly connection?: ConnectionFacts | undefined
}

/**
 * What the log says of an AUTH that got no session.
 *
 * @category models
 * @since 0.2.0
 */
export interface AuthAttempt {
  /** Text, as the client says. */
  readonly username?: string | undefined
  /** Why, in a few words, none of them a secret; absent where the status says it. */
  readonly reason?: string | undefined
}

/**
 * What becomes of an AUTH: granted (200), challenged (401), rejected for good, or put off.
 *
 * @category models
 * @since 0.1.0
 */
export type AuthDecision =
  | {
    readonly _tag: "Granted"
    /** Text, composed (NFC). */
    readonly username: string
    readonly realm: string
    /** Value of Authentication-Info for the 200; none when absent. */
    readonly authenticationInfo?: string | undefined
    /**
     * The session lasts no longer, as where a token or a certificate ends: who asks for more is answered 423 (RFC 4976 §5.1).
     * Whole seconds count. A bare number is milliseconds.
     */
    readonly maxExpires?: Duration.Input | undefined
    /** Headers of the 200 besides: not those of the paths, Use-Path and Expires, which are the relay's. */
    readonly headers?: ReadonlyArray<readonly [name: string, value: string]> | undefined
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
    /** For the log. */
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
    /** The backend cannot answer: not a failure of the user, who may come again (408). */
    readonly _tag: "Unavailable"
    /** It was not even asked, since too many have failed in his name: counts for the connection as a failed attempt. */
    readonly failed?: boolean | undefined
    readonly attempt?: AuthAttempt | undefined
  }

const isText = (value: unknown): boolean => typeof value === "string"
const isTextOrNone = (value: unknown): boolean => value === undefined || isText(value)
const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)

const isTimeOrNone = (value: Duration.Input | undefined): boolean =>
  value === undefined || Option.isSome(Duration.fromInput(value))

/** Whether an authenticator of somebody's own has decided something that its type allows: what it is made of goes into answers and logs. */
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
      return areTexts(decision.wwwAuthenticate)
    case "Rejected":
      return (decision.status === 400 || decision.status === 403) && isText(decision.comment)
    default:
      return decision._tag === "Unavailable"
  }
}
