/** How the system notices a peer that has gone without a word: nothing else would, as long as nobody writes to it. */
import type * as Net from "node:net"

/** Seconds without traffic before the system asks, unless an option says otherwise. */
export const KEEP_ALIVE = 60

/**
 * The options of a socket that is asked about after so many seconds; 0: never. Node cuts fractions off, and asks the system
 * for its own two hours instead of nothing.
 */
export const keepingAlive = (seconds: number): Pick<Net.ServerOpts, "keepAlive" | "keepAliveInitialDelay"> =>
  seconds === 0 ? {} : { keepAlive: true, keepAliveInitialDelay: Math.ceil(seconds) * 1000 }

/** The same for a socket that came in. */
export const keepAlive = (socket: Net.Socket, seconds: number): void => {
  if (seconds > 0) socket.setKeepAlive(true, Math.ceil(seconds) * 1000)
}
