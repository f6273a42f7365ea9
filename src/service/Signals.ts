/** Signals to the running service, and the end of the npm process that started it. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { IDLE, nothing, PARENT, releaseEnd } from "./EarlySignals.ts"

/** Time between two checks that the npm process that started the service still exists. */
const PARENT_CHECK = "1 second"

/** Milliseconds in which a second signal may be the same one, sent both by the terminal (or process manager) and by npm. */
const SAME = 1000

const ENDING = { SIGINT: 130, SIGTERM: 143 } as const

/** Whether a signal ends the service in order. */
export let endsInOrder = false

/** Uptime of the process in milliseconds when the first ending signal came. */
let first: number | undefined

const on = (signal: NodeJS.Signals, listener: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => void process.on(signal, listener)),
    () => Effect.sync(() => void process.off(signal, listener))
  )

/** Whether the service was started by an npm script, which may end without signalling it. */
const isBelowNpm = (): boolean => process.env["npm_lifecycle_event"] !== undefined

/**
 * Installs the signal handlers of the service. The first SIGINT or SIGTERM ends it in order, through the runtime that runs it;
 * a second one ends the process at once. Under npm, one signal may arrive twice. SIGQUIT is handled as SIGTERM, because its
 * default action would dump core without a log line. SIGHUP and signals meant for other programs do not end the service.
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
  // Emitted synchronously, because in a later turn the start may have failed or ended.
  process.on("SIGQUIT", () => process.emit("SIGTERM", "SIGTERM"))
  for (const signal of IDLE) process.on(signal, nothing)
  releaseEnd()
})

/** Hang-ups (SIGHUP) from now on. The queue holds one: several hang-ups during a reload cause one further reload. */
export const hangups: Effect.Effect<Queue.Dequeue<void>, never, Scope.Scope> = Effect.gen(function*() {
  const queue = yield* Queue.sliding<void>(1)
  yield* on("SIGHUP", () => void Queue.offerUnsafe(queue, undefined))
  return queue
})

/** Ends the service when the npm process that started it is gone, because npm may end without passing the signal on. */
export const followNpm: Effect.Effect<void, never, Scope.Scope> = Effect.suspend(() => {
  if (!isBelowNpm()) return Effect.void
  return Effect.sync(() => process.ppid).pipe(
    Effect.delay(PARENT_CHECK),
    Effect.repeat({ while: (now) => now === PARENT }),
    Effect.andThen(Effect.logWarning("npm is gone")),
    // If the signal that ended npm has reached the service too, a second one would end the process at once.
    Effect.andThen(Effect.sync(() => first === undefined && process.kill(process.pid, "SIGTERM"))),
    Effect.forkScoped
  )
})
