/**
 * Look-ups of addresses, one at a time for each asker. The system does them on two threads, where one goes on that nobody
 * waits for any more, and whoever owns a domain decides how long it takes: without turns, the names of one user keep those
 * of all others waiting, and for as long again as there were more.
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

/** The look-ups of one asker; it is there while there are such. */
interface Lane {
  readonly turn: Semaphore.Semaphore
  lookups: number
}

/** The same look-up, but for turns. Who stops to wait gives up his place, and keeps his turn where it has begun. */
export const oneByOne = <A, E>(
  lookUp: (host: string) => Effect.Effect<A, E>
): Effect.Effect<(host: string) => Effect.Effect<A, E>, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    const lanes = new Map<string, Lane>()

    const inTurn = (asker: string, host: string): Effect.Effect<A, E> =>
      Effect.uninterruptibleMask((restore) => {
        const lane = lanes.get(asker) ?? { turn: Semaphore.makeUnsafe(1), lookups: 0 }
        lanes.set(asker, lane)
        lane.lookups++
        const leave = Effect.sync(() => {
          if (--lane.lookups === 0) lanes.delete(asker)
        })
        const looked = Effect.ensuring(restore(lookUp(host)), Effect.andThen(lane.turn.release(1), leave))
        return restore(lane.turn.take(1)).pipe(
          Effect.onInterrupt(() => leave),
          Effect.andThen(Effect.forkIn(looked, scope)),
          Effect.flatMap((fiber) => restore(Fiber.join(fiber)))
        )
      })

    return (host) => Effect.flatMap(Asker, (asker) => asker === undefined ? lookUp(host) : inTurn(asker, host))
  })
