/**
 * How many connections there are from each address, and which one is closed when there are too many (RFC 4976 §6.1, §6.5).
 *
 * A new connection is not turned away while a useless one can be closed instead: first one that was dialled and is not in use
 * any more, then one on probation, the oldest of the address that has most of them, then the least recently used one without a
 * session. A dialled connection does not replace one that came in.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import { Tally } from "../../collections/Tally.ts"
import { Crowd } from "../../net/Crowd.ts"
import type { Connection } from "../../transport/Connection.ts"
import type { Closing } from "../Closing.ts"
import type { Shared } from "../Shared.ts"

/** A hop as the admission sees it. */
export interface Admitted {
  readonly connection: Connection | undefined
  /** `active`: whether it came in and has not yet brought a successful request. */
  readonly probation: { readonly active: boolean }
  /** Milliseconds of the monotonic clock when octets last came in or went out. */
  readonly lastUsed: number
  /** Whether it leads to another relay whose certificate has expired. */
  readonly lapsed: boolean
  /** Milliseconds of the monotonic clock when it was first found not in use; only the admission sets it. */
  unusedSince: number | undefined
  /** Whether it has a valid session, or a route that leads from it or to it. */
  inUse(now: number): boolean
  /** Sends what is written, then closes. */
  finish(reason: Closing): void
  /** Closes at once. */
  fail(reason: Closing): void
}

/** Connections that are checked to find one that can be closed. */
const MAX_CHECKS = 16

export class Admission {
  readonly #shared: Shared
  /** The hops with a connection that is not being closed. */
  readonly #inside = new Set<Admitted>()
  /** Hops that came in and are not on probation, with the time of their last use as of the last check. */
  readonly #byUse = new LinkedMap<Admitted, number>()
  /** Dialled hops, with the time of their last use as of the last check. */
  readonly #dialled = new LinkedMap<Admitted, number>()
  /** Hops that came in and have not yet brought a successful request. */
  readonly #onProbation = new Crowd<Admitted>((address) => this.#shared.networkOf(address))
  /** Numbers of connections that came in, by address (for IPv6 by network). */
  readonly #from = new Tally<string>()

  constructor(shared: Shared) {
    this.#shared = shared
  }

  /** The hop has a connection. It or another one is closed if there are too many. */
  entered(hop: Admitted): void {
    const { connections, connectionsInProbation, connectionsPerAddress } = this.#shared.limits
    this.#inside.add(hop)
    if (hop.probation.active) {
      const { host } = hop.connection!.remote
      const same = this.#from.more(this.#shared.networkOf(host))
      this.#onProbation.add(host, hop)
      if (same > connectionsPerAddress) return this.#close(hop)
      if (this.#onProbation.size > connectionsInProbation) this.#close(this.#onProbation.takeFirst()!)
    } else this.#dialled.set(hop, hop.lastUsed)
    if (this.#inside.size <= connections) return
    this.#close((hop.probation.active ? this.#leastNeeded() : this.#unused(this.#dialled, hop)) ?? hop)
  }

  /** It is not on probation any more, because a request was successful or it closes. */
  proved(hop: Admitted): void {
    this.#onProbation.delete(hop.connection!.remote.host, hop)
    if (this.#inside.has(hop)) this.#byUse.set(hop, hop.lastUsed)
  }

  left(hop: Admitted): void {
    if (hop.connection === undefined) return
    this.#leaves(hop)
    if (hop.connection.inbound) this.#from.less(this.#shared.networkOf(hop.connection.remote.host))
  }

  /**
   * Closes connections that have no session and were not used in either direction for `millis` (RFC 4976 §6.5), those that were
   * dialled for sessions that have ended, and those of relays whose certificates have expired, because a new connection shows
   * whether the relay has a new certificate.
   */
  closeIdle(millis: number): void {
    const { counters, tasks, turn } = this.#shared
    turn.tick()
    tasks.slices(this.#inside, (hop) => {
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
    // Time for a new peer to join a session, and for an answer that is on its way.
    if (phase === "draining" && now - hop.lastUsed >= transaction.millis) return "the relay drains"
    // Whatever its peer sends, no session here uses it.
    const since = hop.unusedSince ??= now
    return !hop.connection!.inbound && now - since >= unused * 1000 ? "no session uses it" : undefined
  }

  #leaves(hop: Admitted): void {
    this.#inside.delete(hop)
    this.#byUse.delete(hop)
    this.#dialled.delete(hop)
    this.#onProbation.delete(hop.connection!.remote.host, hop)
  }

  /** The hop to close for a new connection that came in. */
  #leastNeeded(): Admitted | undefined {
    const dialled = this.#unused(this.#dialled)
    if (dialled !== undefined) return dialled
    return this.#onProbation.size > 1 ? this.#onProbation.takeFirst() : this.#unused(this.#byUse)
  }

  /**
   * The least recently used hop that is not in use now, except `but`. The cost does not grow with the number of connections: a hop
   * that was used since the last check moves to the end.
   */
  #unused(byUse: LinkedMap<Admitted, number>, but?: Admitted): Admitted | undefined {
    const { now } = this.#shared.turn
    for (let checks = 0; checks < MAX_CHECKS; checks++) {
      const { first } = byUse
      if (first === undefined) return undefined
      const { key: hop, value: used } = first
      if (hop !== but && hop.lastUsed === used && !hop.inUse(now)) return hop
      byUse.set(hop, hop.lastUsed)
    }
    return undefined
  }

  /** Without a log line, because one peer may open thousands of connections. */
  #close(hop: Admitted): void {
    this.#leaves(hop)
    this.#shared.counters.connectionsTurnedAway++
    hop.fail("too many connections")
  }
}
