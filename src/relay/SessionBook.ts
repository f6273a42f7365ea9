/** The valid sessions in the order of their grants, and the reports of their ends to the observer. */
import type { RelayCounters } from "./Counters.ts"
import type { Observer } from "./Observer.ts"
import type { Session, SessionEnd } from "./Session.ts"
import type { Shared } from "./Shared.ts"

export class SessionBook {
  readonly #sessions = new Set<Session>()
  readonly #observer: Observer
  readonly #counters: RelayCounters
  /** Sessions whose ends are reported later, while `endsThen` runs. */
  #unreported: Array<readonly [Session, SessionEnd]> | undefined

  constructor({ counters, observer }: Shared) {
    this.#observer = observer
    this.#counters = counters
  }

  /** Iterates over the sessions, the oldest first. */
  [Symbol.iterator](): Iterator<Session> {
    return this.#sessions.values()
  }

  granted(session: Session): void {
    if (!session.ended) this.#sessions.add(session)
  }

  /** The session has ended; does nothing if that was reported before. */
  ended(session: Session, reason: SessionEnd): void {
    if (!this.#sessions.delete(session)) return
    this.#counters.sessionsEnded[reason]++
    if (this.#unreported === undefined) this.#observer.ended(session, reason)
    else this.#unreported.push([session, reason])
  }

  /**
   * Calls `endsThem`, which ends sessions, and returns a function that reports their ends: requests that fail with a session count
   * in its report.
   */
  endsThen(endsThem: () => void): () => void {
    const unreported: Array<readonly [Session, SessionEnd]> = []
    this.#unreported = unreported
    endsThem()
    this.#unreported = undefined
    return () => {
      for (const [session, reason] of unreported) this.#observer.ended(session, reason)
    }
  }
}
