/**
 * The transactions of one connection by their ids, and in the order in which they began: a hash table whose entries are linked, so
 * that adding and removing allocates nothing. A `Map` allocates when its last entry is deleted. That would be for each message, and
 * with thousands of connections, each of which has a message now and then, it would outlive the young generation.
 */
import type { Transaction } from "./Transaction.ts"

/** The smallest number of lists of a table that is in use; a power of two, as every number of lists. */
const LEAST = 8

/** A table with more lists than this has fewer again when there are more than `SPARSE` for each transaction. */
const MOST_KEPT = 64
const SPARSE = 8

/** The number of characters that the hash depends on. This relay makes the ids, at random. */
const HASHED = 6

export class TransactionTable {
  /** The first transaction of each list. */
  #lists: Array<Transaction | undefined> = []
  #size = 0
  #first: Transaction | undefined
  #last: Transaction | undefined

  get size(): number {
    return this.#size
  }

  /** The number of lists. */
  get lists(): number {
    return this.#lists.length
  }

  /** The one that was added first of all that are there. */
  get first(): Transaction | undefined {
    return this.#first
  }

  /** The transaction whose id stands in `buf`. */
  find(buf: Buffer, start: number, end: number): Transaction | undefined {
    const lists = this.#lists
    if (lists.length === 0) return undefined
    let hash = 0
    for (let i = start; i < end && i < start + HASHED; i++) hash = mix(hash, buf[i]!)
    let one = lists[hash & (lists.length - 1)]
    while (one !== undefined && !isAt(one.id, buf, start, end)) one = one.sibling
    return one
  }

  add(transaction: Transaction): void {
    if (this.#size === this.#lists.length) this.#resize(Math.max(LEAST, 2 * this.#size))
    this.#size++
    this.#put(transaction)
    transaction.earlier = this.#last
    if (this.#last === undefined) this.#first = transaction
    else this.#last.later = transaction
    this.#last = transaction
  }

  /** Returns whether it was there. */
  remove(transaction: Transaction): boolean {
    const lists = this.#lists
    const at = this.#indexOf(transaction)
    let before: Transaction | undefined
    let one = lists[at]
    while (one !== transaction) {
      if (one === undefined) return false
      before = one
      one = one.sibling
    }
    if (before === undefined) lists[at] = one.sibling
    else before.sibling = one.sibling
    one.sibling = undefined
    this.#size--
    this.#unlink(one)
    if (lists.length > MOST_KEPT && this.#size * SPARSE < lists.length) this.#resize(lists.length / 2)
    return true
  }

  /** In the order in which they were added. */
  *[Symbol.iterator](): Iterator<Transaction> {
    for (let one = this.#first; one !== undefined; one = one.later) yield one
  }

  #unlink(one: Transaction): void {
    const { earlier, later } = one
    if (earlier === undefined) this.#first = later
    else earlier.later = later
    if (later === undefined) this.#last = earlier
    else later.earlier = earlier
    one.earlier = one.later = undefined
  }

  #put(transaction: Transaction): void {
    const at = this.#indexOf(transaction)
    transaction.sibling = this.#lists[at]
    this.#lists[at] = transaction
  }

  #indexOf({ id }: Transaction): number {
    let hash = 0
    for (let i = 0; i < id.length && i < HASHED; i++) hash = mix(hash, id.charCodeAt(i))
    return hash & (this.#lists.length - 1)
  }

  #resize(lists: number): void {
    this.#lists = Array.from({ length: lists })
    for (let one = this.#first; one !== undefined; one = one.later) this.#put(one)
  }
}

const mix = (hash: number, code: number): number => (Math.imul(hash, 31) + code) | 0

const isAt = (id: string, buf: Buffer, start: number, end: number): boolean => {
  if (id.length !== end - start) return false
  for (let i = 0; i < id.length; i++) if (id.charCodeAt(i) !== buf[start + i]) return false
  return true
}
