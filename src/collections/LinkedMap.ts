/** An entry of a `LinkedMap`. */
export interface Entry<K, V> {
  readonly key: K
  readonly value: V
}

interface Link<K, V> extends Entry<K, V> {
  value: V
  previous: Link<K, V> | undefined
  next: Link<K, V> | undefined
}

/**
 * With more entries than this, a `Map` finds them. It would be most of the memory of a map with few, and deleting its last entry
 * allocates another table, each time that one sender waits for its turn.
 */
const FEW = 8

/**
 * A map in the order in which its keys were last set or touched. It also serves as a queue: the first entry is found in constant
 * time, whereas a `Map` has to skip the entries deleted before it.
 */
export class LinkedMap<K, V> {
  /** Undefined until there are more than a few entries, and again when there are none. */
  #links: Map<K, Link<K, V>> | undefined
  #size = 0
  #first: Link<K, V> | undefined
  #last: Link<K, V> | undefined

  get size(): number {
    return this.#size
  }

  /** The entry that was set or touched least recently. */
  get first(): Entry<K, V> | undefined {
    return this.#first
  }

  get(key: K): V | undefined {
    return this.#find(key)?.value
  }

  has(key: K): boolean {
    return this.#find(key) !== undefined
  }

  /** Sets a value; its entry becomes the last one. */
  set(key: K, value: V): void {
    const link = this.#find(key)
    if (link === undefined) return this.#add({ key, value, previous: undefined, next: undefined })
    link.value = value
    this.#unlink(link)
    this.#append(link)
  }

  /** Returns a value; its entry becomes the last one. */
  touch(key: K): V | undefined {
    const link = this.#find(key)
    if (link === undefined) return undefined
    if (link !== this.#last) {
      this.#unlink(link)
      this.#append(link)
    }
    return link.value
  }

  delete(key: K): boolean {
    const link = this.#find(key)
    if (link === undefined) return false
    this.#unlink(link)
    if (--this.#size === 0) this.#links = undefined
    else this.#links?.delete(key)
    return true
  }

  /** Removes the entries that were set or touched least recently, until there are no more than `most`. */
  shorten(most: number): void {
    while (this.#size > most) this.delete(this.#first!.key)
  }

  /** Iterates in order. During it any entry may be deleted, and the current one touched. */
  *[Symbol.iterator](): Generator<Entry<K, V>> {
    for (let link = this.#first, next = link?.next; link !== undefined; link = next, next = link?.next) {
      yield link
      while (next !== undefined && this.#find(next.key) !== next) next = next.next
    }
  }

  #find(key: K): Link<K, V> | undefined {
    if (this.#links !== undefined) return this.#links.get(key)
    let link = this.#first
    while (link !== undefined && link.key !== key) link = link.next
    return link
  }

  #add(link: Link<K, V>): void {
    this.#append(link)
    this.#size++
    if (this.#links !== undefined) this.#links.set(link.key, link)
    else if (this.#size > FEW) {
      this.#links = new Map()
      for (let one = this.#first; one !== undefined; one = one.next) this.#links.set(one.key, one)
    }
  }

  #append(link: Link<K, V>): void {
    link.previous = this.#last
    link.next = undefined
    if (this.#last === undefined) this.#first = link
    else this.#last.next = link
    this.#last = link
  }

  #unlink({ next, previous }: Link<K, V>): void {
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
  }
}
