/**
 * A fair queue of the senders that wait to write to one connection. First their sources take turns, then the sessions of each
 * source, then the senders of each session, so that a client gets no larger share by using many paths, or a user by using many
 * connections.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import type { Loss } from "../Loss.ts"

/** Something that has octets to send, and waits to write them. */
export interface Sender {
  /**
   * The user who sends, or the connection that the requests come from if its user is not known: all senders of a source share its
   * turns.
   */
  readonly source: object
  /** The session that it sends for: all senders of a session on a connection share its turns. */
  readonly session: object
  /** Writes up to about `quantum` octets. Returns true if something is left and it waits for its next turn. */
  give(quantum: number): boolean
  /** The hop is gone or cannot be reached: what waits fails (RFC 4976 §6.4.1), one item in each step. */
  fails(loss: Loss): Iterable<void>
}

interface Queue {
  readonly empty: boolean
  add(sender: Sender): void
  /** Removes and returns the sender whose turn it is. The queue must not be empty. */
  next(): Sender
  /** Removes a sender, if it waits. */
  remove(sender: Sender): void
  readonly all: ReadonlyArray<Sender>
}

/** Senders in the order in which they came. There may be thousands, and the first of a long array takes long to remove. */
class InOrder implements Queue {
  readonly #senders = new LinkedMap<Sender, undefined>()

  get empty(): boolean {
    return this.#senders.size === 0
  }

  get all(): ReadonlyArray<Sender> {
    return Array.from(this.#senders, ({ key }) => key)
  }

  add(sender: Sender): void {
    this.#senders.set(sender, undefined)
  }

  next(): Sender {
    const { key } = this.#senders.first!
    this.#senders.delete(key)
    return key
  }

  remove(sender: Sender): void {
    this.#senders.delete(sender)
  }
}

/** Queues that take turns, one for all senders with the same value of `same`. */
class Round implements Queue {
  readonly #same: (sender: Sender) => object
  readonly #make: () => Queue
  readonly #queues = new LinkedMap<object, Queue>()

  constructor(same: (sender: Sender) => object, make: () => Queue) {
    this.#same = same
    this.#make = make
  }

  get empty(): boolean {
    return this.#queues.size === 0
  }

  get all(): ReadonlyArray<Sender> {
    return Array.from(this.#queues).flatMap(({ value }) => value.all)
  }

  add(sender: Sender): void {
    const same = this.#same(sender)
    let queue = this.#queues.get(same)
    if (queue === undefined) this.#queues.set(same, queue = this.#make())
    queue.add(sender)
  }

  next(): Sender {
    const { key, value: queue } = this.#queues.first!
    const sender = queue.next()
    if (queue.empty) this.#queues.delete(key)
    else this.#queues.touch(key)
    return sender
  }

  remove(sender: Sender): void {
    const same = this.#same(sender)
    const queue = this.#queues.get(same)
    queue?.remove(sender)
    if (queue?.empty === true) this.#queues.delete(same)
  }
}

const bySession = (): Queue => new Round(({ session }) => session, () => new InOrder())
const bySource = (): Queue => new Round(({ source }) => source, bySession)

export class FairQueue {
  #queue = bySource()

  get empty(): boolean {
    return this.#queue.empty
  }

  add(sender: Sender): void {
    this.#queue.add(sender)
  }

  /** Removes and returns the sender whose turn it is. */
  next(): Sender {
    return this.#queue.next()
  }

  /** Removes a sender, if it waits. */
  remove(sender: Sender): void {
    this.#queue.remove(sender)
  }

  /** Removes and returns all senders. */
  takeAll(): ReadonlyArray<Sender> {
    const { all } = this.#queue
    this.#queue = bySource()
    return all
  }
}
