/** TCP keep-alive: detects a peer that has vanished, which would otherwise not be noticed before something is written to it. */
import type * as Net from "node:net"

/** Seconds without traffic before the first probe, by default. */
export const KEEP_ALIVE = 60

/**
 * Socket options for probes after some seconds without traffic; 0: none. Rounded up, because Node truncates to seconds, and
 * takes 0 for the default of the system, two hours.
 */
export const keepingAlive = (seconds: number): Pick<Net.ServerOpts, "keepAlive" | "keepAliveInitialDelay"> =>
  seconds === 0 ? {} : { keepAlive: true, keepAliveInitialDelay: Math.ceil(seconds) * 1000 }

/** `keepingAlive` for an accepted socket. */
export const keepAlive = (socket: Net.Socket, seconds: number): void => {
  if (seconds > 0) socket.setKeepAlive(true, Math.ceil(seconds) * 1000)
}
