/**
 * What a client has received and its program has not taken yet. The mailboxes of a connection share one bound. When it is
 * reached, the connection is not read until enough is taken. The mailbox of REPORTs, which many programs do not read, has its
 * own bound and drops the oldest.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { ClientError } from "./ClientError.ts"

/** Octets that an entry counts in addition to those that it holds. */
const ENTRY_COST = 512

/** The bound that mailboxes share. */
export class Unread {
  readonly #limit: number
  readonly #readers = new Set<(full: boolean) => void>()
  #octets = 0
  #full = false

  /** `limit` is in octets. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether the bound was reached, and more than half of it is still used. */
  get full(): boolean {
    return this.#full
  }

  /**
   * Calls `reader` at each change while it is full, and once when it is not full any more, until the returned function is
   * called.
   */
  tell(reader: (full: boolean) => void): () => void {
    this.#readers.add(reader)
    return () => void this.#readers.delete(reader)
  }

  add(octets: number): void {
    this.#octets += octets
    const was = this.#full
    this.#full = this.#octets >= this.#limit || (was && this.#octets > this.#limit / 2)
    if (was || this.#full) { for (const reader of this.#readers) reader(this.#full) }
  }

  remove(octets: number): void {
    this.add(-octets)
  }
}

/** How a mailbox handles its entries. */
export interface Entries<A> {
  /** Octets that an entry holds. */
  readonly octets: (entry: A) => number
  /** Called when an entry is taken. */
  readonly taken?: (entry: A) => void
}

/** How much a mailbox keeps that drops its oldest entries. */
interface Newest {
  readonly count: number
  readonly octets: number
}

/**
 * A queue of what was received and not taken yet.
 *
 * @category models
 * @since 0.1.0
 */
export class Mailbox<A> {
  readonly #queue: Queue.Queue<A, ClientError>
  readonly #unread: Unread
  readonly #octetsOf: (entry: A) => number
  readonly #newest: Newest | undefined
  /** Octets of all entries. */
  #octets = 0
  /** The oldest entry. Waits for one; fails with `Closed` when the connection has ended and no entry is left. */
  readonly take: Effect.Effect<A, ClientError>
  /** The oldest entry, if there is one. Does not wait, and does not fail. */
  readonly poll: Effect.Effect<Option.Option<A>>
  /** Entries as they arrive; fails with `Closed` at the end of the connection. */
  readonly stream: Stream.Stream<A, ClientError>

  static readonly make = <A>(unread: Unread, entries: Entries<A>): Effect.Effect<Mailbox<A>> =>
    Effect.map(Queue.unbounded<A, ClientError>(), (queue) => new Mailbox(queue, unread, entries))

  /** A mailbox with its own bound, which keeps the newest entries. */
  static readonly newest = <A>(newest: Newest, entries: Entries<A>): Effect.Effect<Mailbox<A>> =>
    Effect.map(
      Queue.unbounded<A, ClientError>(),
      (queue) => new Mailbox(queue, new Unread(Infinity), entries, newest)
    )

  constructor(queue: Queue.Queue<A, ClientError>, unread: Unread, { octets, taken }: Entries<A>, newest?: Newest) {
    this.#queue = queue
    this.#unread = unread
    this.#octetsOf = (entry) => ENTRY_COST + octets(entry)
    this.#newest = newest
    const left = (entry: A): A => {
      this.#count(-this.#octetsOf(entry))
      taken?.(entry)
      return entry
    }
    this.take = Effect.map(Queue.take(queue), left)
    this.poll = Effect.map(
      Effect.catch(Queue.poll(queue), () => Effect.succeedNone),
      Option.map(left)
    )
    this.stream = Stream.fromEffectRepeat(this.take)
  }

  /**
   * The next `count` entries. Those that were taken are lost if it is interrupted, also by a time limit, or fails before the last
   * of them comes.
   */
  readonly takeN = (count: number): Effect.Effect<Array<A>, ClientError> =>
    // Not `replicateEffect`, which nothing else in the browser bundle needs.
    Effect.gen({ self: this }, function*() {
      const entries: Array<A> = []
      while (entries.length < count) entries.push(yield* this.take)
      return entries
    })

  put(entry: A): void {
    if (!Queue.offerUnsafe(this.#queue, entry)) return
    this.#count(this.#octetsOf(entry))
    while (this.#hasTooMany()) {
      const oldest = Queue.takeUnsafe(this.#queue)
      if (oldest === undefined || !Exit.isSuccess(oldest)) return
      this.#count(-this.#octetsOf(oldest.value))
    }
  }

  #hasTooMany(): boolean {
    const newest = this.#newest
    const count = Queue.sizeUnsafe(this.#queue)
    return newest !== undefined && (count > newest.count || (count > 1 && this.#octets > newest.octets))
  }

  #count(octets: number): void {
    this.#octets += octets
    if (octets > 0) this.#unread.add(octets)
    else this.#unread.remove(-octets)
  }

  /** No more entries arrive. Those that are there can still be taken. */
  close(error: ClientError): void {
    Queue.failCauseUnsafe(this.#queue, Cause.fail(error))
  }
}
