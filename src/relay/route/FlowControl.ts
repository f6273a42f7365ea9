/** Between a flow and the connection that it comes from, which is not read where a flow has too much. */
import type { Loss } from "../Loss.ts"
import type { Session } from "../Session.ts"
import type { HoldBudget } from "./HoldBudget.ts"

/** The reading of the connection that a flow comes from. */
export interface ReadControl {
  /** Several sessions use it. */
  readonly shared: boolean
  /** So do several users, which is no reason to hold any of them for another one. */
  readonly severalUsers: boolean
  /** Sessions other than that of the last request may use it, which have not sent anything for a while, or never. */
  readonly hasOthers: boolean
  /** It is held since that time. Do others wait for it: several use it, or may do so, and were not heard for long. */
  othersWait(since: number): boolean
  /** Stops it; it goes on when it was released as often as it was held. */
  hold(): void
  release(): void
  /** The same for one user, until several sessions use it: they do not wait for him. True: it was not held for him before. */
  holdFor(user: object): boolean
  releaseFor(user: object): void
  readonly flows: FlowOwner
}

/** What flows hold of what came in there. */
export interface FlowOwner {
  /** A flow has something parked, or nothing any more. */
  waits(flow: Waiting): void
  waitsNoMore(flow: Waiting): void
  /** So many octets more (or less) are parked. */
  parked(octets: number): void
  /** A flow has as much as it may have, or no longer. */
  full(flow: Waiting): void
  relaxed(flow: Waiting): void
}

/** A flow with something parked. */
export interface Waiting {
  /** Octets. */
  readonly octets: number
  /** Those of its route. */
  readonly routeOctets: number
  /** It comes by way of another relay. */
  readonly fromRelay: boolean
  /** It has as much as it may have; and milliseconds of the monotonic clock since when, or since it had last. */
  readonly full: boolean
  readonly fullSince: number
  /** It has failed before, and nothing tells that it would not fail again. */
  readonly failing: boolean
  /** What waits does so since its session is faster than it may be. */
  readonly isTooFast: boolean
  /** The session of those who send. */
  readonly session: Session
  /** How long others were held for its user. */
  readonly holdBudget: HoldBudget
  /** Its receiver has given no sign for so long. */
  isSilent(millis: number): boolean
  /** What is parked fails, and what comes is refused until the receiver moves. */
  fails(loss: Loss): Iterable<void>
}
