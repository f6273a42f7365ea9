/** How long it takes what is not done at once: histograms in Effect's registry, each by what came of it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import { monotonicMillis } from "../clock/Monotonic.ts"

/** Seconds: from a memory that answers at once up to the longest that a client waits for an AUTH. */
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

/** Dials: the search for addresses, the connection and its TLS handshake. */
export const dialSeconds = seconds("msrp_relay_dial_seconds", "Seconds until a next hop was connected to, or was not", [
  "connected",
  "failed",
  "forbidden"
])

/** Questions to the credentials, as the authenticator asks them; what a memory before a backend answers is among them. */
export const credentialsSeconds = seconds(
  "msrp_relay_credentials_seconds",
  "Seconds until the credentials told of a user, or could not",
  ["answered", "unavailable", "timed out", "defect"]
)

/** Counts how long an effect takes, unless it was interrupted: then nobody says what came of it. */
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
