/**
 * Senders that wait for a turn. First the connections that they come from take turns, then the sessions of one connection, then
 * the senders of one session: whoever shows many paths has no more than who shows one.
 */
import type { Loss } from "../Loss.ts"

/** Somebody who has something to send, and waits for a turn. */
export interface Sender {
  /** The connection that it comes from: those of one connection share its turns. */
  readonly source: object
  /** The session that it is of: those of one session on a connection share its turns. */
  readonly session: object
  /** Writes up to about `quota` octets. True when something is left and it waits for its next turn. */
  give(quota: number): boolean
  /** The hop is gone or cannot be reached: what waits fails (RFC 4976 §6.4.1), one after the other. */
  fails(loss: Loss): Iterable<void>
}

interface Queue {
  readonly empty: boolean
  add(sender: Sender): void
  /** Whose turn it is; he waits no more. Not when it is empty. */
  next(): Sender
  /** He waits no more, if he did. */
  remove(sender: Sender): void
  readonly all: ReadonlyArray<Sender>
}

/** One after the other. */
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

/** Queues that take turns: one for all who have the same of something. */
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
const byConnection = (): Queue => new Round(({ source }) => source, bySession)

export class Turns {
  #queue = byConnection()

  get empty(): boolean {
    return this.#queue.empty
  }

  add(sender: Sender): void {
    this.#queue.add(sender)
  }

  /** Whose turn it is; he waits no more. */
  next(): Sender {
    return this.#queue.next()
  }

  /** He waits no more, if he did. */
  remove(sender: Sender): void {
    this.#queue.remove(sender)
  }

  /** All of them; none waits any more. */
  takeAll(): ReadonlyArray<Sender> {
    const { all } = this.#queue
    this.#queue = byConnection()
    return all
  }
}
