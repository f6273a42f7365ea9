/**
 * What a client has received and its user has not taken yet. The mailboxes of a connection share one bound: when it is
 * reached, the connection is not read until enough was taken. That of REPORTs, which not everybody reads, has its own,
 * and forgets the oldest.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { ClientError } from "./ClientError.ts"

/** What an entry counts beside the octets that it holds. */
const ENTRY_COST = 512

/** The shared bound. */
export class Unread {
  readonly #limit: number
  readonly #readers = new Set<(full: boolean) => void>()
  #octets = 0
  #full = false

  /** In octets. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether the bound was reached, and half of it is not free again. */
  get full(): boolean {
    return this.#full
  }

  /** `reader` is told so with whatever comes or goes while it is full, and once it is not full any more. The result ends that. */
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

/** What is to be known of entries. */
export interface Entries<A> {
  /** Octets that one holds. */
  readonly octets: (entry: A) => number
  /** One was taken. */
  readonly taken?: (entry: A) => void
}

/** How much is kept where the oldest is forgotten for more. */
interface Newest {
  readonly count: number
  readonly octets: number
}

/**
 * What was received and not taken yet.
 *
 * @category models
 * @since 0.1.0
 */
export class Mailbox<A> {
  readonly #queue: Queue.Queue<A, ClientError>
  readonly #unread: Unread
  readonly #octetsOf: (entry: A) => number
  readonly #newest: Newest | undefined
  /** Of all entries. */
  #octets = 0
  /** The next entry, oldest first. Waits for one; fails with `Closed` when the connection is gone and nothing is left. */
  readonly take: Effect.Effect<A, ClientError>
  /** The next entry if there is one. Does not wait, does not fail. */
  readonly poll: Effect.Effect<Option.Option<A>>
  /** Entries as they come; fails with `Closed` at the end of the connection. */
  readonly stream: Stream.Stream<A, ClientError>

  static readonly make = <A>(unread: Unread, entries: Entries<A>): Effect.Effect<Mailbox<A>> =>
    Effect.map(Queue.unbounded<A, ClientError>(), (queue) => new Mailbox(queue, unread, entries))

  /** Keeps the newest so many, of so many octets in all, for its own. */
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

  /** The next `count` entries. */
  readonly takeN = (count: number): Effect.Effect<Array<A>, ClientError> =>
    // Not by `replicateEffect`, which a page would have to load for nothing else.
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

  /** Nothing more will come; what is here can still be taken. */
  close(error: ClientError): void {
    Queue.failCauseUnsafe(this.#queue, Cause.fail(error))
  }
}
