/** Tests of the contract of a service, for any test runner: each is an Effect that dies if the service breaks the contract. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/**
 * One test of a service `R`. Each test must be run with a new instance of the service.
 *
 * @category models
 * @since 0.2.0
 */
export interface ContractTest<R> {
  /** The tested behaviour in a few words. */
  readonly title: string
  /** Dies with an `AssertionError` of `node:assert` if the service behaves differently. */
  readonly run: Effect.Effect<void, unknown, R | Scope.Scope>
}

/**
 * All tests of the contract of a service.
 *
 * @category models
 * @since 0.2.0
 */
export type Contract<R> = ReadonlyArray<ContractTest<R>>

/** Milliseconds of real time after which waiting for a condition fails. */
const PATIENCE = 5000

/** Yields until the condition holds; dies if it does not in time. */
export const until = (condition: () => boolean, what: string): Effect.Effect<void> => {
  let end = 0
  return Effect.whileLoop({
    while: () => !condition(),
    body: () => Effect.yieldNow,
    step: () => {
      const now = performance.now()
      if (end === 0) end = now + PATIENCE
      else if (now > end) throw new Error(`${what} did not come`)
    }
  })
}

/** Texts that a stranger may send in place of a name. */
export const NASTY: ReadonlyArray<string> = [
  "",
  " ",
  "%",
  "'; DROP TABLE subscriber; --",
  "\" OR \"\"=\"",
  "__proto__",
  "a\0b",
  "*",
  "..",
  "m\u00fcller",
  "\u{1f600}",
  "\ud800",
  "x".repeat(5000)
]
