/** Asks the credentials for a user's secret: within a time limit, measured, and with a log line if they cannot answer. */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { exitWithin } from "../clock/TimeLimit.ts"
import type { Credentials, CredentialsUnavailable, UserKey } from "../Credentials.ts"
import type { BoundedLog } from "../logging/BoundedLog.ts"
import { kindOf } from "../logging/ErrorKind.ts"
import { printable } from "../logging/Printable.ts"
import { credentialsSeconds, measured } from "../metrics/Seconds.ts"

const UNAVAILABLE = "The credentials cannot be looked up"

/** Every AUTH meets a backend that is down, so it gets one line. A defect may quote a secret, so only its kind is logged. */
const unavailableLine = (
  cause: Cause.Cause<CredentialsUnavailable | Cause.TimeoutError>,
  user: UserKey
): Effect.Effect<void> => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  const reason = error === undefined
    ? `a defect: ${kindOf(Cause.squash(cause))}`
    : error._tag === "TimeoutError"
    ? "no answer in time"
    : error.message
  return Effect.annotateLogs(Effect.logError(UNAVAILABLE), { ...concerned(user, error), reason })
}

/** The user, as fields of the log, if the error is about nobody else: what strangers ask for says nothing of a backend that is down. */
export const concerned = (
  { realm, username }: UserKey,
  error: CredentialsUnavailable | Cause.TimeoutError | undefined
): Readonly<Record<string, string>> =>
  error?._tag === "CredentialsUnavailable" && error.onlyThisUser === true
    ? { user: printable(username), realm: printable(realm) }
    : {}

const resultOf = (exit: Exit.Exit<unknown, CredentialsUnavailable | Cause.TimeoutError>) => {
  if (Exit.isSuccess(exit)) return "answered"
  if (Cause.hasInterruptsOnly(exit.cause)) return undefined
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  if (error === undefined) return "defect"
  if (error._tag === "TimeoutError") return "timed out"
  return error.onlyThisUser === true ? "answered" : "unavailable"
}

/** Gives the answer of the credentials, or `undefined` if they failed or took longer than `timeLimit`. */
export const makeSecretLookup = (
  credentials: Credentials["Service"],
  log: BoundedLog,
  timeLimit: () => Duration.Input
) =>
  Effect.fnUntraced(
    function*(which: "lookup" | "recheck", user: UserKey) {
      const asked = credentials[which]!(user)
      if (Exit.isExit(asked)) return yield* asked
      // Few backends make the caller wait, so only those that do pay for the time limit.
      return yield* (yield* exitWithin(asked, timeLimit())) ?? Effect.fail(new Cause.TimeoutError())
    },
    (asking) => measured(asking, credentialsSeconds, resultOf),
    (asking, _, user) =>
      Effect.catchCause(asking, (cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.as(
            log(unavailableLine(cause, user), `${UNAVAILABLE}: ${kindOf(Cause.squash(cause))}`, user.source ?? ""),
            undefined
          ))
  )
