import { isRefusal } from "../protocol/Status.ts"

/**
 * What becomes of a message's octets: kept whole in memory, only counted and hashed while they come, or handed out while
 * they come. A message may be refused instead, with a status from 400 to 599.
 *
 * @category models
 * @since 0.1.0
 */
export type Collect = "body" | "digest" | "stream" | { readonly refuse: number }

/** Of anything, what can be used of it. */
export const collectOf = (value: unknown): Collect | undefined => {
  if (value === "body" || value === "digest" || value === "stream") return value
  if (typeof value !== "object" || value === null || !("refuse" in value)) return undefined
  const { refuse } = value
  return isRefusal(refuse) ? { refuse } : undefined
}

/** When nothing of use was said: who sends it is to stop, and is not at fault (RFC 4975 §10.5). */
export const UNDECIDED: Collect = { refuse: 413 }
