/** Stops the reading of a connection for a while because its sessions were faster than they may be (`Pace`). */
import type { Pace } from "../route/Pace.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timed } from "../Timers.ts"

/** The reading of the connection. */
interface Stops {
  /** Lets everything behind this frame wait, including what was read already. */
  stop(): void
  /** Ends one `stop`. */
  go(): void
}

/** Its timer runs while the connection is not read. */
export class Slowdown extends Timed {
  readonly #shared: Shared
  readonly #reading: Stops
  /** Milliseconds of the monotonic clock until which the connection is not read; 0: it is read. */
  #until = 0

  constructor(shared: Shared, reading: Stops) {
    super()
    this.#shared = shared
    this.#reading = reading
  }

  /** Counts what passes through a session. Above its pace, the connection is not read for a while. */
  spend(pace: Pace, requests: number, octets: number): void {
    const { counters, limits, turn } = this.#shared
    const until = pace.spend(turn.now, requests, octets)
    if (until <= Math.max(turn.now, this.#until)) return
    const waits = this.#until > 0
    this.#until = until
    if (waits) return
    counters.paced++
    this.#reading.stop()
    limits.pace.start(this)
  }

  /** Checks whether the time is over. */
  override expired(): void {
    const { limits, turn } = this.#shared
    if (turn.now < this.#until) return limits.pace.start(this)
    this.#until = 0
    this.#reading.go()
  }

  /** Nothing more will be received: what was read already is processed now. */
  end(): void {
    const waits = this.#until > 0
    this.#until = Infinity
    stopTimer(this)
    if (waits) this.#reading.go()
  }
}
