/**
 * What requests without an answer hold in memory until it comes, or its time is over: the paths that a REPORT goes along,
 * which may be as long as a header line, and something for each request. It is counted for the connection that they came
 * in on, and for the user whose session they go through. Beyond either bound the connection is not read until half of it
 * is free again.
 */
import type { Limits } from "../Limits.ts"
import type { HopFacts } from "../Observer.ts"
import { type Session, userOf } from "../Session.ts"
import type { Shared } from "../Shared.ts"
import type { Tap } from "./Flow.ts"

/** The hop that requests come in on. */
export interface Source extends HopFacts {
  readonly shared: Shared
  /** Its connection is gone. */
  readonly gone: boolean
  readonly reading: Tap
  readonly unanswered: Unanswered
  /** Writes a whole frame of the relay's own; nothing once it is gone. */
  control(frame: Buffer): void
  /** Writes a 200, see `writeOk`; nothing once it is gone. */
  ok(between: Buffer, buf: Buffer, tidStart: number, tidEnd: number): void
  /** An AUTH with wrong credentials came from there (RFC 4976 §6.3). */
  authFailed(): void
}

/** That of one connection. */
export class Unanswered {
  /** Whom answers and REPORTs go to. Nothing that waits for an answer keeps a connection in memory that is gone. */
  source: Source | undefined
  octets = 0
  readonly #limits: Limits
  #full = false

  constructor(source: Source) {
    this.source = source
    this.#limits = source.shared.limits
  }

  add(octets: number): void {
    this.octets += octets
    if (this.octets <= this.#limits.unanswered || this.#full) return
    this.#full = true
    this.hold()
  }

  remove(octets: number): void {
    this.octets -= octets
    if (!this.#full || this.octets > this.#limits.unanswered / 2) return
    this.#full = false
    this.release()
  }

  hold(): void {
    const { source } = this
    if (source === undefined) return
    source.shared.counters.unansweredOverLimit++
    source.reading.hold()
  }

  release(): void {
    this.source?.reading.release()
  }

  /** The connection is gone. */
  close(): void {
    this.source = undefined
  }
}

/** That of one user, on all connections: of what he sends, or of what others send to him. */
export class UserUnanswered {
  octets = 0
  /** Nothing more is taken until half of it is free. */
  full = false
  readonly #limits: Limits
  readonly #held = new Set<Unanswered>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** `by`: the connection to hold when it is too much. */
  add(octets: number, by: Unanswered | undefined): void {
    this.octets += octets
    if (this.octets <= this.#limits.unansweredOfUser) return
    this.full = true
    if (by === undefined || this.#held.has(by)) return
    this.#held.add(by)
    by.hold()
  }

  remove(octets: number): void {
    this.octets -= octets
    if (!this.full || this.octets > this.#limits.unansweredOfUser / 2) return
    this.full = false
    for (const one of this.#held) one.release()
    this.#held.clear()
  }
}

/** Those of all users. One lives as long as a route needs it. */
export class UsersUnanswered {
  readonly #limits: Limits
  readonly #users = new Map<string, WeakRef<UserUnanswered>>()
  readonly #gone = new FinalizationRegistry<string>((user) => {
    if (this.#users.get(user)?.deref() === undefined) this.#users.delete(user)
  })

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** What strangers send to him does not count against what he sends himself, or they could have him wait. */
  of(session: Session, fromOwner: boolean): UserUnanswered {
    const user = `${fromOwner ? "from" : "to"} ${userOf(session)}`
    const known = this.#users.get(user)?.deref()
    if (known !== undefined) return known
    const one = new UserUnanswered(this.#limits)
    this.#users.set(user, new WeakRef(one))
    this.#gone.register(one, user)
    return one
  }
}
