/** The sessions that are valid, for whoever wants to see them or hear of their end. */
import type { RelayCounters } from "./Counters.ts"
import type { Observer } from "./Observer.ts"
import type { Session, SessionEnd } from "./Session.ts"
import type { Shared } from "./Shared.ts"

export class SessionBook {
  readonly #sessions = new Set<Session>()
  readonly #observer: Observer
  readonly #counters: RelayCounters
  /** Of whose ends is told later. */
  #untold: Array<readonly [Session, SessionEnd]> | undefined

  constructor({ counters, observer }: Shared) {
    this.#observer = observer
    this.#counters = counters
  }

  /** The oldest first. */
  [Symbol.iterator](): Iterator<Session> {
    return this.#sessions.values()
  }

  granted(session: Session): void {
    if (!session.ended) this.#sessions.add(session)
  }

  /** It is over; nothing if that was told before. */
  ended(session: Session, reason: SessionEnd): void {
    if (!this.#sessions.delete(session)) return
    this.#counters.sessionsEnded[reason]++
    if (this.#untold === undefined) this.#observer.ended(session, reason)
    else this.#untold.push([session, reason])
  }

  /**
   * Does what ends sessions, and gives what tells of their ends: requests fail with them, and count in what is told of them.
   */
  endsThen(endsThem: () => void): () => void {
    const untold: Array<readonly [Session, SessionEnd]> = []
    this.#untold = untold
    endsThem()
    this.#untold = undefined
    return () => {
      for (const [session, reason] of untold) this.#observer.ended(session, reason)
    }
  }
}
