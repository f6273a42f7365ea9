import { LinkedMap } from "../collections/LinkedMap.ts"

/**
 * Peers that have proved nothing yet, grouped by remote address (for IPv6: its network). If there are too many, the oldest of
 * the address with the most has to go: a flood from one address then displaces its own connections, not those of others.
 */
export class Crowd<A> {
  readonly #networkOf: (address: string) => string
  /** The groups; the one whose turn is next is first. */
  readonly #of = new LinkedMap<string, Set<A>>()
  /** The addresses by the size of their group, so that the largest group is found without a search. */
  readonly #having: Array<Set<string>> = []
  #size = 0

  /** `networkOf`: the key under which an address is grouped. */
  constructor(networkOf: (address: string) => string) {
    this.#networkOf = networkOf
  }

  get size(): number {
    return this.#size
  }

  /** The size of the largest group. */
  get most(): number {
    return Math.max(0, this.#having.length - 1)
  }

  add(address: string, one: A): void {
    const network = this.#networkOf(address)
    let same = this.#of.get(network)
    if (same === undefined) this.#of.set(network, same = new Set())
    if (same.has(one)) return
    same.add(one)
    this.#moved(network, same.size - 1, same.size)
    this.#size++
  }

  delete(address: string, one: A): void {
    this.#delete(this.#networkOf(address), one)
  }

  #delete(network: string, one: A): void {
    const same = this.#of.get(network)
    if (same === undefined || !same.delete(one)) return
    this.#moved(network, same.size + 1, same.size)
    this.#size--
    if (same.size === 0) this.#of.delete(network)
  }

  #moved(network: string, from: number, to: number): void {
    if (from > 0) this.#having[from]!.delete(network)
    if (to > 0) (this.#having[to] ??= new Set()).add(network)
    while (this.#having.at(-1)?.size === 0) this.#having.pop()
  }

  /** Removes and returns the oldest member of the group whose turn it is; then it is the turn of all others before it is its again. */
  takeNext(): A | undefined {
    const group = this.#of.first
    const next = group?.value.values().next().value
    if (group === undefined || next === undefined) return undefined
    this.#of.touch(group.key)
    this.#delete(group.key, next)
    return next
  }

  /** Removes and returns the oldest member of the largest group. */
  takeFirst(): A | undefined {
    const most = this.#having.at(-1)?.values().next().value
    const first = most === undefined ? undefined : this.#of.get(most)!.values().next().value
    if (most !== undefined && first !== undefined) this.#delete(most, first)
    return first
  }
}
