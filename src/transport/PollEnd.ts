/**
 * Ends a long poll of the event loop. As long as at least 1,024 sockets have octets, Node.js reads them up to 48 times before it
 * does anything else, which can take seconds. It goes on when it has noticed a signal, which lines up behind the sockets that have
 * octets already. The runtime of Go uses the same signal to interrupt itself: without a listener, it is ignored.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { isMainThread } from "node:worker_threads"

const SIGNAL = "SIGURG"

const ignore = (): void => {}

/** The transports that use the listener: with one for each, Node.js would warn of too many. */
let users = 0

const listen = Effect.sync(() => {
  if (users++ === 0) process.on(SIGNAL, ignore)
})

const leave = Effect.sync(() => {
  if (--users === 0) process.off(SIGNAL, ignore)
})

/** Returns whether the system has allowed it. */
const signal = (): boolean => {
  try {
    return process.kill(process.pid, SIGNAL)
  } catch {
    return false
  }
}

/** The function that ends the poll; undefined where there are no such signals, or the event loop does not get them. */
export const pollEnd: Effect.Effect<(() => void) | undefined, never, Scope.Scope> =
  process.platform === "win32" || !isMainThread
    ? Effect.succeed(undefined)
    : Effect.map(Effect.acquireRelease(listen, () => leave), () => signal() ? signal : undefined)
