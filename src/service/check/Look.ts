/** One thing that is looked at, beside the others and not for ever. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Finding, findingsOf, type LookName } from "./Finding.ts"

/** Seconds that a look may take: the slowest are a database and a service that do not answer. */
export const TIME_LIMIT = 15

export interface Look<out R> {
  readonly name: LookName
  /** What it has found; it changes nothing, and what it opens is closed with its scope. */
  readonly findings: Effect.Effect<ReadonlyArray<Finding>, never, R>
}

/** Looks at all of them at the same time; what they found, in their order. */
export const lookAtAll = <R>(
  all: ReadonlyArray<Look<R>>
): Effect.Effect<ReadonlyArray<Finding>, never, Exclude<R, Scope.Scope>> =>
  Effect.map(Effect.forEach(all, bounded, { concurrency: "unbounded" }), (found) => found.flat())

const bounded = <R>({ findings, name }: Look<R>) => {
  const { problem } = findingsOf(name)
  return findings.pipe(
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: `${TIME_LIMIT} seconds`,
      orElse: () => Effect.succeed([problem("", `took too long: there was no answer within ${TIME_LIMIT} seconds`)])
    }),
    // A defect of one look is no reason to hide what the others have found. Its words may be anybody's, so only its kind is told.
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.interrupt
        : Effect.succeed([problem("", `could not be looked at (${kindOf(Cause.squash(cause))})`)])
    )
  )
}

const kindOf = (defect: unknown): string => defect instanceof Error ? defect.name : typeof defect
