/**
 * The messages of a connection that are not whole yet. How many there are and what they hold is bounded; who begins messages and
 * ends none does not keep all others out for good.
 */
import type { Buffer } from "../platform/Node.ts"
import type { Frame } from "./Frame.ts"
import type { Arriving } from "./Incoming.ts"
import type { Reassembly } from "./Reassembly.ts"

/** Messages that may be unfinished at a time. */
const MAX_UNFINISHED = 1024
/** Milliseconds without anything of one after which it makes room for others: nobody waits longer for an answer (RFC 4975 §7.2). */
const IDLE = 30_000

export interface Unfinished {
  readonly key: string
  readonly first: Frame
  readonly octets: Reassembly
  /** Length and SHA-256, when the octets are not kept. */
  readonly digest: () => string | undefined
  /** Where it is handed out while it comes. */
  readonly arriving: Arriving | undefined
}

export interface UnfinishedOptions {
  /** Octets of memory that all of them may hold. */
  readonly limit: number
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number
  /** It makes room for others. */
  readonly giveUp: (message: Unfinished) => void
}

interface Entry {
  readonly message: Unfinished
  /** When its last chunk began. */
  readonly since: number
}

export class UnfinishedMessages {
  readonly #options: UnfinishedOptions
  /** That which has had nothing for the longest time is the first. */
  readonly #entries = new Map<string, Entry>()
  #held = 0

  constructor(options: UnfinishedOptions) {
    this.#options = options
  }

  /** Whether one more may begin. */
  hasRoom(): boolean {
    return this.#roomFor(() => this.#entries.size < MAX_UNFINISHED)
  }

  /** The message that goes on with a chunk. */
  next(key: string): Unfinished | undefined {
    const message = this.#entries.get(key)?.message
    if (message !== undefined) this.add(message)
    return message
  }

  add(message: Unfinished): void {
    this.#entries.delete(message.key)
    this.#entries.set(message.key, { message, since: this.#options.now() })
  }

  forget(message: Unfinished): void {
    if (this.#entries.delete(message.key)) this.#held -= message.octets.cost
  }

  clear(): ReadonlyArray<Unfinished> {
    const messages = Array.from(this.#entries.values(), ({ message }) => message)
    this.#entries.clear()
    return messages
  }

  /** False when that exceeds a limit; nothing is taken then. */
  write(message: Unfinished, start: number, octets: Buffer): boolean {
    const enough = (): boolean => this.#held + octets.length <= this.#options.limit
    // It goes on, however long ago its chunk began.
    if (!enough()) this.add(message)
    if (!this.#roomFor(enough)) return false
    return this.#counted(message, () => message.octets.write(start, octets))
  }

  /** It ends with octet `total`. */
  end(message: Unfinished, total: number): void {
    this.#counted(message, () => message.octets.end(total))
  }

  #counted<A>({ octets }: Unfinished, change: () => A): A {
    const before = octets.cost
    const result = change()
    this.#held += octets.cost - before
    return result
  }

  #roomFor(enough: () => boolean): boolean {
    while (!enough()) {
      const [oldest] = this.#entries.values()
      if (oldest === undefined || this.#options.now() - oldest.since < IDLE) return false
      this.forget(oldest.message)
      this.#options.giveUp(oldest.message)
    }
    return true
  }
}
