/**
 * The windows of one connection, one for each session whose receiver it leads to.
 *
 * Each may have some octets on their way in any case. If the connection is slower than that, as a link between relays over a busy
 * network, what is on its way to many receivers would wait there before everything else, so a user with many sessions would delay
 * all others. So that minimum shrinks while answers come late and nobody's come soon, and grows again when they do. Receivers that
 * are slow on a connection that is not change nothing for others. Nor is more than twice as much on its way to all of them as was
 * on its way up to the end of a request that was answered soon, but for a little to each.
 */
import type { Loss } from "../Loss.ts"
import type { Session } from "../Session.ts"
import type { FairQueue, Sender } from "./FairQueue.ts"
import {
  LEAST_OF_SEVERAL,
  LEAST_UNANSWERED,
  type Sent,
  SLOW_ANSWER,
  SOON_ANSWER,
  Window,
  type WindowLimits,
  type WindowOwner
} from "./Window.ts"

/** The connection that the windows belong to. */
export interface WindowsOwner {
  readonly shared: { readonly limits: WindowLimits }
  readonly unread: boolean
  readonly waiting: FairQueue
  /** Whether nothing more goes out. */
  readonly lost: boolean
  ready(sender: Sender): void
}

export class Windows implements WindowOwner {
  readonly #owner: WindowsOwner
  /** Made with the first window: most connections that wait for messages have none. */
  #all: WeakMap<Session, Window> | undefined
  /** Windows in which a sender waits; made when one does. */
  #awaited: Set<Window> | undefined
  /** Octets on their way to all receivers. */
  octets = 0
  /** The most octets, up to the end of a request that was answered soon, since the connection was slow. */
  #proven = LEAST_UNANSWERED
  least = LEAST_UNANSWERED
  /** When an answer last came soon, in milliseconds of the monotonic clock. */
  #soonAt = -Infinity
  /** Octets that wait in flows for receivers on this connection, from all connections that they came in on. */
  parkedOctets = 0
  /** The steps of the last failure that has begun. */
  #failing: Iterable<void> = []

  constructor(owner: WindowsOwner) {
    this.#owner = owner
  }

  /** The window of the receiver of a session. `relayed`: whether it is behind another relay. */
  of(session: Session, relayed: boolean): Window {
    const all = this.#all ??= new WeakMap()
    const known = all.get(session)
    if (known !== undefined) return known
    const window = new Window(this, relayed, this.#owner.shared.limits)
    all.set(session, window)
    return window
  }

  get unread(): boolean {
    return this.#owner.unread
  }

  ready(sender: Sender): void {
    this.#owner.ready(sender)
  }

  wrote(octets: number): boolean {
    this.octets += octets
    return this.octets > 2 * this.#proven
  }

  answered(one: Sent, octets: number, now: number): void {
    const delay = now - one.at
    if (delay < SOON_ANSWER) {
      this.#soonAt = now
      this.#proven = Math.max(this.#proven, one.ahead + one.octets)
      if (this.least < LEAST_UNANSWERED) this.least <<= 1
      return
    }
    // Where it is the only receiver, its window alone says how much it takes.
    if (delay <= SLOW_ANSWER || now - this.#soonAt <= SLOW_ANSWER || this.octets <= octets) return
    this.least = Math.max(LEAST_OF_SEVERAL, this.least >> 1)
    this.#proven = LEAST_UNANSWERED
  }

  waits(window: Window): void {
    ;(this.#awaited ??= new Set()).add(window)
  }

  waitsNoMore(window: Window): void {
    this.#awaited?.delete(window)
  }

  /** Lets the senders that wait in all windows write on, because answers are not read for a while. */
  open(): void {
    for (const window of this.#awaited ?? []) window.open()
  }

  /** Fails what waits for a turn and then what waits in windows, one item in each step, after failures that began earlier. */
  fails(loss: Loss): Iterable<void> {
    return this.#failing = this.#failsBehind([this.#failing], loss)
  }

  /** `before`: holds the earlier steps, which are taken out so that they do not stay in memory. */
  *#failsBehind(before: Array<Iterable<void>>, loss: Loss): Iterable<void> {
    yield* before.pop()!
    const owner = this.#owner
    do {
      for (const sender of owner.waiting.takeAll()) yield* sender.fails(loss)
      // A flow that keeps something when it fails waits in its window again, so each window is taken only once.
      const awaited = [...this.#awaited ?? []]
      for (const window of awaited) yield* window.fails(loss)
      // Between steps, a flow that was slowed down may have begun to wait for a turn, which never comes on a lost connection.
    } while (owner.lost && !owner.waiting.empty)
  }
}
