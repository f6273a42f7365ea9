/**
 * How fast requests may pass through a session, in each direction separately. A sender that is faster is not read for a while,
 * so that nothing is lost (RFC 4975 §14.5).
 *
 * Each rate is kept as the time until which it is used up. Up to one second of unused rate may be made up for.
 */
import type { Session } from "../Session.ts"

/** A second, in milliseconds. */
const SECOND = 1000

/** Requests, and octets of body, per second; `Infinity` means no bound. May change. */
interface Rates {
  readonly requestRate: number
  readonly octetRate: number
}

export class Pace {
  readonly #rates: Rates
  #requestsUntil = -Infinity
  #octetsUntil = -Infinity

  constructor(rates: Rates) {
    this.#rates = rates
  }

  /** Counts what passes now, and returns the time from which on more may pass. Times are milliseconds of one clock. */
  spend(now: number, requests: number, octets: number): number {
    const { octetRate, requestRate } = this.#rates
    this.#requestsUntil = Math.max(this.#requestsUntil, now - SECOND) + requests * (SECOND / requestRate)
    this.#octetsUntil = Math.max(this.#octetsUntil, now - SECOND) + octets * (SECOND / octetRate)
    return this.until
  }

  /** The time from which on more may pass. */
  get until(): number {
    return Math.max(this.#requestsUntil, this.#octetsUntil)
  }
}

/** The paces of all sessions, each kept as long as its session. */
export class Paces {
  readonly #rates: Rates
  readonly #fromOwner = new WeakMap<Session, Pace>()
  readonly #toOwner = new WeakMap<Session, Pace>()

  constructor(rates: Rates) {
    this.#rates = rates
  }

  /** Whether there is any bound now. */
  get bounded(): boolean {
    return this.#rates.requestRate !== Infinity || this.#rates.octetRate !== Infinity
  }

  /** Returns undefined if there is no bound. `fromOwner`: whether it is for requests from the owner of the session, not to it. */
  of(session: Session, fromOwner: boolean): Pace | undefined {
    if (!this.bounded) return undefined
    const paces = fromOwner ? this.#fromOwner : this.#toOwner
    let pace = paces.get(session)
    if (pace === undefined) paces.set(session, pace = new Pace(this.#rates))
    return pace
  }
}
