/**
 * What a connection that came in has shown of itself. It must bring one successful request within 30 s, not too many
 * others before that (RFC 4976 §6.1), and not too many AUTHs with wrong credentials at any time (RFC 4976 §6.3). That of
 * another relay is not closed early for what its clients do.
 */
import type { Closing } from "../Closing.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timed } from "../Timers.ts"

/** The hop whose connection it is. */
export interface ProbationOwner {
  /** Does a session use it. `now`: milliseconds of the monotonic clock. */
  inUse(now: number): boolean
  /** It has proved to be what it seems to be. */
  proved(): void
  /** Sends what is written, then closes. */
  finish(reason: Closing): void
  /** Closes at once. */
  fail(reason: Closing): void
}

export class Probation extends Timed {
  readonly #shared: Shared
  readonly #owner: ProbationOwner
  /** It came in, and has not yet brought a successful request. */
  active = false
  /** It is that of a relay: what comes to nothing is its clients' doing. */
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
    // The relay itself leads a session there, as it does to another relay that its certificate proves: that is as good.
    if (this.#owner.inUse(this.#shared.turn.now)) return this.succeeded()
    this.#shared.counters.probationsFailed++
    this.#owner.fail("no successful request in probation")
  }

  /** Somebody behind the relay that its certificate proves has sent a request. */
  isRelays(): void {
    this.#isRelay = true
  }

  /** A request that was authorised. */
  succeeded(): void {
    if (!this.active) return
    this.active = false
    stopTimer(this)
    this.#owner.proved()
  }

  /** A request came to nothing. */
  refused(): void {
    this.#endEarly(++this.#unsuccessful)
  }

  /** An AUTH without credentials. Everybody begins with one, so these are counted by themselves; none is a success. */
  challenged(): void {
    this.#endEarly(++this.#challenges)
  }

  #endEarly(unsuccessful: number): void {
    if (!this.active || this.#isRelay || unsuccessful < this.#shared.limits.unsuccessful) return
    this.#shared.counters.probationsFailed++
    this.#owner.finish("too many requests without success in probation")
  }

  /** An AUTH with wrong credentials. */
  authFailed(): void {
    this.#shared.counters.failedAuths++
    if (++this.#failedAuths >= this.#shared.limits.failedAuths) this.#owner.finish("too many failed AUTHs")
  }

  /** So many octets are kept of what came in. */
  keeps(octets: number): void {
    if (this.active && !this.#isRelay && octets > this.#shared.limits.probationOctets) {
      this.#owner.fail("too much in probation")
    }
  }
}
