/**
 * Sockets that came in and wait for their turn. There are few in each turn, since somebody may open thousands at once, and he
 * may do so faster than they are dealt with: then one goes of the address that has most of those that wait. A crowd of many
 * addresses may be as large as all connections together.
 */
import type * as Net from "node:net"
import { Crowd } from "../net/Crowd.ts"
import { networkOf } from "../net/Network.ts"

/** Those of one address that wait at a listener. */
export const MAX_ARRIVALS = 4096

export interface ArrivalsOptions {
  /** Those of all addresses. */
  readonly most: () => number
  /** Runs a task in this turn of the event loop or a later one. */
  readonly inSlices: (task: () => void) => void
  /** Its turn has come. */
  readonly accepted: (raw: Net.Socket) => void
  readonly turnedAway: () => void
}

export class Arrivals {
  readonly #options: ArrivalsOptions
  /** Each with the place that it counts at, the oldest first. */
  readonly #waiting = new Map<Net.Socket, string>()
  readonly #crowd = new Crowd<Net.Socket>(networkOf)

  constructor(options: ArrivalsOptions) {
    this.#options = options
  }

  add(raw: Net.Socket, place: string): void {
    const { inSlices, most, turnedAway } = this.#options
    const crowd = this.#crowd
    this.#waiting.set(raw, place)
    crowd.add(place, raw)
    if (crowd.most > MAX_ARRIVALS || crowd.size > most()) {
      const first = crowd.takeFirst()!
      this.#waiting.delete(first)
      turnedAway()
      first.destroy()
    }
    // Not for this one: a task would hold it when it has gone for another.
    inSlices(this.#next)
  }

  readonly #next = (): void => {
    const { done, value } = this.#waiting.entries().next()
    if (done === true) return
    const [raw, place] = value
    this.#waiting.delete(raw)
    this.#crowd.delete(place, raw)
    this.#options.accepted(raw)
  }
}
