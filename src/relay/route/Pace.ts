/**
 * How fast requests may pass through a session, in each direction by itself: whoever is faster is not read for a while, so
 * that nothing is lost (RFC 4975 §14.5).
 *
 * Each rate is kept as the time until which it is used up. Up to one second of a rate that was not used may be made up for.
 */
import type { Session } from "../Session.ts"

/** Milliseconds. */
const SECOND = 1000

export class Pace {
  /** Milliseconds that a request, and an octet, stand for. */
  readonly #request: number
  readonly #octet: number
  #requestsUntil = -Infinity
  #octetsUntil = -Infinity

  /** Per second. */
  constructor(requests: number, octets: number) {
    this.#request = SECOND / requests
    this.#octet = SECOND / octets
  }

  /** Counts what passes now, and gives the time from which on more may; times are milliseconds of one clock. */
  spend(now: number, requests: number, octets: number): number {
    this.#requestsUntil = Math.max(this.#requestsUntil, now - SECOND) + requests * this.#request
    this.#octetsUntil = Math.max(this.#octetsUntil, now - SECOND) + octets * this.#octet
    return Math.max(this.#requestsUntil, this.#octetsUntil)
  }
}

/** The paces of all sessions; they end with them. */
export class Paces {
  readonly #requests: number
  readonly #octets: number
  readonly #fromOwner = new WeakMap<Session, Pace>()
  readonly #toOwner = new WeakMap<Session, Pace>()

  /** Requests and octets of body per second; `Infinity` has no bound. */
  constructor(requests: number, octets: number) {
    this.#requests = requests
    this.#octets = octets
  }

  /** `undefined`: as fast as it can. */
  of(session: Session, fromOwner: boolean): Pace | undefined {
    if (this.#requests === Infinity && this.#octets === Infinity) return undefined
    const paces = fromOwner ? this.#fromOwner : this.#toOwner
    let pace = paces.get(session)
    if (pace === undefined) paces.set(session, pace = new Pace(this.#requests, this.#octets))
    return pace
  }
}
