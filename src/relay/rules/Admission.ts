/**
 * How many connections the relay has, of whom, and which one goes when there are too many (RFC 4976 §6.1, §6.5).
 *
 * Nobody is turned away while something useless can go instead: first what was dialled and is of no use any more, then
 * those who have proved nothing yet, the oldest of the address that has most of them, then the least recently used one
 * without a session. Whom clients have the relay dial never takes the place of somebody who came himself.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import { Crowd } from "../../net/Crowd.ts"
import type { Connection } from "../../transport/Connection.ts"
import type { Closing } from "../Closing.ts"
import type { Shared } from "../Shared.ts"

/** A hop as it is let in, or goes. */
export interface Admitted {
  readonly connection: Connection | undefined
  /** It came in, and has not yet brought a successful request. */
  readonly onProbation: boolean
  /** Milliseconds of the monotonic clock when octets last came in or went out. */
  readonly lastUsed: number
  /** It is one with another relay whose certificate has expired. */
  readonly lapsed: boolean
  /** Milliseconds of the monotonic clock when it was first found in no use; the admission's own. */
  unusedSince: number | undefined
  /** Has it a session that is valid, or a route that leads from it or to it. */
  inUse(now: number): boolean
  /** Sends what is written, then closes. */
  finish(reason: Closing): void
  /** Closes at once. */
  fail(reason: Closing): void
}

/** Connections that are looked at for one that can go. */
const LOOKS = 16

export class Admission {
  readonly #shared: Shared
  /** All hops with a connection that is not being closed. */
  readonly #inside = new Set<Admitted>()
  /** Those of them that came in and are not on probation, with the time of their last use when it was last looked. */
  readonly #byUse = new LinkedMap<Admitted, number>()
  /** The same of those that were dialled. */
  readonly #dialled = new LinkedMap<Admitted, number>()
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
    } else this.#dialled.set(hop, hop.lastUsed)
    if (this.#inside.size <= connections) return
    this.#close((hop.onProbation ? this.#leastNeeded() : this.#unused(this.#dialled, hop)) ?? hop)
  }

  /** A request of it was successful, or it goes: it is not on probation any more. */
  proved(hop: Admitted): void {
    this.#onProbation.delete(hop.connection!.remote.host, hop)
    if (this.#inside.has(hop)) this.#byUse.set(hop, hop.lastUsed)
  }

  left(hop: Admitted): void {
    if (hop.connection === undefined) return
    this.#leaves(hop)
    if (!hop.connection.inbound) return
    const network = this.#shared.networkOf(hop.connection.remote.host)
    const others = (this.#from.get(network) ?? 0) - 1
    if (others > 0) this.#from.set(network, others)
    else this.#from.delete(network)
  }

  /**
   * Closes what was not used for so many milliseconds, in neither direction, and has no session (RFC 4976 §6.5), what was
   * dialled for sessions that have ended, and the connections with relays whose certificates have expired: a new one shows
   * whether they have others.
   */
  closeIdle(millis: number): void {
    const { counters, turn } = this.#shared
    turn.tick()
    turn.slices(this.#inside, (hop) => {
      if (!this.#inside.has(hop)) return
      const reason = hop.lapsed ? "certificate has expired" : this.#idleness(hop, millis)
      if (reason === undefined) return
      this.#leaves(hop)
      if (!hop.lapsed) counters.connectionsIdle++
      hop.finish(reason)
    })
  }

  #idleness(hop: Admitted, millis: number): Closing | undefined {
    const { limits: { transaction, unused }, phase, turn: { now } } = this.#shared
    if (hop.inUse(now)) {
      hop.unusedSince = undefined
      return undefined
    }
    if (now - hop.lastUsed >= millis) return "not used for a long time"
    // Who has just come may be about to take part in a session, and an answer may be on its way: for both there is this time.
    if (phase === "draining" && now - hop.lastUsed >= transaction.millis) return "the relay drains"
    // Whatever its peer sends: nobody here has anything to do with it.
    const since = hop.unusedSince ??= now
    return !hop.connection!.inbound && now - since >= unused * 1000 ? "no session uses it" : undefined
  }

  #leaves(hop: Admitted): void {
    this.#inside.delete(hop)
    this.#byUse.delete(hop)
    this.#dialled.delete(hop)
    this.#onProbation.delete(hop.connection!.remote.host, hop)
  }

  /** Who goes for somebody who came in. */
  #leastNeeded(): Admitted | undefined {
    const dialled = this.#unused(this.#dialled)
    if (dialled !== undefined) return dialled
    return this.#onProbation.size > 1 ? this.#onProbation.takeFirst() : this.#unused(this.#byUse)
  }

  /**
   * The one not used for longest, of those that are of no use now; not `but`. The time of a look does not grow with the
   * number of connections: who was used since has his place at the end.
   */
  #unused(byUse: LinkedMap<Admitted, number>, but?: Admitted): Admitted | undefined {
    const { now } = this.#shared.turn
    for (let looks = 0; looks < LOOKS; looks++) {
      const { first } = byUse
      if (first === undefined) return undefined
      const { key: hop, value: used } = first
      if (hop !== but && hop.lastUsed === used && !hop.inUse(now)) return hop
      byUse.set(hop, hop.lastUsed)
    }
    return undefined
  }

  /** Without a line in the log for each: who opens thousands of connections would write thousands. */
  #close(hop: Admitted): void {
    this.#leaves(hop)
    this.#shared.counters.connectionsTurnedAway++
    hop.fail("too many connections")
  }
}
