/** What ends the service besides the first SIGTERM, SIGINT or SIGQUIT, and what does not. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { IDLE, nothing, PARENT, releaseEnd } from "./FirstSignals.ts"

/** Between two looks whether the npm that started the service is still there. */
const PARENT_CHECK = "1 second"

/** Milliseconds in which npm and the terminal or manager above it pass on one and the same signal. */
const SAME = 1000

const ENDING = { SIGINT: 130, SIGTERM: 143 } as const

/** A signal ends what it does in order. */
export let endsInOrder = false

/** Milliseconds of the process when the first of them came. */
let first: number | undefined

const on = (signal: NodeJS.Signals, listener: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => void process.on(signal, listener)),
    () => Effect.sync(() => void process.off(signal, listener))
  )

/** Started by `npm start`, which knows of no other end than its own. */
const isBelowNpm = (): boolean => process.env["npm_lifecycle_event"] !== undefined

/**
 * From now on the first signal ends the service in order, as whoever runs it sees to, and a second one ends the process at
 * once. Below npm a signal may come twice, from whoever sent it and from npm. SIGQUIT counts as SIGTERM, since it would end
 * the process without a word. A hang-up ends nothing, nor does what is for other programs.
 */
export const takeSignals: Effect.Effect<void> = Effect.sync(() => {
  endsInOrder = true
  const same = isBelowNpm() ? SAME : 0
  for (const [signal, code] of Object.entries(ENDING)) {
    process.on(signal, () => {
      const now = process.uptime() * 1000
      if (first === undefined) first = now
      else if (now - first >= same) process.exit(code)
    })
  }
  // In the same turn: until the next one the start may have failed, or ended.
  process.on("SIGQUIT", () => process.emit("SIGTERM", "SIGTERM"))
  for (const signal of IDLE) process.on(signal, nothing)
  releaseEnd()
})

/** Hang-ups from now on, of which one is remembered while nobody takes it: what they ask for is done once more, not for each. */
export const hangups: Effect.Effect<Queue.Dequeue<void>, never, Scope.Scope> = Effect.gen(function*() {
  const queue = yield* Queue.sliding<void>(1)
  yield* on("SIGHUP", () => void Queue.offerUnsafe(queue, undefined))
  return queue
})

/** npm may go without a word, and is who was told to end: then the service does too. */
export const followNpm: Effect.Effect<void, never, Scope.Scope> = Effect.suspend(() => {
  if (!isBelowNpm()) return Effect.void
  return Effect.sync(() => process.ppid).pipe(
    Effect.delay(PARENT_CHECK),
    Effect.repeat({ while: (now) => now === PARENT }),
    Effect.andThen(Effect.logWarning("npm is gone")),
    // It may go because of the signal that has come here too: what that ends is not to be cut short.
    Effect.andThen(Effect.sync(() => first === undefined && process.kill(process.pid, "SIGTERM"))),
    Effect.forkScoped
  )
})
