/** Flow control: a connection is not read while flows of requests that came in on it have too much parked. */
import type { Loss } from "../Loss.ts"
import type { Session } from "../Session.ts"
import type { HoldBudget } from "./HoldBudget.ts"

/** Who uses a connection that requests come in on. */
export interface ConnectionUse {
  /** Whether several sessions do. Then it is not held for long because the receiver of one of them is slow. */
  readonly severalSessions: boolean
  /** Whether several users do. None of them should have to wait long because of another. */
  readonly severalUsers: boolean
  /**
   * Whether other sessions wait because the connection is held. It counts as theirs too if several sessions use it now, or if some
   * may use it that could not be heard since `since` because it was not read.
   */
  othersWait(since: number): boolean
}

/** The reading of such a connection. */
export interface ReadControl {
  readonly sharing: ConnectionUse
  /** Whether senders wait for answers of its peer, which may be among what is not read. */
  readonly isAwaited: boolean
  /** Whether it is not read because its peer does not read the answers. */
  readonly readsNoAnswers: boolean
  /** Stops reading, which goes on when `release` has been called as often as `hold`. */
  hold(): void
  release(): void
  /** Stops reading for one user, until several sessions use the connection. Returns true if it was not held for that user yet. */
  holdFor(user: object): boolean
  releaseFor(user: object): void
  readonly flows: FlowOwner
}

/** The connection that the requests of a flow come in on, as the flow sees it. */
export interface FlowOwner {
  /** A flow has something parked, after it had nothing. */
  waits(flow: WaitingFlow): void
  /** A flow has nothing parked any more. */
  waitsNoMore(flow: WaitingFlow): void
  /** A flow has this many octets more parked; fewer if it is negative. */
  parked(flow: WaitingFlow, octets: number): void
  /** A flow is full: its sender has to wait. */
  full(flow: WaitingFlow): void
  /** A flow is not full any more. */
  relaxed(flow: WaitingFlow): void
}

/** The user of a flow. */
export interface WaitingUser {
  readonly holdBudget: HoldBudget
  /** Octets of all flows of the user that have something parked, with those of their routes. */
  waitingOctets: number
  /** The part of a limit on waiting octets that applies, given what waits in all. */
  share(limit: number): number
}

/** A flow with something parked. */
export interface WaitingFlow {
  /** Octets that are parked. */
  readonly octets: number
  /** Octets of the paths of its route. */
  readonly routeOctets: number
  /** Whether its requests come from another relay. */
  readonly fromRelay: boolean
  /** Whether its sender is held: it has more than it may have, or is failing, and half of its bound is not free again. */
  readonly full: boolean
  /** Milliseconds of the monotonic clock when it last became full. */
  readonly fullSince: number
  /** Whether it has failed before, and nothing shows that it would not fail again. */
  readonly failing: boolean
  /** Whether it waits only because its session was faster than it may be. */
  readonly isTooFast: boolean
  /** The first session of its route. */
  readonly session: Session
  /** What the relay holds for its user. */
  readonly user: WaitingUser
  /** Whether its receiver has given no sign of life for this long. */
  isSilent(millis: number): boolean
  /**
   * Drops what is parked, and returns the steps in which that is reported. What comes in later is refused until the receiver takes
   * or answers something.
   */
  fails(loss: Loss): Iterable<void>
}
