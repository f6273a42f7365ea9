import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AuthDecision, AuthRequest } from "./authenticator/AuthDecision.ts"
import { type DigestOptions, makeDigest, type NoCommonAlgorithm } from "./authenticator/DigestAuthenticator.ts"
import type { Credentials } from "./Credentials.ts"
import type { Live } from "./options/Live.ts"
import type { OptionsError } from "./options/Options.ts"

export type { AuthDecision, AuthRequest } from "./authenticator/AuthDecision.ts"
export { type DigestOptions, NoCommonAlgorithm } from "./authenticator/DigestAuthenticator.ts"

/** Decides an AUTH: whom to challenge, and who is who. */
export class Authenticator extends Context.Service<Authenticator, {
  readonly authenticate: (request: AuthRequest) => Effect.Effect<AuthDecision>
}>()("msrp-relay/Authenticator") {
  /** HTTP Digest with qop=auth (RFC 4976 §9.1, RFC 7616). Nonces are this layer's own: another process' are stale. */
  static readonly layerDigest = (
    options: Live<DigestOptions> = {}
  ): Layer.Layer<Authenticator, NoCommonAlgorithm | OptionsError, Credentials> =>
    Layer.effect(Authenticator, Effect.suspend(() => makeDigest(options)))

  /** The same with options out of a configuration. */
  static readonly layerDigestConfig = (
    config: Config.Config<Live<DigestOptions>>
  ): Layer.Layer<Authenticator, NoCommonAlgorithm | OptionsError | Config.ConfigError, Credentials> =>
    Layer.unwrap(Effect.map(config, Authenticator.layerDigest))
}
