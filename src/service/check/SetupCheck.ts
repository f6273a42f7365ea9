/** A single check, which runs concurrently with the others and has a time limit. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { kindOf } from "../../logging/ErrorKind.ts"
import { type CheckName, type Finding, findingsOf } from "./Finding.ts"

/** Time limit of a check in seconds; the slowest ones wait for a database or an HTTP service. */
export const TIME_LIMIT = 15

export interface SetupCheck<out R> {
  readonly name: CheckName
  /** Performs the check. It changes nothing, and closes everything it opens with its scope. */
  readonly findings: Effect.Effect<ReadonlyArray<Finding>, never, R>
}

/** Runs all checks concurrently, and returns their findings in order. */
export const runChecks = <R>(
  all: ReadonlyArray<SetupCheck<R>>
): Effect.Effect<ReadonlyArray<Finding>, never, Exclude<R, Scope.Scope>> =>
  Effect.map(Effect.forEach(all, bounded, { concurrency: "unbounded" }), (found) => found.flat())

const bounded = <R>({ findings, name }: SetupCheck<R>) => {
  const { problem } = findingsOf(name)
  return findings.pipe(
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: `${TIME_LIMIT} seconds`,
      orElse: () => Effect.succeed([problem("", `took too long: there was no answer within ${TIME_LIMIT} seconds`)])
    }),
    // A defect in one check must not hide the findings of others. Only its kind is reported, because its message may
    // contain anything.
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.interrupt
        : Effect.succeed([problem("", `could not be checked (${kindOf(Cause.squash(cause))})`)])
    )
  )
}
