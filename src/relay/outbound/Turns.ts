/**
 * Senders that wait for a turn. First the connections that they come from take turns, then the senders of one connection:
 * whoever shows many paths has no more than who shows one.
 */
import type { Loss } from "../Loss.ts"

/** Somebody who has something to send, and waits for a turn. */
export interface Sender {
  /** The connection that it comes from: those of one connection share its turns. */
  readonly source: object
  /** Writes up to about `quota` octets. True when something is left and it waits for its next turn. */
  give(quota: number): boolean
  /** The hop is gone or cannot be reached: what waits fails (RFC 4976 §6.4.1). */
  fail(loss: Loss): void
}

export class Turns {
  readonly #sources: Array<Array<Sender>> = []
  readonly #of = new Map<object, Array<Sender>>()

  get empty(): boolean {
    return this.#sources.length === 0
  }

  add(sender: Sender): void {
    const others = this.#of.get(sender.source)
    if (others !== undefined) {
      others.push(sender)
      return
    }
    const senders = [sender]
    this.#of.set(sender.source, senders)
    this.#sources.push(senders)
  }

  /** Whose turn it is; he waits no more. */
  next(): Sender {
    const senders = this.#sources.shift()!
    const sender = senders.shift()!
    if (senders.length > 0) this.#sources.push(senders)
    else this.#of.delete(sender.source)
    return sender
  }

  /** He waits no more, if he did. */
  remove(sender: Sender): void {
    const senders = this.#of.get(sender.source)
    const at = senders?.indexOf(sender) ?? -1
    if (at === -1) return
    senders!.splice(at, 1)
    if (senders!.length > 0) return
    this.#of.delete(sender.source)
    this.#sources.splice(this.#sources.indexOf(senders!), 1)
  }

  /** All of them; none waits any more. */
  takeAll(): ReadonlyArray<Sender> {
    const all = this.#sources.flat()
    this.#sources.length = 0
    this.#of.clear()
    return all
  }
}
