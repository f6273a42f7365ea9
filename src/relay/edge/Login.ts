/**
 * Decides an AUTH whose request is allowed: the authenticator says who the user is, and the repository keeps the session. Either
 * may be custom, so the client is answered whatever they do.
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Authenticator } from "../../Authenticator.ts"
import { type AuthDecision, isDecision } from "../../authenticator/AuthDecision.ts"
import { exitWithin } from "../../clock/TimeLimit.ts"
import type { BoundedLog } from "../../logging/BoundedLog.ts"
import { kindOf } from "../../logging/ErrorKind.ts"
import { addressText, ConnectionFacts } from "../../transport/Connection.ts"
import type { RelayCounters } from "../Counters.ts"
import type { Auth, PendingAuth } from "../rules/Auth.ts"
import { type Attempted, type AuthAnswer, resultOf } from "../rules/AuthAnswer.ts"
import type { SessionKeeper } from "./SessionKeeper.ts"

interface LoginOptions {
  readonly auth: Auth
  readonly authenticator: Authenticator["Service"]
  readonly keeper: SessionKeeper
  readonly counters: RelayCounters
  /** Bounded, because every login may meet the same fault. */
  readonly log: BoundedLog
  /** Seconds after which an undecided AUTH is answered 408; may change. */
  readonly limits: { readonly authDecision: number }
}

/** What a custom authenticator must not answer. */
class AuthenticatorFault extends Data.TaggedError("AuthenticatorFault")<{
  readonly code: "UnknownDecision" | "ForbiddenHeader"
}> {}

/** Headers of a 200 that only the relay sets. */
const OWN_HEADERS = /^(?:To-Path|From-Path|Use-Path|Expires|Authentication-Info)$/i

/** The name of a header (RFC 4975 §9). */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/

type Granted = Extract<AuthDecision, { readonly _tag: "Granted" }>

/** Answers the AUTH, and then calls `ended`, whatever happens. */
export const makeLogin = (options: LoginOptions) => (pending: PendingAuth, ended: () => void): Effect.Effect<void> =>
  answerInTime(options, pending).pipe(
    Effect.tap((answer) => Effect.annotateCurrentSpan({ status: answer.status, result: resultOf(answer) })),
    Effect.withSpan("msrp.auth", {
      root: true,
      kind: "server",
      attributes: { scheme: pending.request.target.scheme, behindRelay: pending.behindRelay }
    }, { captureStackTrace: false }),
    Effect.map((answer) => options.auth.answer(pending, answer)),
    Effect.ensuring(Effect.sync(ended))
  )

/** 408 where it takes too long, or a defect comes up. */
const answerInTime = Effect.fnUntraced(function*(
  options: LoginOptions,
  pending: PendingAuth
): Effect.fn.Return<AuthAnswer> {
  const { counters, limits, log } = options
  const exit = yield* exitWithin(decide(options, pending), limits.authDecision * 1000)
  if (exit !== undefined && Exit.isSuccess(exit)) return exit.value
  // Only the kind of a defect: its message may quote credentials.
  const cause = exit === undefined ? "no answer in time" : kindOf(Cause.squash(exit.cause))
  const { hop: { connection, number }, realm } = pending
  const remote = connection === undefined ? undefined : addressText(connection.remote)
  const what = "AUTH could not be decided"
  const line = Effect.annotateLogs(Effect.logError(what), { connection: number, realm, remote, cause })
  yield* log(line, `${what}: ${cause}`, connection?.remote.host ?? "")
  return undecided(counters)
})

const decide = Effect.fnUntraced(function*(options: LoginOptions, pending: PendingAuth): Effect.fn.Return<AuthAnswer> {
  const decision = yield* authenticate(options, pending)
  switch (decision._tag) {
    case "Challenge": {
      const headers = decision.wwwAuthenticate.map((value) => ["WWW-Authenticate", value] as const)
      return { status: 401, headers, failed: decision.failed, attempt: decision.attempt }
    }
    case "Rejected":
      return { status: decision.status, comment: decision.comment, attempt: decision.attempt }
    case "Unavailable":
      return undecided(options.counters, decision.failed, decision.attempt)
    case "Granted":
      return yield* grant(options, pending, decision)
  }
})

/** Asks the authenticator, and dies of a decision that its type does not allow. */
const authenticate = Effect.fnUntraced(function*(
  { authenticator }: LoginOptions,
  { authorizations: [authorization, ...furtherAuthorizations], behindRelay, hop, realm, request }: PendingAuth
): Effect.fn.Return<AuthDecision> {
  const address = hop.connection?.remote.host
  const decision = yield* authenticator.authenticate({
    requestUri: request.target,
    authorization,
    furtherAuthorizations,
    realm,
    source: behindRelay ? undefined : address,
    relay: behindRelay ? address : undefined,
    // Facts about the connection, without a way to act on it.
    connection: hop.connection === undefined ? undefined : new ConnectionFacts(hop.connection)
  })
  return isDecision(decision) ? decision : yield* Effect.die(new AuthenticatorFault({ code: "UnknownDecision" }))
})

/** Makes the session. */
const grant = Effect.fnUntraced(function*(
  { auth, counters, keeper }: LoginOptions,
  pending: PendingAuth,
  { authenticationInfo, headers = [], maxExpires, realm, username }: Granted
): Effect.fn.Return<AuthAnswer> {
  if (headers.some(([name]) => OWN_HEADERS.test(name) || !NAME.test(name))) {
    return yield* Effect.die(new AuthenticatorFault({ code: "ForbiddenHeader" }))
  }
  const most = maxExpires === undefined ? undefined : Math.floor(Duration.toSeconds(maxExpires))
  const wanted = auth.grant(pending, { username, realm, maxExpires: most })
  if ("status" in wanted) return wanted
  const session = yield* keeper.create(wanted).pipe(
    Effect.catchTag("SessionsExhausted", () => Effect.succeed(undefined)),
    Effect.catchTag("SessionRepoUnavailable", () => Effect.succeed("unavailable" as const))
  )
  if (session === "unavailable") {
    return undecided(counters, false, { username, reason: "the session cannot be kept" })
  }
  return auth.granted(pending, session, { authenticationInfo, headers, expires: wanted.expires, username })
})

/** 408, a time-out, because the user is not at fault and may try again. */
const undecided = (counters: RelayCounters, failed = false, attempt?: Attempted): AuthAnswer => {
  counters.undecidedAuths++
  return { status: 408, failed, attempt: { reason: "it could not be decided", ...attempt } }
}
