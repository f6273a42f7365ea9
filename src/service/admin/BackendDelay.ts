/** Percentiles of the backend's response time since the previous query, computed from the histogram of look-ups. */
import type * as Context from "effect/Context"
import { credentialsSeconds } from "../../metrics/Seconds.ts"

interface Delay {
  /** Milliseconds; absent if there were no look-ups. */
  readonly p50?: number | undefined
  readonly p99?: number | undefined
  /** Look-ups that have failed since the start. */
  readonly errors: number
}

type Bucket = readonly [boundary: number, count: number]

/** The value in seconds that this share of the counts does not exceed, interpolated within its bucket. */
const percentile = (buckets: ReadonlyArray<Bucket>, total: number, share: number): number => {
  const wanted = total * share
  let below = 0
  let from = 0
  for (const [boundary, count] of buckets) {
    if (count >= wanted) {
      return count === below
        ? boundary
        : from + (boundary - from) * (wanted - below) / (count - below)
    }
    below = count
    from = boundary
  }
  return from
}

export const makeBackendDelay = (context: Context.Context<never>): () => Delay => {
  let before: ReadonlyArray<Bucket> = []
  return () => {
    const { buckets } = credentialsSeconds.of("answered").valueUnsafe(context)
    const since = buckets.map(([boundary, count], i): Bucket => [boundary, count - (before[i]?.[1] ?? 0)])
    before = buckets
    const total = since.at(-1)?.[1] ?? 0
    const errors = (["unavailable", "timed out", "defect"] as const).reduce(
      (sum, result) => sum + credentialsSeconds.of(result).valueUnsafe(context).count,
      0
    )
    if (total === 0) return { errors }
    const millis = (share: number): number => Math.round(percentile(since, total, share) * 10_000) / 10
    return { p50: millis(0.5), p99: millis(0.99), errors }
  }
}
