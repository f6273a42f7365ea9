/**
 * Decides an AUTH that asks for nothing it may not: the authenticator says who the user is, the repository makes the
 * session.
 */
import * as Effect from "effect/Effect"
import type { Authenticator } from "../../Authenticator.ts"
import type { SessionRepo } from "../../SessionRepo.ts"
import type { RelayCounters } from "../Counters.ts"
import type { Asking, Auth, AuthAnswer } from "../rules/Auth.ts"

export interface LoginOptions {
  readonly auth: Auth
  readonly authenticator: Authenticator["Service"]
  readonly sessions: SessionRepo["Service"]
  readonly counters: RelayCounters
}

/** Answers the AUTH; `ended` is called then, whatever happens. */
export const makeLogin = ({ auth, authenticator, counters, sessions }: LoginOptions) => {
  const decide = Effect.fnUntraced(function*(asking: Asking): Effect.fn.Return<AuthAnswer> {
    const { authorizations: [authorization, ...furtherAuthorizations], behindRelay, hop, realm, request } = asking
    const source = behindRelay ? undefined : hop.connection?.remote.host
    const decision = yield* authenticator.authenticate({
      requestUri: request.target,
      authorization,
      furtherAuthorizations,
      realm,
      source
    })
    switch (decision._tag) {
      case "Challenge": {
        const headers = decision.wwwAuthenticate.map((value) => ["WWW-Authenticate", value] as const)
        return { status: 401, headers, failed: decision.failed }
      }
      case "Rejected":
        return { status: decision.status }
      case "Unavailable":
        // The user is not at fault and may come again: a time-out, not counted as a failure.
        counters.undecidedAuths++
        return { status: 408 }
    }
    const wanted = auth.grant(asking, decision)
    if ("status" in wanted) return wanted
    const session = yield* sessions.create(wanted).pipe(
      Effect.catchTag("SessionsExhausted", () => Effect.succeed(undefined))
    )
    return auth.granted(asking, session, { authenticationInfo: decision.authenticationInfo, expires: wanted.expires })
  })

  return (asking: Asking, ended: () => void): Effect.Effect<void> =>
    decide(asking).pipe(
      Effect.map((answer) => auth.answer(asking, answer)),
      Effect.catchCause((cause) => Effect.logError("AUTH could not be decided", cause)),
      Effect.ensuring(Effect.sync(ended))
    )
}
