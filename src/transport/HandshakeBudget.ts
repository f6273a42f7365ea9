/**
 * Limits the rate of TLS handshakes of each address: a handshake takes milliseconds of a processor that all share, and one
 * with a long certificate chain a hundred milliseconds.
 */
import { LinkedMap } from "../collections/LinkedMap.ts"

/** Octets that count as one handshake: a longer one counts as several, because what takes long to process is large. */
export const OCTETS_OF_ONE = 4096

/** Seconds of unused rate that an address may use at once. */
const BURST = 4

/** The most addresses remembered; addresses with their full burst left are forgotten earlier. */
const MAX_ADDRESSES = 16_384

/** The most addresses that are forgotten with each handshake. */
const FORGOTTEN_AT_ONCE = 4

export class HandshakeBudget {
  /** Milliseconds of budget for one handshake. */
  #cost!: number
  readonly #networkOf: (address: string) => string
  /** The time up to which each address has used its budget, in milliseconds; the latest use is last. */
  readonly #usedUntil = new LinkedMap<string, number>()

  /** `networkOf`: the key under which an address counts. */
  constructor(perSecond: number, networkOf: (address: string) => string) {
    this.perSecond = perSecond
    this.#networkOf = networkOf
  }

  /** Sets the rate of handshakes from now on. */
  set perSecond(rate: number) {
    this.#cost = 1000 / rate
  }

  /** Reserves a handshake: the milliseconds from `now` until it may start; undefined, and nothing reserved, if more than `atMost`. */
  reserve(address: string, now: number, atMost: number): number | undefined {
    this.#forget(now)
    const network = this.#networkOf(address)
    const used = Math.max(this.#usedUntil.get(network) ?? -Infinity, now - BURST * 1000) + this.#cost
    const wait = Math.max(0, used - now)
    if (wait > atMost) return undefined
    this.#set(network, used)
    return wait
  }

  /** Charges a reserved handshake by the octets that came in during it. */
  spent(address: string, octets: number): void {
    const network = this.#networkOf(address)
    const used = this.#usedUntil.get(network)
    const more = Math.ceil(octets / OCTETS_OF_ONE) - 1
    if (used !== undefined && more > 0) this.#set(network, used + more * this.#cost)
  }

  /** The number of addresses remembered. */
  get size(): number {
    return this.#usedUntil.size
  }

  #set(network: string, used: number): void {
    this.#usedUntil.set(network, used)
    this.#usedUntil.shorten(MAX_ADDRESSES)
  }

  #forget(now: number): void {
    for (let i = 0; i < FORGOTTEN_AT_ONCE; i++) {
      const { first } = this.#usedUntil
      if (first === undefined || first.value > now - BURST * 1000) return
      this.#usedUntil.delete(first.key)
    }
  }
}
