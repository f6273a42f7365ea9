/**
 * How many connections the relay has, of whom, and which one goes when there are too many (RFC 4976 §6.1, §6.5).
 *
 * Nobody is turned away while something useless can go instead: first those who have proved nothing yet, the oldest of
 * the address that has most of them, then the least recently used one without a session.
 */
import { Crowd } from "../../net/Crowd.ts"
import type { Connection } from "../../transport/Connection.ts"
import type { Closing } from "../Closing.ts"
import type { HopSessions } from "../HopSessions.ts"
import type { Shared } from "../Shared.ts"

/** A hop as it is let in, or goes. */
export interface Admitted {
  readonly connection: Connection | undefined
  /** It came in, and has not yet brought a successful request. */
  readonly onProbation: boolean
  /** Milliseconds of the monotonic clock when octets last came in or went out. */
  readonly lastUsed: number
  readonly sessions: HopSessions
  /** Sends what is written, then closes. */
  finish(reason: Closing): void
}

export class Admission {
  readonly #shared: Shared
  /** All hops with a connection that is not being closed. */
  readonly #inside = new Set<Admitted>()
  /** Those that came in and have not yet brought a successful request. */
  readonly #onProbation = new Crowd<Admitted>((address) => this.#shared.networkOf(address))
  /** Connections that came in, by the address (for IPv6: the network) they came from. */
  readonly #from = new Map<string, number>()

  constructor(shared: Shared) {
    this.#shared = shared
  }

  /** A connection is there; it, or another one, may have to go. */
  entered(hop: Admitted): void {
    const { connections, connectionsInProbation, connectionsPerAddress } = this.#shared.limits
    this.#inside.add(hop)
    if (hop.onProbation) {
      const { host } = hop.connection!.remote
      const network = this.#shared.networkOf(host)
      const same = (this.#from.get(network) ?? 0) + 1
      this.#from.set(network, same)
      this.#onProbation.add(host, hop)
      if (same > connectionsPerAddress) return this.#close(hop)
      if (this.#onProbation.size > connectionsInProbation) this.#close(this.#onProbation.takeFirst()!)
    }
    if (this.#inside.size > connections) this.#close(this.#leastNeeded() ?? hop)
  }

  /** A request of it was successful, or it goes: it is not on probation any more. */
  proved(hop: Admitted): void {
    if (hop.connection !== undefined) this.#onProbation.delete(hop.connection.remote.host, hop)
  }

  left(hop: Admitted): void {
    this.#inside.delete(hop)
    this.proved(hop)
    if (hop.connection?.inbound !== true) return
    const network = this.#shared.networkOf(hop.connection.remote.host)
    const others = (this.#from.get(network) ?? 0) - 1
    if (others > 0) this.#from.set(network, others)
    else this.#from.delete(network)
  }

  /** Closes what was not used for so many milliseconds, in neither direction, and has no session (RFC 4976 §6.5). */
  closeIdle(millis: number): void {
    const { counters, turn } = this.#shared
    turn.tick()
    const { now } = turn
    for (const hop of this.#inside) {
      if (now - hop.lastUsed < millis || hop.sessions.anyValid(now)) continue
      this.#inside.delete(hop)
      counters.connectionsIdle++
      hop.finish("not used for a long time")
    }
  }

  #leastNeeded(): Admitted | undefined {
    let found = this.#onProbation.size > 1 ? this.#onProbation.takeFirst() : undefined
    if (found !== undefined) return found
    const { now } = this.#shared.turn
    for (const hop of this.#inside) {
      if (!hop.onProbation && (found === undefined || hop.lastUsed < found.lastUsed) && !hop.sessions.anyValid(now)) {
        found = hop
      }
    }
    return found
  }

  /** Without a line in the log for each: who opens thousands of connections would write thousands. */
  #close(hop: Admitted): void {
    this.#inside.delete(hop)
    this.proved(hop)
    this.#shared.counters.connectionsTurnedAway++
    hop.connection?.destroy()
  }
}
