/** Bearer tokens instead of digests (RFC 6750): the client sends one in its first AUTH. */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { toOctets } from "../protocol/digest/Digest.ts"
import type { AuthDecision, AuthRequest } from "./AuthDecision.ts"

/**
 * The user that a token belongs to.
 *
 * @category models
 * @since 0.2.0
 */
export interface TokenOwner {
  /** Composed text (NFC). */
  readonly username: string
  /** Remaining validity of the token, which limits its session. Absent: no limit. A bare number is milliseconds. */
  readonly expiresIn?: Duration.Input | undefined
}

/**
 * Tokens cannot be verified now; the client may try again (408).
 *
 * @category errors
 * @since 0.2.0
 */
export class TokensUnavailable extends Data.TaggedError("TokensUnavailable") {
  override get message(): string {
    return "tokens cannot be verified now"
  }
}

/**
 * Finds the user that a token belongs to; `None` if it is not valid.
 *
 * @category models
 * @since 0.2.0
 */
export type VerifyToken = (
  token: Redacted.Redacted,
  request: AuthRequest
) => Effect.Effect<Option.Option<TokenOwner>, TokensUnavailable>

/** The scheme `Bearer` and a token (RFC 6750 §2.1). */
const BEARER = /^bearer +([\w.~+/-]+=*) *$/i

const tokenIn = ({ authorization, furtherAuthorizations = [] }: AuthRequest): string | undefined =>
  [...(authorization === undefined ? [] : [authorization]), ...furtherAuthorizations]
    .map((one) => BEARER.exec(one)?.[1]).find((one) => one !== undefined)

export const makeBearer = (verify: VerifyToken) => {
  const challenge = (realm: string, failed: boolean): AuthDecision => ({
    _tag: "Challenge",
    wwwAuthenticate: [`Bearer realm="${toOctets(realm)}"${failed ? ", error=\"invalid_token\"" : ""}`],
    failed,
    stale: false,
    ...(failed ? { attempt: { reason: "the token is not good" } } : {})
  })
  return {
    authenticate: (request: AuthRequest): Effect.Effect<AuthDecision> => {
      const { realm } = request
      const token = tokenIn(request)
      if (token === undefined) return Effect.succeed(challenge(realm, request.authorization !== undefined))
      return Effect.match(verify(Redacted.make(token), request), {
        onFailure: (): AuthDecision => ({ _tag: "Unavailable", attempt: { reason: "the token cannot be looked at" } }),
        onSuccess: Option.match({
          onNone: () => challenge(realm, true),
          onSome: ({ expiresIn, username }): AuthDecision => ({
            _tag: "Granted",
            username,
            realm,
            maxExpires: expiresIn
          })
        })
      })
    }
  }
}
