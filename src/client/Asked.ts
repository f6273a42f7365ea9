/**
 * Functions of a program that a client calls while it works. One that is broken is logged once, by the kind of what it throws
 * and never in its words; nobody else on the connection suffers by it.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { kindOf } from "../logging/ErrorKind.ts"

/** Told of what it threw, or gave. */
export type Broken = (error: unknown) => void

/** Logs the first that is told. */
export const loggedOnce = (context: Context.Context<never>, message: string): Broken => {
  let logged = false
  return (error) => {
    if (logged) return
    logged = true
    Effect.runForkWith(context)(Effect.annotateLogs(Effect.logError(message), { error: kindOf(error) }))
  }
}

/** A promise that nobody waits for and is rejected would end the program. */
export const ifRejected = (result: unknown, broken: Broken): void => {
  if (Predicate.isPromiseLike(result)) void Promise.resolve(result).catch(broken)
}

/** Asks, and answers `otherwise` where `read` finds nothing of use in what the function gives. */
export const asked = <Given, Answer>(
  ask: (given: Given) => unknown,
  read: (answer: unknown) => Answer | undefined,
  otherwise: Answer,
  broken: Broken
) =>
(given: Given): Answer => {
  try {
    const answer = ask(given)
    ifRejected(answer, () => {})
    const usable = read(answer)
    if (usable !== undefined) return usable
    broken(answer)
  } catch (error) {
    broken(error)
  }
  return otherwise
}
