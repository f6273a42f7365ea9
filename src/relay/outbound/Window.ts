/**
 * How many octets may be on their way to one receiver without an answer. Its answers show whether the receiver keeps up. What
 * the operating system takes does not show it: its buffers can hold minutes of traffic for a slow receiver, and the 30 seconds of
 * a transaction would be over before its octets get through them (RFC 4976 §6.4.1).
 *
 * The number of requests is bounded as well, whatever their answers. To some requests silence is the answer (Failure-Report
 * partial): they wait for a refusal only, and the oldest of them that was sent makes room for another one.
 *
 * The receivers on one connection, as the sessions behind another relay, have a window each, so that one which does not answer
 * does not hold up the others. Where the connection itself is slow, less may be on its way to each of them (`Windows`).
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import type { Loss } from "../Loss.ts"
import type { Sender } from "./FairQueue.ts"

/** Octets that may be on their way in any case. */
export const LEAST_UNANSWERED = 131_072
/** Octets that may be on their way to each of several receivers on a slow connection. */
export const LEAST_OF_SEVERAL = 8192
/** Milliseconds in which `LEAST_UNANSWERED` octets are answered at 8 KB a second. */
export const ANSWERED_WITHIN = 16_000
/** The most octets on their way to a client. */
export const MOST_UNANSWERED = 8_388_608
/** The most octets on their way to a session behind another relay, which holds what the receiver does not take at once. */
export const MOST_UNANSWERED_RELAYED = 1_048_576

/** Milliseconds: answers that come sooner let the window grow. */
const QUICK_ANSWER = 500
/** Milliseconds: a window that is smaller than `LEAST_UNANSWERED` grows by answers that come sooner. */
export const SOON_ANSWER = 1000
/** Milliseconds: answers that come later make the window shrink. */
export const SLOW_ANSWER = 2000

/** A request that is on its way, as the window sees it. */
export interface Sent {
  /** Its octets that count in the window. */
  octets: number
  /** Milliseconds of the monotonic clock when its first octet was written. */
  at: number
  /** Octets that were on their way to all receivers before its own. */
  ahead: number
  /** Its number among the requests sent in the window. */
  sequence: number
  readonly done: boolean
  /** No answer to it is expected any more. */
  finish(): void
}

/** The connection that a window belongs to, as the window sees it. */
export interface WindowOwner {
  /** Octets that may be on their way to each receiver in any case. */
  readonly least: number
  /** Octets on their way to all receivers. */
  readonly octets: number
  /** More octets are on their way to a receiver; fewer if negative. Returns whether all are too many for several receivers. */
  wrote(octets: number): boolean
  /** A receiver has answered a request. So many octets were on their way to it. */
  answered(one: Sent, octets: number, now: number): void
  /** A sender waits in the window, where none waited before. */
  waits(window: Window): void
  /** No sender waits in the window any more. */
  waitsNoMore(window: Window): void
  /** The sender may write when it is its turn in the `FairQueue`. */
  ready(sender: Sender): void
  /**
   * Whether the relay does not read the connection, because receivers of what comes in there are slow. Answers may be unread
   * then; if the window waited for them, two peers that send much to each other could stop each other forever.
   */
  readonly unread: boolean
}

export interface WindowLimits {
  /** Requests that may be without an answer. May change. */
  readonly transactions: number
}

export class Window {
  readonly #owner: WindowOwner
  readonly #most: number
  readonly #limits: WindowLimits
  /** Octets that are on their way. */
  octets = 0
  #requests = 0
  /** Requests that were sent and are answered only if they fail, oldest first. */
  #silent: LinkedMap<Sent, undefined> | undefined
  /** Octets that may be on their way. */
  bound = LEAST_UNANSWERED
  /**
   * Whether the allowed number of requests or octets is on its way. It stays full until half of the octets are answered, because
   * many small answers should not lead to many small pieces.
   */
  full = false
  #sequence = 0
  /** The request that was answered last, and when, in milliseconds of the monotonic clock. */
  #answeredSequence = 0
  #answeredAt = -Infinity
  /** Counts the answers, and the requests that were sent and are answered only if they fail. */
  answers = 0
  /** Counts how often half of it became free again. */
  opened = 0
  /** Senders that wait; made when one does. */
  #waiting: Set<Sender> | undefined

  constructor(owner: WindowOwner, relayed: boolean, limits: WindowLimits) {
    this.#owner = owner
    this.#limits = limits
    this.#most = relayed ? MOST_UNANSWERED_RELAYED : MOST_UNANSWERED
  }

  get room(): boolean {
    return !this.full || this.#owner.unread
  }

  /** Octets that may be written now. */
  get left(): number {
    if (!this.full) return this.bound - this.octets
    return this.#owner.unread ? LEAST_UNANSWERED : 0
  }

  begins(one: Sent, now: number): void {
    one.at = now
    one.ahead = this.#owner.octets - one.octets
    one.sequence = ++this.#sequence
    this.#requests++
    this.#forgetSilent()
    if (this.#requests >= this.#limits.transactions) this.full = true
  }

  /** A request was sent that is answered only if it fails. */
  silent(one: Sent): void {
    this.answers++
    const silent = this.#silent ??= new LinkedMap()
    silent.set(one, undefined)
    this.#forgetSilent()
  }

  #forgetSilent(): void {
    const silent = this.#silent
    while (this.#requests >= this.#limits.transactions && silent?.first !== undefined) silent.first.key.finish()
  }

  wrote(one: Sent, octets: number): void {
    const owner = this.#owner
    if (this.octets === 0 && owner.least < LEAST_UNANSWERED) this.bound = owner.least
    one.octets += octets
    this.octets += octets
    if (owner.wrote(octets) && owner.octets > this.octets) {
      this.bound = Math.max(LEAST_OF_SEVERAL, Math.min(this.bound, this.octets))
    }
    if (this.octets >= this.bound) this.full = true
  }

  /** A request that is on its way was answered. */
  answered(one: Sent, now: number): void {
    this.answers++
    this.#answeredAt = now
    this.#answeredSequence = one.sequence
    const delay = now - one.at
    this.#owner.answered(one, this.octets, now)
    const grows = delay < (this.bound < LEAST_UNANSWERED ? SOON_ANSWER : QUICK_ANSWER)
    if (delay > SLOW_ANSWER) this.bound = Math.max(this.#owner.least, this.bound - one.octets)
    else if (this.full && grows) this.bound = Math.min(this.#most, this.bound + one.octets)
  }

  /** No answer to a request is expected any more. */
  ends(one: Sent): void {
    this.octets -= one.octets
    this.#owner.wrote(-one.octets)
    this.#requests--
    this.#silent?.delete(one)
    if (!this.full || this.octets > this.bound >> 1 || this.#requests >= this.#limits.transactions) return
    this.full = false
    this.opened++
    this.open()
  }

  /** When the latest answer came, if it was to a request that was sent before this one; otherwise `-Infinity`. */
  progressBefore(one: Sent): number {
    return this.#answeredSequence < one.sequence ? this.#answeredAt : -Infinity
  }

  // ---- waiting senders

  wait(sender: Sender): void {
    const waiting = this.#waiting ??= new Set()
    if (waiting.size === 0) this.#owner.waits(this)
    waiting.add(sender)
  }

  /** Lets the waiting senders write on. */
  open(): void {
    for (const sender of this.#takeAll()) this.#owner.ready(sender)
  }

  /** The receiver takes nothing any more, or is gone: what waits for it fails, one item in each step. */
  *fails(loss: Loss): Iterable<void> {
    for (const sender of this.#takeAll()) yield* sender.fails(loss)
  }

  #takeAll(): ReadonlyArray<Sender> {
    if (this.#waiting === undefined || this.#waiting.size === 0) return []
    const all = [...this.#waiting]
    this.#waiting.clear()
    this.#owner.waitsNoMore(this)
    return all
  }

  /** Removes a sender that fails for another reason or need not wait any more. Returns whether it waited. */
  leaves(sender: Sender): boolean {
    const waited = this.#waiting?.delete(sender) === true
    if (waited && this.#waiting?.size === 0) this.#owner.waitsNoMore(this)
    return waited
  }
}
