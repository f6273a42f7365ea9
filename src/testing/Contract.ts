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

/** Milliseconds of real time after which a condition does not come, and a test does not end: before a runner's usual 5 seconds. */
const PATIENCE = 4000
const LIMIT = 4500

const tooLong: Effect.Effect<never> = Effect.callback((resume) => {
  const timer = setTimeout(
    () => resume(Effect.die(new Error(`the service has not answered within ${LIMIT} milliseconds`))),
    LIMIT
  )
  return Effect.sync(() => clearTimeout(timer))
})

/** Tests that fail, instead of going on without end, if the service never answers. */
export const limited = <R>(contract: Contract<R>): Contract<R> =>
  contract.map(({ run, title }) => ({ title, run: Effect.raceFirst(run, tooLong) }))

/** Yields until the condition holds; dies if it does not in time. */
export const until = (condition: () => boolean, what: string): Effect.Effect<void> => {
  let end = 0
  return Effect.whileLoop({
    while: () => !condition(),
    body: () => Effect.yieldNow,
    step: () => {
      const now = performance.now()
      if (end === 0) end = now + PATIENCE
      else if (now > end) throw new Error(`waited in vain for ${what}`)
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
