/**
 * Whether a connection is read, and why not: receivers of what it sends are slow, its peer does not read its answers, it
 * is faster than a session allows, or an AUTH is under way. It is read while there is no such reason.
 */
import type { Connection } from "../../transport/Connection.ts"
import type { Outbox } from "../outbound/Outbox.ts"
import type { Tap } from "../route/Flow.ts"
import type { Pace } from "../route/Pace.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timed } from "../Timers.ts"

export class Reading implements Tap {
  readonly #shared: Shared
  /** Where the answers go. */
  readonly #outbox: Outbox
  #connection: Connection | undefined
  /** Reasons for not reading. */
  #holds = 0
  #outputHold = false
  /** Octets that the flows of this connection hold for slow receivers, all together. */
  parkedOctets = 0
  #parkedHold = false
  #slowed: Slowed | undefined
  /** Milliseconds of the monotonic clock; 0: it is not slowed. */
  #slowedUntil = 0
  /** Reasons for not even handling what was read already; each is one for not reading, too. */
  #stops = 0
  /** Has what was read already handled. */
  resume: () => void = () => {}

  constructor(shared: Shared, outbox: Outbox) {
    this.#shared = shared
    this.#outbox = outbox
  }

  connected(connection: Connection): void {
    this.#connection = connection
    if (this.#holds > 0) connection.pause()
  }

  hold(): void {
    if (this.#holds++ === 0) this.#connection?.pause()
  }

  release(): void {
    if (--this.#holds === 0) this.#connection?.resume()
  }

  /** What is behind this frame waits, also what was read already. */
  stop(): void {
    this.#stops++
    this.hold()
  }

  /** As often as it was stopped. */
  go(): void {
    if (--this.#stops === 0) this.resume()
    this.release()
  }

  /** May what is behind this frame be handled. */
  get mayGoOn(): boolean {
    return this.#stops === 0
  }

  parked(octets: number): void {
    this.parkedOctets += octets
    const { connection } = this.#shared.limits
    if (!this.#parkedHold && this.parkedOctets > connection) {
      this.#parkedHold = true
      this.hold()
    } else if (this.#parkedHold && this.parkedOctets <= connection / 2) {
      this.#parkedHold = false
      this.release()
    }
  }

  /** An answer was written: who does not read his answers is not read either. */
  answered(): void {
    if (this.#outputHold || this.#outbox.waitingOctets <= this.#shared.limits.responses) return
    this.#outputHold = true
    this.hold()
  }

  /** The operating system has taken octets. */
  moved(): void {
    if (!this.#outputHold || this.#outbox.waitingOctets > this.#shared.limits.responses / 2) return
    this.#outputHold = false
    this.release()
  }

  /** What passes through a session is counted; above its pace the connection is not read for a while. */
  spend(pace: Pace, requests: number, octets: number): void {
    const { counters, limits, turn } = this.#shared
    const until = pace.spend(turn.now, requests, octets)
    if (until <= Math.max(turn.now, this.#slowedUntil)) return
    const waits = this.#slowedUntil > 0
    this.#slowedUntil = until
    if (waits) return
    counters.paced++
    this.stop()
    limits.pace.start(this.#slowed ??= new Slowed(this))
  }

  /** The time may be over for which it is slowed. */
  goOn(): void {
    const { limits, turn } = this.#shared
    turn.tick()
    if (turn.now < this.#slowedUntil) return limits.pace.start(this.#slowed!)
    this.#slowedUntil = 0
    this.go()
  }

  /** The connection is gone. */
  close(): void {
    this.#connection = undefined
    stopTimer(this.#slowed)
  }
}

/** Its peer was faster than a session allows, and is not read until the time of that is over. */
class Slowed extends Timed {
  readonly #reading: Reading
  constructor(reading: Reading) {
    super()
    this.#reading = reading
  }
  override expired(): void {
    this.#reading.goOn()
  }
}
