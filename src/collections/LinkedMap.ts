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
 * A map in the order in which its keys were last set or touched. It also serves as a queue: the first entry is found in constant
 * time, whereas a `Map` has to skip the entries deleted before it. While nothing has been set, it takes little memory: each
 * connection has several.
 */
export class LinkedMap<K, V> {
  #links: Map<K, Link<K, V>> | undefined
  #first: Link<K, V> | undefined
  #last: Link<K, V> | undefined

  get size(): number {
    return this.#links?.size ?? 0
  }

  /** The entry that was set or touched least recently. */
  get first(): Entry<K, V> | undefined {
    return this.#first
  }

  get(key: K): V | undefined {
    return this.#links?.get(key)?.value
  }

  has(key: K): boolean {
    return this.#links?.has(key) === true
  }

  /** Sets a value; its entry becomes the last one. */
  set(key: K, value: V): void {
    const links = this.#links ??= new Map()
    let link = links.get(key)
    if (link === undefined) links.set(key, link = { key, value, previous: undefined, next: undefined })
    else {
      link.value = value
      this.#unlink(link)
    }
    this.#append(link)
  }

  /** Returns a value; its entry becomes the last one. */
  touch(key: K): V | undefined {
    const link = this.#links?.get(key)
    if (link === undefined) return undefined
    if (link !== this.#last) {
      this.#unlink(link)
      this.#append(link)
    }
    return link.value
  }

  delete(key: K): boolean {
    const link = this.#links?.get(key)
    if (link === undefined) return false
    this.#links!.delete(key)
    this.#unlink(link)
    return true
  }

  /** Iterates in order. During it any entry may be deleted, and the current one touched. */
  *[Symbol.iterator](): Generator<Entry<K, V>> {
    for (let link = this.#first, next = link?.next; link !== undefined; link = next, next = link?.next) {
      yield link
      while (next !== undefined && this.#links!.get(next.key) !== next) next = next.next
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
