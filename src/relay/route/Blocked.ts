/** Messages of which nothing more is passed on (RFC 4975 §10.5), until they end or for the `blocked` limit. */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import type { Limits } from "../Limits.ts"
import { stopTimer, Timed } from "../Timers.ts"

/** Blocked messages that are remembered of one way, and of one user on all ways. Beyond that the oldest is forgotten. */
export const MAX_OF_WAY = 64
export const MAX_OF_USER = 4096

class Blocked extends Timed {
  readonly #of: BlockedOfWay
  readonly messageId: string
  readonly why: string
  constructor(of: BlockedOfWay, messageId: string, why: string) {
    super()
    this.#of = of
    this.messageId = messageId
    this.why = why
  }
  override expired(): void {
    this.#of.delete(this.messageId)
  }
}

/** The blocked messages of one user. They have a bound of their own, because each connection may have a thousand ways. */
export class BlockedOfUser {
  readonly #messages = new LinkedMap<Blocked, undefined>()

  add(one: Blocked): void {
    if (this.#messages.size >= MAX_OF_USER) this.#messages.first!.key.expired()
    this.#messages.set(one, undefined)
  }

  delete(one: Blocked): void {
    this.#messages.delete(one)
  }
}

/** The blocked messages of one way, by Message-ID. */
export class BlockedOfWay {
  readonly #ofUser: BlockedOfUser
  readonly #limits: Pick<Limits, "blocked">
  readonly #messages = new Map<string, Blocked>()

  constructor(ofUser: BlockedOfUser, limits: Pick<Limits, "blocked">) {
    this.#ofUser = ofUser
    this.#limits = limits
  }

  /** `why`: in the words of the log. */
  add(messageId: string, why: string): void {
    const messages = this.#messages
    const known = messages.get(messageId)
    if (known !== undefined) return this.#limits.blocked.start(known)
    if (messages.size >= MAX_OF_WAY) this.delete(messages.keys().next().value!)
    const one = new Blocked(this, messageId, why)
    messages.set(messageId, one)
    this.#ofUser.add(one)
    this.#limits.blocked.start(one)
  }

  why(messageId: string): string | undefined {
    return this.#messages.get(messageId)?.why
  }

  delete(messageId: string): void {
    const one = this.#messages.get(messageId)
    if (one === undefined) return
    stopTimer(one)
    this.#messages.delete(messageId)
    this.#ofUser.delete(one)
  }

  clear(): void {
    for (const messageId of this.#messages.keys()) this.delete(messageId)
  }
}
