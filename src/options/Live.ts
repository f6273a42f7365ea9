/** Options that may change while their layer lives. */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Predicate from "effect/Predicate"
import * as AtomRef from "effect/reactivity/AtomRef"
import type * as Scope from "effect/Scope"
import type { OptionsError } from "./Options.ts"

/**
 * The options of a layer: either constant, or a reference (`AtomRef.make(options)`) whose value may be replaced at
 * any time. New options apply from then on; what has already begun continues with the old ones. Invalid options are
 * logged, and the previous ones stay in force. Options that apply only at the start say so; a warning is logged if
 * one of those changes.
 *
 * @category models
 * @since 0.2.0
 */
export type Live<A> = A | AtomRef.ReadonlyRef<A>

/** The current options. */
export interface Current<A> {
  readonly current: A
}

const isRef = <A>(given: Live<A>): given is AtomRef.ReadonlyRef<A> => Predicate.hasProperty(given, AtomRef.TypeId)

/**
 * Follows options until the scope closes. `wrong` returns the error of invalid options, with which `follow` fails if
 * the first ones are invalid. `changed` is called with each valid replacement. `fixed` names the options that apply
 * only at the start.
 */
export const follow = Effect.fnUntraced(function*<A extends object>(
  given: Live<A>,
  wrong: (options: A) => OptionsError | undefined,
  changed: (options: A) => void = () => {},
  fixed: ReadonlyArray<keyof A & string> = []
): Effect.fn.Return<Current<A>, OptionsError, Scope.Scope> {
  const first = isRef(given) ? given.value : given
  const error = wrong(first)
  if (error !== undefined) return yield* error
  const followed = { current: first }
  if (!isRef(given)) return followed
  const context = yield* Effect.context()
  const log = Effect.runForkWith(context)
  const set = (options: A): void => {
    const problem = wrong(options)
    if (problem !== undefined) {
      log(Effect.annotateLogs(Effect.logError("the new options are not used"), { reason: problem.message }))
      return
    }
    const late = fixed.filter((name) => !Equal.equals(first[name], options[name]))
    if (late.length > 0) {
      log(
        Effect.annotateLogs(Effect.logWarning("these options take effect only at the start"), {
          options: late.join(" ")
        })
      )
    }
    followed.current = options
    changed(options)
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const end = given.subscribe(set)
      // Options that were set since `first` was read have told nobody.
      if (given.value !== first) set(given.value)
      return end
    }),
    (end) => Effect.sync(end)
  )
  return followed
})
