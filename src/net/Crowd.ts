/**
 * Those who have proved nothing yet, by the address they came from (IPv6: by its network). When there are too many, one
 * goes of the address that has most of them: whoever floods the relay from one address turns away his own connections,
 * and not other people's.
 */
export class Crowd<A> {
  readonly #networkOf: (address: string) => string
  readonly #of = new Map<string, Set<A>>()
  #size = 0

  /** `networkOf` tells whose an address is. */
  constructor(networkOf: (address: string) => string) {
    this.#networkOf = networkOf
  }

  get size(): number {
    return this.#size
  }

  add(address: string, one: A): void {
    const network = this.#networkOf(address)
    const same = this.#of.get(network)
    if (same === undefined) this.#of.set(network, new Set([one]))
    else same.add(one)
    this.#size++
  }

  delete(address: string, one: A): void {
    this.#delete(this.#networkOf(address), one)
  }

  #delete(network: string, one: A): void {
    const same = this.#of.get(network)
    if (same === undefined || !same.delete(one)) return
    this.#size--
    if (same.size === 0) this.#of.delete(network)
  }

  /** Takes out the oldest of the address that has most. */
  takeFirst(): A | undefined {
    let most: readonly [string, Set<A>] | undefined
    for (const entry of this.#of) if (most === undefined || entry[1].size > most[1].size) most = entry
    const first = most?.[1].values().next().value
    if (most !== undefined && first !== undefined) this.#delete(most[0], first)
    return first
  }
}
