/**
 * How fast the handshakes of one address may follow each other: each costs milliseconds of a processor that all share, and
 * one with a long chain of certificates a hundred of them.
 */
import { LinkedMap } from "../collections/LinkedMap.ts"

/** Octets of a handshake that count as one; a longer one counts as several, since what takes time comes in many octets. */
export const OCTETS_OF_ONE = 4096

/** Seconds whose handshakes may come at once. */
const BURST = 4

/** Addresses that are remembered; one that has been quiet is forgotten before. */
const MAX_ADDRESSES = 16_384

/** Of those that have been quiet, how many are forgotten for each handshake. */
const FORGOTTEN_AT_ONCE = 4

export class HandshakeBudget {
  /** Milliseconds that one handshake takes of the budget. */
  #cost!: number
  readonly #networkOf: (address: string) => string
  /** The time up to which each has used its budget up; the latest use last. */
  readonly #usedUntil = new LinkedMap<string, number>()

  /** `networkOf` tells whose an address is. */
  constructor(perSecond: number, networkOf: (address: string) => string) {
    this.perSecond = perSecond
    this.#networkOf = networkOf
  }

  /** How many there may be from now on. */
  set perSecond(rate: number) {
    this.#cost = 1000 / rate
  }

  /** Milliseconds from `now` on after which another one of this address may start; nothing is reserved when they are too many. */
  reserve(address: string, now: number, atMost: number): number | undefined {
    this.#forget(now)
    const network = this.#networkOf(address)
    const used = Math.max(this.#usedUntil.get(network) ?? -Infinity, now - BURST * 1000) + this.#cost
    const wait = Math.max(0, used - now)
    if (wait > atMost) return undefined
    this.#set(network, used)
    return wait
  }

  /** So many octets have come in during one that was reserved. */
  spent(address: string, octets: number): void {
    const network = this.#networkOf(address)
    const used = this.#usedUntil.get(network)
    const more = Math.ceil(octets / OCTETS_OF_ONE) - 1
    if (used !== undefined && more > 0) this.#set(network, used + more * this.#cost)
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#usedUntil.size
  }

  #set(network: string, used: number): void {
    this.#usedUntil.set(network, used)
    if (this.#usedUntil.size > MAX_ADDRESSES) this.#usedUntil.delete(this.#usedUntil.first!.key)
  }

  #forget(now: number): void {
    for (let i = 0; i < FORGOTTEN_AT_ONCE; i++) {
      const { first } = this.#usedUntil
      if (first === undefined || first.value > now - BURST * 1000) return
      this.#usedUntil.delete(first.key)
    }
  }
}
