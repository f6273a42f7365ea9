/** The requests of one connection that may be answered: by transaction id, and in the order in which they are sent. */
import type { Loss } from "../Loss.ts"
import type { Shared } from "../Shared.ts"
import type { Transaction, TransactionOwner } from "./Transaction.ts"

/** The connection that the requests are sent on. */
export interface TransactionsOwner {
  readonly shared: Pick<Shared, "conditions" | "counters" | "limits" | "totals" | "turn">
  readonly outbox: { readonly committed: number }
  /** Whether what came in may not have been read yet. */
  readonly isBehind: boolean
}

/** Entries at the front of `#unsent` that may be sent already before the array is shortened. */
const GONE = 1024

export class Transactions implements TransactionOwner {
  readonly #owner: TransactionsOwner
  readonly #shared: TransactionsOwner["shared"]
  readonly #all = new Map<string, Transaction>()
  /** Requests of which octets are still in this process, from index `#first` on. */
  #unsent: Array<Transaction> = []
  #first = 0

  constructor(owner: TransactionsOwner) {
    this.#owner = owner
    this.#shared = owner.shared
  }

  get(id: string): Transaction | undefined {
    return this.#all.get(id)
  }

  /** Adds a request that was written whole. */
  expect(transaction: Transaction): void {
    this.began(transaction)
    this.ended(transaction)
  }

  /** Adds a request that is still being written: it may be answered before its end, to stop it (RFC 4975 §10.5). */
  began(transaction: Transaction): void {
    this.#all.set(transaction.id, transaction)
    this.#shared.totals.transactions++
  }

  /** The last octet of a request was just put in. */
  ended(transaction: Transaction): void {
    transaction.endsAt = this.#owner.outbox.committed
    this.#unsent.push(transaction)
  }

  /** The operating system has taken this many octets in all. A request is timed from its last octet on (RFC 4976 §6.4.1). */
  sent(octets: number): void {
    const { limits: { transaction }, turn: { now } } = this.#shared
    const unsent = this.#unsent
    let i = this.#first
    for (; i < unsent.length && unsent[i]!.endsAt <= octets; i++) {
      const one = unsent[i]!
      if (one.done) continue
      transaction.start(one, now)
      one.sent()
    }
    if (i === unsent.length) {
      unsent.length = 0
      i = 0
    } else if (i > GONE) {
      unsent.splice(0, i)
      i = 0
    }
    this.#first = i
  }

  /** Whether the sender of any of these requests is still connected. */
  get isAwaited(): boolean {
    for (const { origin } of this.#all.values()) if (origin.isThere) return true
    return false
  }

  /** No further answer comes; the operating system has taken this many octets in all. The requests fail one in each step. */
  *lost(octets: number, loss: Loss): Iterable<void> {
    for (const transaction of this.#all.values()) {
      transaction.lost(octets, loss)
      yield
    }
  }

  /** Nothing more is sent. */
  close(): void {
    this.#unsent = []
    this.#first = 0
  }

  // ---- what a transaction asks

  forget(transaction: Transaction): void {
    if (!this.#all.delete(transaction.id)) return
    this.#shared.totals.transactions--
    if (this.#shared.conditions.any) this.#shared.conditions.check()
  }

  late(one: Transaction): void {
    this.#shared.limits.late.start(one)
  }

  timedOut(): void {
    this.#shared.counters.transactionsTimedOut++
  }

  get isBehind(): boolean {
    return this.#owner.isBehind
  }

  get now(): number {
    return this.#shared.turn.now
  }

  get patience(): number {
    return this.#shared.limits.transaction.millis
  }
}
