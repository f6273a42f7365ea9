/**
 * The incomplete messages of a connection. Their number and memory are bounded, and an idle message makes room for others, so that
 * a sender that completes none cannot block the others for good.
 */
import type { Buffer } from "../platform/Node.ts"
import type { Frame } from "./Frame.ts"
import type { Arriving } from "./Incoming.ts"
import type { Reassembly } from "./Reassembly.ts"

/** Messages that may be incomplete at a time. */
const MAX_UNFINISHED = 1024
/** Milliseconds after which an idle message makes room for others: senders wait no longer for a response (RFC 4975 §7.2). */
const IDLE = 30_000

export interface Unfinished {
  readonly key: string
  readonly first: Frame
  readonly octets: Reassembly
  /** The SHA-256 in lower-case hex, with `collect: "digest"`. */
  readonly digest: () => string | undefined
  /** What the program has of it, with `collect: "stream"`. */
  readonly arriving: Arriving | undefined
}

export interface UnfinishedOptions {
  /** Octets of memory that all messages together may hold. */
  readonly limit: number
  /** Time in milliseconds of the monotonic clock. */
  readonly now: () => number
  /** Called with an idle message that is dropped to make room. */
  readonly giveUp: (message: Unfinished) => void
}

interface Entry {
  readonly message: Unfinished
  /** When its last chunk began. */
  readonly since: number
}

export class UnfinishedMessages {
  readonly #options: UnfinishedOptions
  /** The message that is idle for the longest time is the first. */
  readonly #entries = new Map<string, Entry>()
  #held = 0

  constructor(options: UnfinishedOptions) {
    this.#options = options
  }

  /** Whether one more message may begin. */
  hasRoom(): boolean {
    return this.#roomFor(() => this.#entries.size < MAX_UNFINISHED)
  }

  /** The known message that a new chunk belongs to. */
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

  /** Adds octets of a message. False, and nothing is added, if that exceeds a limit. */
  write(message: Unfinished, start: number, octets: Buffer): boolean {
    const enough = (): boolean => this.#held + octets.length <= this.#options.limit
    // This message is not idle, however long ago its chunk began.
    if (!enough()) this.add(message)
    if (!this.#roomFor(enough)) return false
    return this.#counted(message, () => message.octets.write(start, octets))
  }

  /** The message has `total` octets. */
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
