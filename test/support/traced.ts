/** Traces for tests: what they have told so far. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { TraceFrame, TraceQuery } from "../../src/Relay.ts"
import { until, type World } from "./harness.ts"

export interface Traced {
  readonly frames: Array<TraceFrame>
  /** The stream has ended by itself. */
  over: boolean
}

/** Traces until the scope ends. */
export const traced = Effect.fnUntraced(function*(
  world: World,
  query: TraceQuery
): Effect.fn.Return<Traced, never, Scope.Scope> {
  const told: Traced = { frames: [], over: false }
  yield* world.relay.trace(query).pipe(
    Stream.runForEach((frame) => Effect.sync(() => told.frames.push(frame))),
    Effect.andThen(Effect.sync(() => told.over = true)),
    Effect.orDie,
    Effect.forkScoped
  )
  yield* settled(world)
  return told
})

/** Everything that was sent has been told. */
export const settled = (world: World): Effect.Effect<void> => {
  let turns = 0
  return Effect.andThen(world.network?.settled ?? Effect.void, until(() => turns++ > 20))
}

/** A frame on one line: where it goes, what it is, the octets of its body and its flag. */
export const briefly = ({ connection, direction, flag, octets, part, startLine }: TraceFrame): string =>
  [
    `${connection} ${direction === "in" ? ">" : "<"}`,
    ...(part === "frame" ? [] : [part]),
    startLine.split(" ").slice(2).join(" "),
    ...(octets === undefined || octets === 0 ? [] : [`[${octets}]`]),
    flag ?? ""
  ].join(" ").trim()
