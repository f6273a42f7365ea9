/** Rates per second over the last seconds, from samples of the counters. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { type RatedCounter, ratedCounters } from "./Parts.ts"

type Numbers = Readonly<Record<RatedCounter, number>>

/** Time between two samples. */
const INTERVAL = "5 seconds"

/** Samples that are kept, so that a rate covers the last 10 to 15 seconds. */
const SAMPLES = 3

/** Milliseconds that a rate covers at least: over less time, one request would appear as many per second. */
const LEAST = 1000

/** Makes a function that gives the current rate of each counter, until the scope closes. */
export const makeRates = Effect.fnUntraced(
  function*(counters: Numbers): Effect.fn.Return<() => Numbers, never, Scope.Scope> {
    const clock = yield* Clock.Clock
    const take = () => ({ at: monotonicMillis(clock), values: pick((name) => counters[name]) })
    const samples = [take()]
    yield* Effect.sync(() => {
      samples.push(take())
      if (samples.length > SAMPLES) samples.shift()
    }).pipe(Effect.delay(INTERVAL), Effect.forever, Effect.forkScoped)
    return () => {
      const [{ at, values }] = samples as [typeof samples[0], ...typeof samples]
      const passed = Math.max(LEAST, monotonicMillis(clock) - at)
      return pick((name) => Math.round((counters[name] - values[name]) * 10_000 / passed) / 10)
    }
  }
)

const pick = (value: (name: RatedCounter) => number): Numbers =>
  Object.fromEntries(ratedCounters.map((name) => [name, value(name)])) as Numbers
