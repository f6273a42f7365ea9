/**
 * What the relay holds for one user on all connections: unanswered and waiting requests, blocked messages, retry buffers and routes.
 * Whatever is bounded for each connection or session is bounded for each user too, because a user may have many of them.
 */
import { type Limits, shareOf } from "../Limits.ts"
import { type Session, userOf } from "../Session.ts"
import { BlockedOfUser } from "./Blocked.ts"
import { BoundedOctets } from "./BoundedOctets.ts"
import { HoldBudget } from "./HoldBudget.ts"
import type { Unanswered } from "./Unanswered.ts"

/** Octets that may wait for the receivers of one user before the limits of each connection and session of the user become lower. */
export const MAX_WAITING_OF_USER = 8_388_608

/** The load of one user in one direction, sent or received. Its octets are those of requests without an answer. */
export class UserLoad extends BoundedOctets {
  readonly #limits: Limits
  /** Connections that are not read because of this load. */
  readonly #heldConnections = new Set<Unanswered>()
  /** Messages of which the receivers want no more. */
  readonly blocked = new BlockedOfUser()
  /** Sessions that have a retry buffer on a connection to another relay. */
  retryBuffers = 0
  /** How long connections may be held for this user. */
  readonly holdBudget = new HoldBudget()
  /** Octets of the routes that are remembered, whether or not they have requests without an answer. */
  routeOctets = 0
  /** Octets that wait for slow receivers, with those of their routes. */
  waitingOctets = 0

  constructor(limits: Limits) {
    super()
    this.#limits = limits
  }

  protected get most(): number {
    return this.#limits.unansweredOfUser
  }

  /** `by`: the connection to hold if this is too much. */
  add(octets: number, by: Unanswered | undefined): void {
    if (!this.takes(octets)) return
    if (!this.full) this.state = "holding"
    if (by === undefined || this.state === "exceeding") return
    if (this.#heldConnections.size === 0) this.wait(this.#limits.hold)
    this.#heldConnections.add(by)
    by.holdFor(this)
  }

  /** Whether further requests are refused, because the connections that they come in on were held in vain. */
  get refuses(): boolean {
    return this.atTwice
  }

  protected impatient(): void {
    const isAwaited = [...this.#heldConnections].some(({ source }) => source?.reading.isAwaited === true)
    if (!isAwaited || !this.inVain) return this.wait(this.#limits.hold)
    this.state = "exceeding"
    this.#release()
  }

  /** How much of a limit on waiting octets of one connection or session applies. */
  share(limit: number): number {
    return shareOf(limit, this.waitingOctets, MAX_WAITING_OF_USER)
  }

  protected relaxed(): void {
    this.waitNoMore()
    this.#release()
  }

  #release(): void {
    for (const one of this.#heldConnections) one.releaseFor(this)
    this.#heldConnections.clear()
  }
}

/** The loads of all users. Each lives as long as a route refers to it. */
export class UserLoads {
  readonly #limits: Limits
  readonly #users = new Map<string, WeakRef<UserLoad>>()
  readonly #gone = new FinalizationRegistry<string>((user) => {
    if (this.#users.get(user)?.deref() === undefined) this.#users.delete(user)
  })

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Requests to a user do not count against those from the same user, or strangers could make that user wait. */
  of(session: Session, fromOwner: boolean): UserLoad {
    const user = `${fromOwner ? "from" : "to"} ${userOf(session)}`
    const known = this.#users.get(user)?.deref()
    if (known !== undefined) return known
    const one = new UserLoad(this.#limits)
    this.#users.set(user, new WeakRef(one))
    this.#gone.register(one, user)
    return one
  }
}
