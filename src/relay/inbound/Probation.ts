/**
 * The probation of an accepted connection. It must bring a successful request within 30 s, not too many unsuccessful ones
 * before (RFC 4976 §6.1), and not too many AUTHs with wrong credentials at any time (RFC 4976 §6.3). A connection of another
 * relay is not closed early for what its clients do.
 */
import type { Closing } from "../Closing.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timed } from "../Timers.ts"

/** The hop whose connection it is. */
export interface ProbationOwner {
  /** Whether a session uses the connection. `now`: milliseconds of the monotonic clock. */
  inUse(now: number): boolean
  /** The probation has succeeded. */
  proved(): void
  /** Closes the connection after what has been written. */
  finish(reason: Closing): void
  /** Closes the connection at once. */
  fail(reason: Closing): void
}

export class Probation extends Timed {
  readonly #shared: Shared
  readonly #owner: ProbationOwner
  /** Whether the connection was accepted and has not yet brought a successful request. */
  active = false
  /** Whether the peer is another relay, whose clients cause the unsuccessful requests. */
  #isRelay = false
  #unsuccessful = 0
  #challenges = 0
  #failedAuths = 0

  constructor(shared: Shared, owner: ProbationOwner) {
    super()
    this.#shared = shared
    this.#owner = owner
  }

  start(): void {
    this.active = true
    this.#shared.limits.probation.start(this)
  }

  override expired(): void {
    // A session that the relay itself routes there, as to a relay proved by its certificate, counts as success.
    if (this.#owner.inUse(this.#shared.turn.now)) return this.succeeded()
    this.#shared.counters.probationsFailed++
    this.#owner.fail("no successful request in probation")
  }

  /** A client behind a relay that is proved by its certificate has sent a request. */
  relayProved(): void {
    this.#isRelay = true
  }

  /** A request was authorised. */
  succeeded(): void {
    if (!this.active) return
    this.active = false
    stopTimer(this)
    this.#owner.proved()
  }

  /** A request was refused. */
  refused(): void {
    this.#endEarly(++this.#unsuccessful)
  }

  /** An AUTH came without credentials. Every login begins with one, so these have a count of their own; none is a success. */
  challenged(): void {
    this.#endEarly(++this.#challenges)
  }

  #endEarly(unsuccessful: number): void {
    if (!this.active || this.#isRelay || unsuccessful < this.#shared.limits.unsuccessful) return
    this.#shared.counters.probationsFailed++
    this.#owner.finish("too many requests without success in probation")
  }

  /** An AUTH came with wrong credentials. */
  authFailed(): void {
    this.#shared.counters.failedAuths++
    if (++this.#failedAuths >= this.#shared.limits.failedAuths) this.#owner.finish("too many failed AUTHs")
  }

  /** Checks the number of received octets that are kept. */
  keeps(octets: number): void {
    if (this.active && !this.#isRelay && octets > this.#shared.limits.probationOctets) {
      this.#owner.fail("too much in probation")
    }
  }
}
