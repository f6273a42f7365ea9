/**
 * What one connection makes the relay hold in memory: its output, and what is kept of a frame that has begun to come in. It counts
 * for the whole relay, and for the user or the other relay that the connection belongs to, once that is known.
 */
import type { OutputLoad } from "../OutputLoads.ts"
import type { Totals } from "../Totals.ts"

export class ConnectionLoad {
  readonly #totals: Totals
  /** The user, or the relay, that it counts for. */
  #of: OutputLoad | undefined
  /** Octets of output that wait. */
  #waiting = 0
  /** Octets that are kept of an unfinished frame. */
  #kept = 0
  #closed = false

  constructor(totals: Totals) {
    this.#totals = totals
  }

  /** It counts for this user or relay, unless it counts for another one. */
  countsFor(load: () => OutputLoad): void {
    if (this.#of !== undefined || this.#closed) return
    this.#of = load()
    this.#of.begins(this.#waiting)
    this.#of.kept += this.#kept
  }

  /** So many octets of output more wait; fewer if it is negative. */
  waits(octets: number): void {
    this.#waiting += octets
    this.#totals.queuedOctets += octets
    if (this.#of !== undefined) this.#of.octets += octets
  }

  /** So many octets are kept of an unfinished frame. Returns whether they are not too many. */
  keeps(octets: number): boolean {
    const more = octets - this.#kept
    if (more === 0) return true
    this.#kept = octets
    if (this.#of === undefined) return true
    this.#of.kept += more
    return more <= 0 || this.#of.mayKeep(octets)
  }

  /** How much of a limit of one connection applies, as so much waits in all for whom it counts. */
  share(limit: number): number {
    return this.#of === undefined ? limit : this.#of.share(limit)
  }

  /** The connection is gone: nothing counts any more. */
  close(): void {
    this.#closed = true
    this.#totals.queuedOctets -= this.#waiting
    this.keeps(0)
    this.#of?.ends(this.#waiting)
    this.#of = undefined
    this.#waiting = 0
  }
}
