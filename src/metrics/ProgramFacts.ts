import * as Context from "effect/Context"

/**
 * What the program that runs a relay knows and its metrics show.
 *
 * @category services
 * @since 0.2.0
 */
export interface ProgramFacts {
  /** The version of the program. Absent: it is not published. */
  readonly version?: string | undefined
  /** Whether each backend of users works, by its kind. Absent: this is not published. */
  readonly backends?: (() => ReadonlyMap<string, boolean>) | undefined
}

/**
 * The facts of this program, which the service provides. A program with layers of its own may provide them to `Metrics.layer`.
 *
 * @category services
 * @since 0.2.0
 */
export const ProgramFacts: Context.Reference<ProgramFacts> = Context.Reference("msrp-relay/metrics/ProgramFacts", {
  defaultValue: () => ({})
})
