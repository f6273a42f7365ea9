/**
 * Finds out whether a silent peer is still there. It is pinged when nothing has come in for the `ping` limit (RFC 7977 §6), and
 * given up when nothing has come in for the same time after that. Silence does not count while the relay itself is not reading.
 */
import type { Connection } from "../../transport/Connection.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timed } from "../Timers.ts"

/** The reading of the connection. */
interface Hearing {
  /** Whether what came in may not have been read yet, because the relay did not read the connection. */
  readonly isBehind: boolean
}

export class Pings extends Timed {
  readonly #shared: Shared
  readonly #connection: Connection
  readonly #hearing: Hearing
  readonly #silent: () => void
  /** Whether the peer was pinged because it had been silent. */
  #pinged = false

  constructor(shared: Shared, connection: Connection, hearing: Hearing, silent: () => void) {
    super()
    this.#shared = shared
    this.#connection = connection
    this.#hearing = hearing
    this.#silent = silent
    shared.limits.ping.start(this)
  }

  override expired(): void {
    if (!this.#hearing.isBehind) {
      const hasHeard = this.#connection.takeHeard?.() ?? true
      if (!hasHeard && this.#pinged) return this.#silent()
      this.#pinged = !hasHeard
    }
    if (this.#pinged) this.#connection.ping?.()
    this.#shared.limits.ping.start(this)
  }

  stop(): void {
    stopTimer(this)
  }
}

/** The pings of a connection; undefined if its transport has none, or if the `ping` limit is 0. */
export const pingsOf = (
  shared: Shared,
  connection: Connection,
  hearing: Hearing,
  silent: () => void
): Pings | undefined =>
  connection.ping === undefined || shared.limits.ping.millis === 0
    ? undefined
    : new Pings(shared, connection, hearing, silent)
