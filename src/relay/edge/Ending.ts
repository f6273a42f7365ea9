/** How a relay goes out of service, comes back, and ends. Each step waits for the messages under way. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { dateOf, monotonicMillis } from "../../clock/Monotonic.ts"
import type { Sessions } from "../Session.ts"
import type { Phase } from "../Shared.ts"
import type { Switchboard } from "../Switchboard.ts"

/** For peers to close in turn when the relay ends: a peer that keeps its side open does not delay the end. */
const LAST_WORDS = "500 millis"

/** Sessions that are ended in one turn of the event loop. */
const SESSIONS_AT_ONCE = 256

interface Ending {
  readonly phase: () => Phase
  /** Milliseconds since 1970. */
  readonly phaseSince: () => number
  readonly drain: Effect.Effect<void>
  readonly undrain: Effect.Effect<void>
  readonly close: Effect.Effect<void>
  /** Drains for as long as the `drain` limit says, then closes. */
  readonly end: Effect.Effect<void>
}

interface EndingOptions {
  readonly switchboard: Switchboard
  readonly sessions: Pick<Sessions, "end" | "size">
}

export const makeEnding = Effect.fnUntraced(function*(
  { sessions, switchboard }: EndingOptions
): Effect.fn.Return<Ending> {
  const { book, shared: { conditions, limits }, shutdown } = switchboard
  const clock = yield* Clock.Clock
  let since = monotonicMillis(clock)
  // The lines go to the logger of the relay, not to that of the caller.
  const own = yield* Effect.context()
  const log = (line: Effect.Effect<void>, facts: Record<string, number> = {}): Effect.Effect<void> =>
    Effect.provideContext(Effect.annotateLogs(line, facts), own)

  /** Changes the phase; false if it was that already, or the relay stops. */
  const changed = (change: () => void) =>
    Effect.sync(() => {
      const before = shutdown.phase
      change()
      if (shutdown.phase === before) return false
      since = monotonicMillis(clock)
      return true
    })

  const until = (holds: () => boolean): Effect.Effect<void> =>
    Effect.suspend(() =>
      holds() ? Effect.void : Effect.callback<void>((resume) => {
        const giveUp = conditions.until(holds, () => resume(Effect.void))
        return Effect.sync(giveUp)
      })
    )

  /** Waits until this holds, at most the given seconds; whether it holds. */
  const within = (holds: () => boolean, seconds: number): Effect.Effect<boolean> =>
    Effect.suspend(() =>
      holds() ? Effect.succeed(true) : Effect.as(until(holds), true).pipe(
        Effect.timeoutOrElse({ duration: seconds * 1000, orElse: () => Effect.succeed(false) })
      )
    )

  /** Whether nothing is left to wait for, or the relay drains no longer. */
  const over = (): boolean => shutdown.phase !== "draining" || shutdown.drained

  const begin = changed(() => shutdown.drain())

  /** Whether the end of this drain was logged: several callers may wait for it. */
  let isLogged = true
  const logDraining = (facts: Record<string, number>) =>
    Effect.suspend(() => {
      isLogged = false
      return log(Effect.logInfo("draining"), { sessions: sessions.size(), ...facts })
    })
  const logDrained = Effect.suspend(() => {
    if (isLogged || shutdown.phase !== "draining") return Effect.void
    isLogged = true
    return log(Effect.logInfo("drained"))
  })

  let closed = false
  const close = Effect.gen(function*() {
    if (closed) return
    yield* changed(() => shutdown.stop())
    yield* within(() => shutdown.answered, limits.draining)
    shutdown.end()
    yield* Effect.race(
      within(() => shutdown.empty, limits.closing.millis / 1000),
      Effect.delay(within(() => shutdown.settled, limits.closing.millis / 1000), LAST_WORDS)
    )
    // Sessions of clients behind other relays, and of connections whose peers have not closed yet.
    let ended = 0
    for (const session of book) {
      sessions.end(session, "the relay stops")
      if (++ended % SESSIONS_AT_ONCE === 0) yield* Effect.yieldNow
    }
    closed = true
  })

  /** Calls of `end` that wait: while there is one, draining is not taken back. */
  let ends = 0

  const drainForAWhile = Effect.gen(function*() {
    yield* begin
    if (over()) return
    yield* logDraining({ seconds: limits.drain })
    if (yield* within(over, limits.drain)) return yield* logDrained
    yield* log(Effect.logWarning("the time limit ended sessions"), { sessions: sessions.size() })
  })

  const takenBack = Effect.flatMap(
    changed(() => shutdown.undrain()),
    (is) => is ? log(Effect.logInfo("serving again")) : Effect.void
  )

  return {
    phase: () => shutdown.phase,
    phaseSince: () => dateOf(clock, since),
    drain: Effect.gen(function*() {
      if (yield* begin) yield* logDraining({})
      yield* until(over)
      yield* logDrained
    }),
    undrain: Effect.suspend(() => ends > 0 ? Effect.void : takenBack),
    close,
    end: Effect.acquireUseRelease(
      Effect.sync(() => void ends++),
      () => Effect.andThen(Effect.suspend(() => limits.drain > 0 ? drainForAWhile : Effect.void), close),
      () => Effect.sync(() => void ends--)
    )
  }
})
