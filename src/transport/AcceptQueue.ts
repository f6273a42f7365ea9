/**
 * Accepted sockets that wait to be set up. Only a few are taken in each turn of the event loop, and a peer may open thousands
 * faster than that: the addresses take turns, and beyond the limits, the oldest socket of the address with the most is closed.
 */
import type * as Net from "node:net"
import { Crowd } from "../net/Crowd.ts"
import { networkOf } from "../net/Network.ts"

/** The most sockets of one address that wait at a listener. */
export const MAX_QUEUED = 4096

interface AcceptQueueOptions {
  /** The most sockets of all addresses that wait. */
  readonly most: () => number
  /** Runs a task in this turn of the event loop or a later one. */
  readonly inSlices: (task: () => void) => void
  /** Called for each socket, in the order of arrival among those of its address. */
  readonly accepted: (raw: Net.Socket) => void
  /** Called for each socket that is closed because there were too many. */
  readonly turnedAway: () => void
}

export class AcceptQueue {
  readonly #options: AcceptQueueOptions
  readonly #crowd = new Crowd<Net.Socket>(networkOf)

  constructor(options: AcceptQueueOptions) {
    this.#options = options
  }

  /** `source`: what the socket counts against (`sourceOf`). */
  add(raw: Net.Socket, source: string): void {
    const { inSlices, most, turnedAway } = this.#options
    const crowd = this.#crowd
    crowd.add(source, raw)
    if (crowd.most > MAX_QUEUED || crowd.size > most()) {
      const first = crowd.takeFirst()!
      turnedAway()
      first.destroy()
    }
    // The task does not refer to this socket, which could be closed long before the task runs.
    inSlices(this.#next)
  }

  readonly #next = (): void => {
    const raw = this.#crowd.takeNext()
    if (raw !== undefined) this.#options.accepted(raw)
  }
}
