/** How the system notices a peer that has gone without a word: nothing else would, as long as nobody writes to it. */
import type * as Net from "node:net"

/** Seconds without traffic before the system asks, unless an option says otherwise. */
export const KEEP_ALIVE = 60

/** The options of a socket that is asked about after so many seconds; 0: never. */
export const keepingAlive = (seconds: number): Pick<Net.ServerOpts, "keepAlive" | "keepAliveInitialDelay"> =>
  seconds === 0 ? {} : { keepAlive: true, keepAliveInitialDelay: seconds * 1000 }
