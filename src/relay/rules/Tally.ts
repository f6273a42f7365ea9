/** A counter for each key; a count of 0 takes no memory. */
export class Tally {
  readonly #counts = new Map<string, number>()

  of(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  more(key: string): void {
    this.#counts.set(key, this.of(key) + 1)
  }

  less(key: string): void {
    const rest = this.of(key) - 1
    if (rest > 0) this.#counts.set(key, rest)
    else this.#counts.delete(key)
  }
}
