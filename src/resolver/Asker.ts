/**
 * Look-ups, one at a time for each asker. Whoever owns a domain decides how long one takes, and there are only so many at once:
 * without turns, the names of a few users keep those of all others waiting, and for as long again as there were more. Those of
 * addresses the system does on few threads, where one goes on that nobody waits for any more. Of these, those of several users
 * must leave some to the relay itself, which looks up where its users' service or database is: nobody could log in meanwhile.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"

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

/** The same look-up, but for turns, and so many at once for all askers. Who stops to wait gives up his place, and keeps his turn where it has begun. */
export const oneByOne = <A, E>(
  lookUp: (host: string) => Effect.Effect<A, E>,
  atOnce = lookupsAtOnce(process.env["UV_THREADPOOL_SIZE"])
): Effect.Effect<(host: string) => Effect.Effect<A, E>, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    const lanes = new Map<string, Lane>()
    const threads = Semaphore.makeUnsafe(atOnce)

    const inTurn = (asker: string, host: string): Effect.Effect<A, E> =>
      Effect.uninterruptibleMask((restore) => {
        const lane = lanes.get(asker) ?? { turn: Semaphore.makeUnsafe(1), lookups: 0 }
        lanes.set(asker, lane)
        lane.lookups++
        const leave = Effect.sync(() => {
          if (--lane.lookups === 0) lanes.delete(asker)
        })
        const done = Effect.andThen(lane.turn.release(1), leave)
        const looked = Effect.ensuring(restore(lookUp(host)), Effect.andThen(threads.release(1), done))
        return restore(lane.turn.take(1)).pipe(
          Effect.onInterrupt(() => leave),
          Effect.andThen(Effect.onInterrupt(restore(threads.take(1)), () => done)),
          Effect.andThen(Effect.forkIn(looked, scope)),
          Effect.flatMap((fiber) => restore(Fiber.join(fiber)))
        )
      })

    return (host) => Effect.flatMap(Asker, (asker) => asker === undefined ? lookUp(host) : inTurn(asker, host))
  })
