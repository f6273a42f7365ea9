/** An entry of a `Heap`. */
export interface Ranked<A> {
  readonly value: A
  readonly rank: number
}

interface Place<A> extends Ranked<A> {
  rank: number
  at: number
}

/** A binary heap: the first entry has the lowest rank, and any entry can be removed without a search for it. */
export class Heap<A> {
  readonly #places: Array<Place<A>> = []

  get size(): number {
    return this.#places.length
  }

  /** An entry with the lowest rank. */
  get first(): Ranked<A> | undefined {
    return this.#places[0]
  }

  add(value: A, rank: number): Ranked<A> {
    const place = { value, rank, at: this.#places.length }
    this.#places.push(place)
    this.#raise(place)
    return place
  }

  /** Changes the rank of an entry, which must be a result of `add` that has not been deleted. */
  move(one: Ranked<A>, rank: number): void {
    const place = one as Place<A>
    place.rank = rank
    this.#raise(place)
    this.#lower(place)
  }

  /** Removes an entry, which must be a result of `add` that has not been deleted. */
  delete(one: Ranked<A>): void {
    const { at } = one as Place<A>
    const last = this.#places.pop()!
    if (last === one) return
    this.#put(last, at)
    this.#raise(last)
    this.#lower(last)
  }

  #put(place: Place<A>, at: number): void {
    place.at = at
    this.#places[at] = place
  }

  #raise(place: Place<A>): void {
    let { at } = place
    while (at > 0) {
      const above = this.#places[(at - 1) >> 1]!
      if (above.rank <= place.rank) break
      const free = above.at
      this.#put(above, at)
      at = free
    }
    this.#put(place, at)
  }

  #lower(place: Place<A>): void {
    const places = this.#places
    let { at } = place
    for (let below = 2 * at + 1; below < places.length; below = 2 * at + 1) {
      if (below + 1 < places.length && places[below + 1]!.rank < places[below]!.rank) below++
      const lower = places[below]!
      if (lower.rank >= place.rank) break
      this.#put(lower, at)
      at = below
    }
    this.#put(place, at)
  }
}
