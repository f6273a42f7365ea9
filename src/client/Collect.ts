import { isRefusal } from "../protocol/Status.ts"

/**
 * How an incoming message is handled: `body` keeps it in memory, `digest` only counts and hashes it, and `stream` hands its
 * octets out as they arrive. `refuse` answers it with a status from 400 to 599.
 *
 * @category models
 * @since 0.1.0
 */
export type Collect = "body" | "digest" | "stream" | { readonly refuse: number }

/** Undefined if the value is not a valid `Collect`. */
export const collectOf = (value: unknown): Collect | undefined => {
  if (value === "body" || value === "digest" || value === "stream") return value
  if (typeof value !== "object" || value === null || !("refuse" in value)) return undefined
  const { refuse } = value
  return isRefusal(refuse) ? { refuse } : undefined
}

/** Used without a valid decision: 413 asks the sender to stop, and does not blame it (RFC 4975 §10.5). */
export const UNDECIDED: Collect = { refuse: 413 }
