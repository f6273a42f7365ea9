/**
 * What one user makes the relay hold, on all connections: requests without an answer, messages that were stopped, sessions that are
 * tried, and routes. What has a bound for each connection or session has one for each user, too: he may have many of them.
 */
import type { Limits } from "../Limits.ts"
import { type Session, userOf } from "../Session.ts"
import { BlockedOfUser } from "./Blocked.ts"
import { BoundedOctets } from "./BoundedOctets.ts"
import { HoldBudget } from "./HoldBudget.ts"
import type { Unanswered } from "./Unanswered.ts"

/** That of one user, for what he sends or for what others send to him. Its octets are those of requests without an answer. */
export class UserLoad extends BoundedOctets {
  readonly #limits: Limits
  readonly #heldConnections = new Set<Unanswered>()
  /** His messages whose receivers want no more of them. */
  readonly blocked = new BlockedOfUser()
  /** His sessions that are tried on connections to other relays. */
  retryBuffers = 0
  /** How long others were held for him. */
  readonly holdBudget = new HoldBudget()
  /** Octets of the routes that are remembered, whether anything is without an answer there or not. */
  routeOctets = 0

  constructor(limits: Limits) {
    super()
    this.#limits = limits
  }

  protected get most(): number {
    return this.#limits.unansweredOfUser
  }

  /** `by`: the connection to hold when it is too much. */
  add(octets: number, by: Unanswered | undefined): void {
    if (!this.takes(octets)) return
    this.full = true
    if (by === undefined) return
    this.#heldConnections.add(by)
    by.holdFor(this)
  }

  protected relaxed(): void {
    for (const one of this.#heldConnections) one.releaseFor(this)
    this.#heldConnections.clear()
  }
}

/** Those of all users. One lives as long as a route has it. */
export class UserLoads {
  readonly #limits: Limits
  readonly #users = new Map<string, WeakRef<UserLoad>>()
  readonly #gone = new FinalizationRegistry<string>((user) => {
    if (this.#users.get(user)?.deref() === undefined) this.#users.delete(user)
  })

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** What strangers send to him does not count against what he sends himself, or they could have him wait. */
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
