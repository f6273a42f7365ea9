/**
 * Decides an AUTH that asks for nothing it may not: the authenticator says who the user is, the repository makes the
 * session. Either may be of somebody's own: whatever becomes of them, the client has its answer.
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Authenticator } from "../../Authenticator.ts"
import { isDecision } from "../../authenticator/AuthDecision.ts"
import type { BoundedLog } from "../../logging/BoundedLog.ts"
import { kindOf } from "../../logging/ErrorKind.ts"
import { addressText, ConnectionFacts } from "../../transport/Connection.ts"
import type { RelayCounters } from "../Counters.ts"
import type { Asking, Auth } from "../rules/Auth.ts"
import { type Attempted, type AuthAnswer, resultOf } from "../rules/AuthAnswer.ts"
import type { SessionKeeper } from "./SessionKeeper.ts"
import { exitWithin } from "./TimeLimit.ts"

export interface LoginOptions {
  readonly auth: Auth
  readonly authenticator: Authenticator["Service"]
  readonly keeper: SessionKeeper
  readonly counters: RelayCounters
  /** Each login may meet what is broken. */
  readonly log: BoundedLog
  /** Seconds until an AUTH that is not decided is answered; may change. */
  readonly limits: { readonly authDecision: number }
}

/** What an authenticator of somebody's own must not answer. */
class AuthenticatorFault extends Data.TaggedError("AuthenticatorFault")<{
  readonly code: "UnknownDecision" | "ForbiddenHeader"
}> {}

/** Headers of a 200 that an authenticator has no say in, and the form of a name (RFC 4975 §9). */
const OWN_HEADERS = /^(?:To-Path|From-Path|Use-Path|Expires|Authentication-Info)$/i
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/

/** Answers the AUTH; `ended` is called then, whatever happens. */
export const makeLogin = ({ auth, authenticator, counters, keeper, limits, log }: LoginOptions) => {
  const decide = Effect.fnUntraced(function*(asking: Asking): Effect.fn.Return<AuthAnswer> {
    const { authorizations: [authorization, ...furtherAuthorizations], behindRelay, hop, realm, request } = asking
    const address = hop.connection?.remote.host
    const decision = yield* authenticator.authenticate({
      requestUri: request.target,
      authorization,
      furtherAuthorizations,
      realm,
      source: behindRelay ? undefined : address,
      relay: behindRelay ? address : undefined,
      // What may be known of it, and not what may be done to it.
      connection: hop.connection === undefined ? undefined : new ConnectionFacts(hop.connection)
    })
    // What its type does not allow lets nobody in.
    if (!isDecision(decision)) return yield* Effect.die(new AuthenticatorFault({ code: "UnknownDecision" }))
    switch (decision._tag) {
      case "Challenge": {
        const headers = decision.wwwAuthenticate.map((value) => ["WWW-Authenticate", value] as const)
        return { status: 401, headers, failed: decision.failed, attempt: decision.attempt }
      }
      case "Rejected":
        return { status: decision.status, comment: decision.comment, attempt: decision.attempt }
      case "Unavailable":
        return undecided(decision.failed, decision.attempt)
      case "Granted":
        break
    }
    const { headers = [], maxExpires, realm: of, username } = decision
    if (headers.some(([name]) => OWN_HEADERS.test(name) || !NAME.test(name))) {
      return yield* Effect.die(new AuthenticatorFault({ code: "ForbiddenHeader" }))
    }
    const most = maxExpires === undefined ? undefined : Math.floor(Duration.toSeconds(maxExpires))
    const wanted = auth.grant(asking, { username, realm: of, maxExpires: most })
    if ("status" in wanted) return wanted
    const session = yield* keeper.create(wanted).pipe(
      Effect.catchTag("SessionsExhausted", () => Effect.succeed(undefined)),
      Effect.catchTag("SessionRepoUnavailable", () => Effect.succeed("unavailable" as const))
    )
    if (session === "unavailable") {
      return undecided(false, { username, reason: "the session cannot be kept" })
    }
    return auth.granted(asking, session, {
      authenticationInfo: decision.authenticationInfo,
      headers,
      expires: wanted.expires,
      username
    })
  })

  /** The user is not at fault and may come again: a time-out. */
  const undecided = (failed = false, attempt?: Attempted): AuthAnswer => {
    counters.undecidedAuths++
    return { status: 408, failed, attempt: { reason: "it could not be decided", ...attempt } }
  }

  const decided = Effect.fnUntraced(function*(asking: Asking): Effect.fn.Return<AuthAnswer> {
    const exit = yield* exitWithin(decide(asking), limits.authDecision * 1000)
    if (exit !== undefined && Exit.isSuccess(exit)) return exit.value
    // A defect may quote what was asked, or what a user is known by.
    const cause = exit === undefined ? "no answer in time" : kindOf(Cause.squash(exit.cause))
    const { hop: { connection, number }, realm } = asking
    const remote = connection === undefined ? undefined : addressText(connection.remote)
    const what = "AUTH could not be decided"
    const line = Effect.annotateLogs(Effect.logError(what), { connection: number, realm, remote, cause })
    yield* log(line, `${what}: ${cause}`, connection?.remote.host ?? "")
    return undecided()
  })

  return (asking: Asking, ended: () => void): Effect.Effect<void> =>
    decided(asking).pipe(
      Effect.tap((answer) => Effect.annotateCurrentSpan({ status: answer.status, result: resultOf(answer) })),
      Effect.withSpan("msrp.auth", {
        root: true,
        kind: "server",
        attributes: { scheme: asking.request.target.scheme, behindRelay: asking.behindRelay }
      }, { captureStackTrace: false }),
      Effect.map((answer) => auth.answer(asking, answer)),
      Effect.ensuring(Effect.sync(ended))
    )
}
