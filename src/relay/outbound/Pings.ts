/**
 * Whether the peer of a connection is still there that has nothing to say: it is asked when nothing came for the `ping`
 * limit (RFC 7977 §6), and given up when nothing came after that. What the relay does not read it has not heard.
 */
import type { Connection } from "../../transport/Connection.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timed } from "../Timers.ts"

/** How what comes from there is read. */
interface Hearing {
  /** It is not read yet: the relay itself has not done so. */
  readonly isBehind: boolean
}

export class Pings extends Timed {
  readonly #shared: Shared
  readonly #connection: Connection
  readonly #hearing: Hearing
  readonly #silent: () => void
  #asked = false

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
      if (!hasHeard && this.#asked) return this.#silent()
      this.#asked = !hasHeard
    }
    if (this.#asked) this.#connection.ping?.()
    this.#shared.limits.ping.start(this)
  }

  stop(): void {
    stopTimer(this)
  }
}

/** Those of a connection that can be asked, unless nobody is to be. */
export const pingsOf = (
  shared: Shared,
  connection: Connection,
  hearing: Hearing,
  silent: () => void
): Pings | undefined =>
  connection.ping === undefined || shared.limits.ping.millis === 0
    ? undefined
    : new Pings(shared, connection, hearing, silent)
