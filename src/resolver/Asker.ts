/**
 * Look-ups, one at a time for each asker. Whoever owns a domain decides how long one takes, and there are only so many at once:
 * without turns, the names of a few users keep those of all others waiting, and for as long again as there were more. Those of
 * addresses the system does on few threads, where one goes on that nobody waits for any more. Of these, those of several users
 * must leave some to the relay itself, which looks up where its users' service or database is: nobody could log in meanwhile.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { LinkedMap } from "../collections/LinkedMap.ts"

/** For whom a host is looked up; nobody in particular, who need not wait. */
export const Asker = Context.Reference<string | undefined>("msrp-relay/resolver/Asker", {
  defaultValue: () => undefined
})

/** Threads of Node where nothing says how many, and the most that it has (libuv). */
const THREADS = 4
const MAX_THREADS = 1024

/** Look-ups that all askers together have under way, of those that there are threads for: half of all, of which a quarter is left. */
export const lookupsAtOnce = (threads: string | undefined): number => {
  const count = threads === undefined ? THREADS : Number.parseInt(threads, 10) || 1
  const half = Math.ceil(Math.min(MAX_THREADS, Math.max(1, count)) / 2)
  return half - Math.floor(half / 4)
}

/** The look-ups of one asker; it is there while there are such. */
interface Lane {
  readonly turn: Semaphore.Semaphore
  lookups: number
}

/** Milliseconds within which a name is found, or is known not to be there, where name servers answer. */
const ANSWERED_WITHIN = 1000

/** Milliseconds for which whoever asked for one that took longer counts as slow, and how many of these are remembered. */
const SLOW_FOR = 600_000
const MAX_SLOW = 10_000

/**
 * The same look-up, but for turns, and so many at once for all askers. Only half of that is for those whose look-ups
 * were slow, so that all others find room however many such users there are. Who stops to wait gives up his place, and
 * keeps his turn where it has begun.
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
  /** Until when each counts as slow. */
  const slow = new LinkedMap<string, number>()

  const isSlow = (asker: string): boolean => (slow.get(asker) ?? -Infinity) > monotonicMillis(clock)
  const took = (asker: string, millis: number): void => {
    if (millis <= ANSWERED_WITHIN) return
    slow.set(asker, monotonicMillis(clock) + SLOW_FOR)
    if (slow.size > MAX_SLOW) slow.delete(slow.first!.key)
  }

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
        return Effect.ensuring(lookUp(host), Effect.sync(() => took(asker, monotonicMillis(clock) - since)))
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
