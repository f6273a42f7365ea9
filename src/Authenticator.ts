/**
 * Who is let in: decides each AUTH (RFC 4976 §5.1), by digest, by bearer tokens, or by a rule of one's own.
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
 * Decides an AUTH: whom to challenge, and who is who. The relay has looked before at what the AUTH may ask for (who may stand
 * between, TLS, Expires as a number), and makes the session after.
 *
 * The contract, for an authenticator of one's own:
 *
 * - `authenticate` is asked for each AUTH, also for those without Authorization, which are mostly answered with a
 *   `Challenge`. Several may be asked at once, also of one connection, and each may be interrupted.
 * - It answers within 25 seconds (the limit `authDecision`), or the client is answered 408, as when it dies.
 * - `Granted` is a user of the realm: his name is in the log, and bounds are counted by it. `maxExpires` bounds the session,
 *   `headers` are put into the 200.
 * - A `Challenge` whose `failed` is true counts against the connection, which is closed after some (RFC 4976 §6.3). Without
 *   any it is how AUTH begins, and costs the client nothing.
 * - `Rejected` says no for good, `Unavailable` that the client may come again.
 * - Nothing secret belongs into `attempt` and `comment`: both are shown, the one in the log, the other to the client.
 * - How many guesses are free, and from where, is the authenticator's: see `DigestOptions`.
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
 * `authenticatorContract` of `msrp-relay/testing` has tests of that.
 *
 * @category services
 * @since 0.1.0
 */
export class Authenticator extends Context.Service<Authenticator, {
  readonly authenticate: (request: AuthRequest) => Effect.Effect<AuthDecision>
}>()("msrp-relay/Authenticator") {
  /** HTTP Digest with qop=auth (RFC 4976 §9.1, RFC 7616). Nonces are this layer's own: another process' are stale. */
  static readonly layerDigest = (
    options: Live<DigestOptions> = {}
  ): Layer.Layer<Authenticator, NoCommonAlgorithm | OptionsError, Credentials> =>
    Layer.effect(Authenticator, Effect.suspend(() => makeDigest(options)))

  /**
   * Bearer tokens (RFC 6750): `Authorization: Bearer` and a token, in the first AUTH, since nobody needs a nonce. The token is
   * as good as a password, so it should go by TLS only.
   */
  static readonly layerBearer = (verify: VerifyToken): Layer.Layer<Authenticator> =>
    Layer.succeed(Authenticator, makeBearer(verify))

  /** The same as `layerDigest`, with options out of a configuration. */
  static readonly layerDigestConfig = (
    config: Config.Config<Live<DigestOptions>>
  ): Layer.Layer<Authenticator, NoCommonAlgorithm | OptionsError | Config.ConfigError, Credentials> =>
    Layer.unwrap(Effect.map(config, Authenticator.layerDigest))
}
