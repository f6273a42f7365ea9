/** The requests of one connection that may be answered: by transaction id, and in the order in which they are sent. */
import type { Loss } from "../Loss.ts"
import type { Shared } from "../Shared.ts"
import type { Transaction, TransactionOwner } from "./Transaction.ts"
import { TransactionTable } from "./TransactionTable.ts"

/** The connection that the requests are sent on. */
export interface TransactionsOwner {
  readonly shared: Pick<Shared, "conditions" | "counters" | "limits" | "totals" | "turn">
  readonly outbox: { readonly committed: number }
  /** Whether what came in may not have been read yet. */
  readonly isBehind: boolean
}

export class Transactions implements TransactionOwner {
  readonly #owner: TransactionsOwner
  readonly #shared: TransactionsOwner["shared"]
  readonly #all = new TransactionTable()
  /** The first of which octets are still in this process, or to come. So it is with all behind it: one is written after the other. */
  #unsent: Transaction | undefined

  constructor(owner: TransactionsOwner) {
    this.#owner = owner
    this.#shared = owner.shared
  }

  /** The request whose transaction id stands in `buf`. */
  find(buf: Buffer, start: number, end: number): Transaction | undefined {
    return this.#all.find(buf, start, end)
  }

  /** Adds a request that was written whole. */
  expect(transaction: Transaction): void {
    this.began(transaction)
    this.ended(transaction)
  }

  /** Adds a request that is still being written: it may be answered before its end, to stop it (RFC 4975 §10.5). */
  began(transaction: Transaction): void {
    this.#all.add(transaction)
    this.#unsent ??= transaction
    this.#shared.totals.transactions++
  }

  /** The last octet of a request was just put in. */
  ended(transaction: Transaction): void {
    transaction.endsAt = this.#owner.outbox.committed
  }

  /** The operating system has taken this many octets in all. A request is timed from its last octet on (RFC 4976 §6.4.1). */
  sent(octets: number): void {
    const { limits: { transaction }, turn: { now } } = this.#shared
    for (let one = this.#unsent; one !== undefined && one.endsAt !== 0 && one.endsAt <= octets; one = this.#unsent) {
      this.#unsent = one.later
      transaction.start(one, now)
      one.sent()
    }
  }

  /** Whether the sender of any of these requests is still connected. */
  get isAwaited(): boolean {
    for (const { origin } of this.#all) if (origin.isThere) return true
    return false
  }

  /**
   * No further answer comes; the operating system has taken this many octets in all. The requests fail one in each step, in the
   * order in which they began. Nothing is done for all of them at once, because there may be hundreds of thousands.
   */
  *lost(octets: number, loss: Loss): Iterable<void> {
    for (let one = this.#all.first; one !== undefined; one = this.#all.first) {
      one.lost(octets, loss)
      yield
    }
  }

  // ---- what a transaction asks

  forget(transaction: Transaction): void {
    const { later } = transaction
    if (!this.#all.remove(transaction)) return
    if (transaction === this.#unsent) this.#unsent = later
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
