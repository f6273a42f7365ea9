/** Events of the relay that wait for the next snapshot, in which all open status pages get them. */
import type { RelayEvent } from "../../relay/edge/RelayEvent.ts"

/** Events that are sent with one snapshot; any more are only counted. */
export const MAX_EVENTS = 100

export class EventQueue {
  #events: Array<RelayEvent> = []
  #omitted = 0

  /** Number of events that were left out. */
  get omitted(): number {
    return this.#omitted
  }

  add(event: RelayEvent): void {
    if (this.#events.length < MAX_EVENTS) this.#events.push(event)
    else this.#omitted++
  }

  /** Empties the queue and returns its events, the latest last. */
  take(): ReadonlyArray<RelayEvent> {
    const events = this.#events
    this.#events = []
    this.#omitted = 0
    return events
  }
}
