/**
 * A fair queue of the senders that wait to write to one connection. First their sources take turns, then the sessions of each
 * source, then the senders of each session, so that a client gets no larger share by using many paths, or a user by using many
 * connections.
 */
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

/** Senders in the order in which they came. */
class InOrder implements Queue {
  readonly all: Array<Sender> = []

  get empty(): boolean {
    return this.all.length === 0
  }

  add(sender: Sender): void {
    this.all.push(sender)
  }

  next(): Sender {
    return this.all.shift()!
  }

  remove(sender: Sender): void {
    const at = this.all.indexOf(sender)
    if (at !== -1) this.all.splice(at, 1)
  }
}

/** Queues that take turns, one for all senders with the same value of `same`. */
class Round implements Queue {
  readonly #same: (sender: Sender) => object
  readonly #make: () => Queue
  readonly #queues: Array<Queue> = []
  readonly #of = new Map<object, Queue>()

  constructor(same: (sender: Sender) => object, make: () => Queue) {
    this.#same = same
    this.#make = make
  }

  get empty(): boolean {
    return this.#queues.length === 0
  }

  get all(): ReadonlyArray<Sender> {
    return this.#queues.flatMap(({ all }) => all)
  }

  add(sender: Sender): void {
    const same = this.#same(sender)
    let queue = this.#of.get(same)
    if (queue === undefined) {
      this.#of.set(same, queue = this.#make())
      this.#queues.push(queue)
    }
    queue.add(sender)
  }

  next(): Sender {
    const queue = this.#queues.shift()!
    const sender = queue.next()
    if (queue.empty) this.#of.delete(this.#same(sender))
    else this.#queues.push(queue)
    return sender
  }

  remove(sender: Sender): void {
    const same = this.#same(sender)
    const queue = this.#of.get(same)
    if (queue === undefined) return
    queue.remove(sender)
    if (!queue.empty) return
    this.#of.delete(same)
    this.#queues.splice(this.#queues.indexOf(queue), 1)
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
