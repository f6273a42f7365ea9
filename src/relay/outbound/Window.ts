/**
 * How many octets may be on their way to one receiver without an answer. What it answers tells whether it keeps up; what the
 * operating system takes does not, since its memory can hold minutes of a slow one, in front of which the 30 seconds of a
 * transaction would be over before it is sent (RFC 4976 §6.4.1).
 *
 * So have requests a bound, whatever their answers. Silence is the answer to some (Failure-Report partial): these wait for a
 * refusal only, and the oldest that was sent makes room for another one.
 *
 * The receivers on one connection, which are the sessions behind another relay, have a window each: one that does not
 * answer keeps nothing from the others.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import type { Loss } from "../Loss.ts"
import type { Sender } from "./Turns.ts"

/** Octets that may always be on their way. */
export const LEAST_UNANSWERED = 131_072
/** Milliseconds in which these are answered at 8 KB a second. */
export const ANSWERED_WITHIN = 16_000
/** The most, to a client. */
export const MOST_UNANSWERED = 8_388_608
/** The most to one session by way of another relay, which holds for it what its receiver does not take at once. */
export const MOST_UNANSWERED_RELAYED = 1_048_576

/** Milliseconds: answers that come sooner let the window grow, and later ones make it shrink, down to what is answered in between. */
const QUICK = 500
const SLOW = 2000

/** What is on its way, as the window sees it. */
export interface Sent {
  /** Octets. */
  octets: number
  /** Milliseconds of the monotonic clock when the first of them was written. */
  at: number
  /** Counts what is sent in a window. */
  sequence: number
  readonly done: boolean
  /** Its answer is waited for no more. */
  finish(): void
}

/** The connection whose window it is. */
export interface WindowOwner {
  /** Somebody waits in the window, or nobody any more. */
  waits(window: Window): void
  waitsNoMore(window: Window): void
  /** Somebody may write when it is his turn. */
  turn(sender: Sender): void
  /**
   * The relay itself does not read there, since those who are written to from there are slow: answers may be waiting, and
   * if these were waited for, two who write much to each other could stop each other for good.
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
  /** On their way. */
  octets = 0
  #requests = 0
  /** Those that were sent, and that nobody answers unless they fail; in the order in which they were. */
  #silent: LinkedMap<Sent, undefined> | undefined
  bound = LEAST_UNANSWERED
  /**
   * As much as may be is on its way: so many requests; or so many octets, and until half of them are answered, since many small
   * answers shall not make many small pieces.
   */
  full = false
  #sequence = 0
  /** The latest answer: to what, and when. */
  #answeredSequence = 0
  #answeredAt = -Infinity
  /** Counts the answers; where silence is the answer, what was sent. */
  answers = 0
  /** Counts the times that half of it was free again. */
  opened = 0
  readonly #waiting = new Set<Sender>()

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
    one.sequence = ++this.#sequence
    this.#requests++
    this.#forgetSilent()
    if (this.#requests >= this.#limits.transactions) this.full = true
  }

  /** It was sent, and there is no answer unless it fails. */
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
    one.octets += octets
    this.octets += octets
    if (this.octets >= this.bound) this.full = true
  }

  /** What is on its way was answered. */
  answered(one: Sent, now: number): void {
    this.answers++
    this.#answeredAt = now
    this.#answeredSequence = one.sequence
    const delay = now - one.at
    if (delay > SLOW) this.bound = Math.max(LEAST_UNANSWERED, this.bound - one.octets)
    else if (this.full && delay < QUICK) this.bound = Math.min(this.#most, this.bound + one.octets)
  }

  /** Nobody waits any more for an answer to it. */
  ends(one: Sent): void {
    this.octets -= one.octets
    one.octets = 0
    this.#requests--
    this.#silent?.delete(one)
    if (!this.full || this.octets > this.bound >> 1 || this.#requests >= this.#limits.transactions) return
    this.full = false
    this.opened++
    if (this.#waiting.size > 0) this.open()
  }

  /** When something was last answered that was sent before this, whose turn is still to come. */
  progressBefore(one: Sent): number {
    return this.#answeredSequence < one.sequence ? this.#answeredAt : -Infinity
  }

  // ---- who waits

  wait(sender: Sender): void {
    if (this.#waiting.size === 0) this.#owner.waits(this)
    this.#waiting.add(sender)
  }

  /** Those who wait write on. */
  open(): void {
    for (const sender of this.#takeAll()) this.#owner.turn(sender)
  }

  /** The receiver takes nothing any more, or is gone: what waits for it fails. */
  *fails(loss: Loss): Iterable<void> {
    for (const sender of this.#takeAll()) yield* sender.fails(loss)
  }

  #takeAll(): ReadonlyArray<Sender> {
    const all = [...this.#waiting]
    this.#waiting.clear()
    if (all.length > 0) this.#owner.waitsNoMore(this)
    return all
  }

  /** It fails for another reason, or waits no more; whether it did. */
  leaves(sender: Sender): boolean {
    const waited = this.#waiting.delete(sender)
    if (waited && this.#waiting.size === 0) this.#owner.waitsNoMore(this)
    return waited
  }
}
