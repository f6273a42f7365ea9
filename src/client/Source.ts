import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** The body of a message that is sent, piece by piece. */
export interface Source<E> {
  /** Whether the next piece, or the end, is available. */
  readonly ready: () => boolean
  /** Completes when the next piece, or the end, is available. */
  readonly wait: Effect.Effect<void>
  /** The next piece, which is not empty. Undefined at the end. */
  readonly next: Effect.Effect<Uint8Array | undefined, E>
}

export const fromOctets = (octets: Uint8Array): Source<never> => {
  let rest = octets.length === 0 ? undefined : octets
  return {
    ready: () => true,
    wait: Effect.void,
    next: Effect.sync(() => {
      const piece = rest
      rest = undefined
      return piece
    })
  }
}

export const fromStream = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<Source<E>, never, R | Scope.Scope> =>
  Effect.map(Stream.toQueue(Stream.filter(stream, ({ length }) => length > 0), { capacity: 2 }), (queue) => ({
    ready: () => Queue.sizeUnsafe(queue) > 0 || queue.state._tag === "Done",
    wait: Effect.exit(Queue.peek(queue)),
    next: Queue.take(queue).pipe(
      Effect.catchIf(Cause.isDone, () => Effect.undefined)
    ) as Effect.Effect<Uint8Array | undefined, E>
  }))
