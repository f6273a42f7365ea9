/** Tests of what a service must do, for whatever test runner: each is an Effect that dies where it does not. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/**
 * One test of a service `R`. Each is to be run with a service that is new.
 *
 * @category models
 * @since 0.2.0
 */
export interface ContractTest<R> {
  /** What the service does, in a few words. */
  readonly title: string
  /** Dies with an `AssertionError` of Node's where it does not do that. */
  readonly run: Effect.Effect<void, unknown, R | Scope.Scope>
}

/**
 * All tests of a service.
 *
 * @category models
 * @since 0.2.0
 */
export type Contract<R> = ReadonlyArray<ContractTest<R>>

/** Milliseconds of real time after which something that is waited for will not come any more. */
const PATIENCE = 5000

/** Lets others have their turn until the condition holds; dies when it never does. */
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

/** Texts that a stranger may send where a name is meant. */
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
