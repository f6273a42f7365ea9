/**
 * Decides each AUTH (RFC 4976 §5.1): by digest, by bearer tokens, or by custom rules.
 *
 * @module
 */

import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AuthDecision, AuthRequest } from "./authenticator/AuthDecision.ts"
import { makeBearer, type VerifyToken } from "./authenticator/BearerAuthenticator.ts"
import { makeDigest, type NoCommonAlgorithm } from "./authenticator/DigestAuthenticator.ts"
import type { DigestOptions } from "./authenticator/DigestOptions.ts"
import type { Credentials } from "./Credentials.ts"
import type { Live } from "./options/Live.ts"
import type { OptionsError } from "./options/Options.ts"

export type { AuthAttempt, AuthDecision, AuthRequest } from "./authenticator/AuthDecision.ts"
export { type TokenOwner, TokensUnavailable, type VerifyToken } from "./authenticator/BearerAuthenticator.ts"
export { NoCommonAlgorithm } from "./authenticator/DigestAuthenticator.ts"
export type { DigestOptions } from "./authenticator/DigestOptions.ts"

/**
 * Decides an AUTH: whether to challenge the client, and which user it is. Before that the relay checks what the AUTH asks for
 * (the relays in between, TLS, the number in Expires); afterwards it creates the session.
 *
 * The contract of a custom authenticator:
 *
 * - `authenticate` is called for each AUTH, including those without Authorization, which usually get a `Challenge`. Calls may
 *   overlap, even on one connection, and each may be interrupted.
 * - It answers within 25 seconds (the limit `authDecision`). If it takes longer, or dies, the client is answered 408.
 * - `Granted` names a user of the realm. The name appears in the log, and limits per user are counted by it. `maxExpires`
 *   bounds the session, `headers` are added to the 200.
 * - A `Challenge` whose `failed` is true counts against the connection, which is closed after several (RFC 4976 §6.3). One
 *   whose `failed` is false is the normal start of an AUTH, and costs the client nothing.
 * - `Rejected` is final; after `Unavailable` the client may try again.
 * - `attempt` and `comment` must not contain secrets: `attempt` is logged, `comment` is sent to the client.
 * - Limiting the number of guesses is up to the authenticator: see `DigestOptions`.
 *
 * ```ts
 * const ByCertificate = Layer.succeed(Authenticator, {
 *   authenticate: ({ connection, realm }) => {
 *     const name = connection?.peerNames[0]
 *     return Effect.succeed(
 *       name === undefined
 *         ? { _tag: "Rejected", status: 403, comment: "A certificate is needed" }
 *         : { _tag: "Granted", username: name, realm }
 *     )
 *   }
 * })
 * ```
 *
 * `authenticatorContract` of `msrp-relay/testing` tests this contract.
 *
 * @category services
 * @since 0.1.0
 */
export class Authenticator extends Context.Service<Authenticator, {
  readonly authenticate: (request: AuthRequest) => Effect.Effect<AuthDecision>
}>()("msrp-relay/Authenticator") {
  /** HTTP Digest with qop=auth (RFC 4976 §9.1, RFC 7616). Nonces belong to this layer: those of another process are stale. */
  static readonly layerDigest = (
    options: Live<DigestOptions> = {}
  ): Layer.Layer<Authenticator, NoCommonAlgorithm | OptionsError, Credentials> =>
    Layer.effect(Authenticator, Effect.suspend(() => makeDigest(options)))

  /**
   * Bearer tokens (RFC 6750): `Authorization: Bearer` and a token, already in the first AUTH, because no nonce is needed. A
   * token is as sensitive as a password, so it should only be sent over TLS.
   */
  static readonly layerBearer = (verify: VerifyToken): Layer.Layer<Authenticator> =>
    Layer.succeed(Authenticator, makeBearer(verify))

  /** `layerDigest` with options from a `Config`. */
  static readonly layerDigestConfig = (
    config: Config.Config<Live<DigestOptions>>
  ): Layer.Layer<Authenticator, NoCommonAlgorithm | OptionsError | Config.ConfigError, Credentials> =>
    Layer.unwrap(Effect.map(config, Authenticator.layerDigest))
}
