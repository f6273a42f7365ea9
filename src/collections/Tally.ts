/** A counter for each key; a count of 0 takes no memory, and nor does a tally in which nothing was counted. */
export class Tally<Key> {
  #counts: Map<Key, number> | undefined

  /** The number of keys with a count above 0. */
  get size(): number {
    return this.#counts?.size ?? 0
  }

  of(key: Key): number {
    return this.#counts?.get(key) ?? 0
  }

  /** Adds one, and returns the new count. */
  more(key: Key): number {
    const count = this.of(key) + 1
    this.#counts ??= new Map()
    this.#counts.set(key, count)
    return count
  }

  less(key: Key): void {
    const rest = this.of(key) - 1
    if (rest > 0) this.#counts?.set(key, rest)
    else this.#counts?.delete(key)
  }
}
