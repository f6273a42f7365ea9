/** How much happens per second, lately: counters are looked at every few seconds, and the last looks are kept. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { type RatedCounter, ratedCounters } from "./Parts.ts"

type Numbers = Readonly<Record<RatedCounter, number>>

/** Between two looks, and how many are kept: a rate is one of the last 10 to 15 seconds. */
const LOOK = "5 seconds"
const LOOKS = 3

/** Milliseconds: of less time nothing is told, since one request would be many per second. */
const LEAST = 1000

/** What there is per second of each, when somebody asks. */
export const makeRates = Effect.fnUntraced(
  function*(counters: Numbers): Effect.fn.Return<() => Numbers, never, Scope.Scope> {
    const clock = yield* Clock.Clock
    const take = () => ({ at: monotonicMillis(clock), values: pick((name) => counters[name]) })
    const looks = [take()]
    yield* Effect.sync(() => {
      looks.push(take())
      if (looks.length > LOOKS) looks.shift()
    }).pipe(Effect.delay(LOOK), Effect.forever, Effect.forkScoped)
    return () => {
      const [{ at, values }] = looks as [typeof looks[0], ...typeof looks]
      const passed = Math.max(LEAST, monotonicMillis(clock) - at)
      return pick((name) => Math.round((counters[name] - values[name]) * 10_000 / passed) / 10)
    }
  }
)

const pick = (value: (name: RatedCounter) => number): Numbers =>
  Object.fromEntries(ratedCounters.map((name) => [name, value(name)])) as Numbers
