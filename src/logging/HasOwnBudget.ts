/**
 * Whether the log lines of a fiber are limited by a budget of their own, so that the common budget does not apply to
 * them.
 */
import * as Context from "effect/Context"

export const HasOwnBudget = Context.Reference<boolean>("msrp-relay/logging/HasOwnBudget", { defaultValue: () => false })
