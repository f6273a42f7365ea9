/** Histograms of durations in Effect's registry, by result. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import { monotonicMillis } from "../clock/Monotonic.ts"

/**
 * Bucket boundaries in seconds, from a cache that answers at once to the longest time that a client waits for an
 * AUTH.
 */
const BOUNDARIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25]

export interface Seconds<Result extends string> {
  readonly name: string
  readonly help: string
  readonly results: ReadonlyArray<Result>
  of(result: Result): Metric.Histogram<number>
}

const seconds = <const Result extends string>(
  name: string,
  help: string,
  results: ReadonlyArray<Result>
): Seconds<Result> => {
  const all = new Map(results.map((result) => [
    result,
    Metric.histogram(name, { description: help, attributes: { result, unit: "seconds" }, boundaries: BOUNDARIES })
  ]))
  return { name, help, results, of: (result) => all.get(result)! }
}

/** Dials: address lookup, connection and TLS handshake. */
export const dialSeconds = seconds("msrp_relay_dial_seconds", "Seconds until a next hop was connected to, or was not", [
  "connected",
  "failed",
  "forbidden"
])

/** Queries of the authenticator to the credentials, including those that a cache answers. */
export const credentialsSeconds = seconds(
  "msrp_relay_credentials_seconds",
  "Seconds until the credentials told of a user, or could not",
  ["answered", "unavailable", "timed out", "defect"]
)

/** Measures the duration of an effect, unless it is interrupted, because it then has no result. */
export const measured = <A, E, R, Result extends string>(
  self: Effect.Effect<A, E, R>,
  histogram: Seconds<Result>,
  resultOf: (exit: Exit.Exit<A, E>) => Result | undefined
): Effect.Effect<A, E, R> =>
  Clock.clockWith((clock) => {
    const start = monotonicMillis(clock)
    return Effect.onExit(self, (exit) => {
      const result = resultOf(exit)
      return result === undefined
        ? Effect.void
        : Metric.update(histogram.of(result), (monotonicMillis(clock) - start) / 1000)
    })
  })
