/**
 * Runs the look-ups of each asker (a user) one at a time. The number of look-ups under way is limited, and the owner of a domain
 * decides how long one takes: without turns, slow names of a few users would delay the look-ups of all others.
 *
 * The system looks up addresses on a few threads, and a look-up that was given up keeps its thread until it ends. Users must
 * leave some threads to the relay itself, which looks up its database or HTTP service: else nobody could log in meanwhile.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { exitOf } from "../clock/TimeLimit.ts"
import { LinkedMap } from "../collections/LinkedMap.ts"

/** The asker of a look-up; undefined: the relay itself, which does not wait for turns. */
export const Asker = Context.Reference<string | undefined>("msrp-relay/resolver/Asker", {
  defaultValue: () => undefined
})

/** Threads of libuv's pool by default. */
const THREADS = 4
/** The most threads of libuv's pool. */
const MAX_THREADS = 1024

/** The most look-ups of all askers under way. libuv gives look-ups half of its threads; a quarter of that is left to the relay. */
export const lookupsAtOnce = (threads: string | undefined): number => {
  const count = threads === undefined ? THREADS : Number.parseInt(threads, 10) || 1
  const half = Math.ceil(Math.min(MAX_THREADS, Math.max(1, count)) / 2)
  return half - Math.floor(half / 4)
}

/** The look-ups of one asker; it exists while there are any. */
interface Lane {
  readonly turn: Semaphore.Semaphore
  lookups: number
}

/** Milliseconds; a look-up that takes longer is slow. Name servers that work answer within that time. */
const ANSWERED_WITHIN = 1000

/** Milliseconds that an asker counts as slow after a slow look-up. */
const SLOW_FOR = 600_000
/** The most slow askers remembered. */
const MAX_SLOW = 10_000

/**
 * Makes a look-up that runs one at a time for each asker, and at most `atOnce` for all. Slow askers together have half of
 * `atOnce`, so that there is always room for others. If a look-up is interrupted while it waits, it is dropped; if it has begun,
 * it goes on, and its asker's next one waits for it.
 */
export const oneByOne = Effect.fnUntraced(function*<A, E>(
  lookUp: (host: string) => Effect.Effect<A, E>,
  atOnce = lookupsAtOnce(process.env["UV_THREADPOOL_SIZE"])
): Effect.fn.Return<(host: string) => Effect.Effect<A, E>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const lanes = new Map<string, Lane>()
  const places = Semaphore.makeUnsafe(atOnce)
  const placesForSlow = Semaphore.makeUnsafe(Math.ceil(atOnce / 2))
  /** Until when each asker counts as slow, in milliseconds of the monotonic clock. */
  const slow = new LinkedMap<string, number>()

  const isSlow = (asker: string): boolean => (slow.get(asker) ?? -Infinity) > monotonicMillis(clock)
  const took = (asker: string, millis: number): void => {
    if (millis <= ANSWERED_WITHIN) return
    slow.set(asker, monotonicMillis(clock) + SLOW_FOR)
    slow.shorten(MAX_SLOW)
  }

  /** One that cannot be interrupted must not keep the scope from closing. */
  const lookedUp = (host: string): Effect.Effect<A, E> => Effect.flatten(exitOf(Effect.suspend(() => lookUp(host))))

  const inTurn = (asker: string, host: string): Effect.Effect<A, E> =>
    Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
      const lane = lanes.get(asker) ?? { turn: Semaphore.makeUnsafe(1), lookups: 0 }
      lanes.set(asker, lane)
      lane.lookups++
      const leave = Effect.sync(() => {
        if (--lane.lookups === 0) lanes.delete(asker)
      })
      let began: number | undefined
      const looked = Effect.suspend(() => {
        const since = began = monotonicMillis(clock)
        return Effect.ensuring(lookedUp(host), Effect.sync(() => took(asker, monotonicMillis(clock) - since)))
      })
      const placed = Effect.suspend(() => {
        const among = places.withPermit(looked)
        return isSlow(asker) ? placesForSlow.withPermit(among) : among
      })
      const whole = Effect.ensuring(Effect.interruptible(lane.turn.withPermit(placed)), leave)
      const fiber = yield* Effect.forkIn(whole, scope, { startImmediately: true })
      return yield* Effect.onInterrupt(
        restore(Fiber.join(fiber)),
        () => began === undefined ? Fiber.interrupt(fiber) : Effect.void
      )
    }))

  return (host: string) => Effect.flatMap(Asker, (asker) => asker === undefined ? lookUp(host) : inTurn(asker, host))
})
