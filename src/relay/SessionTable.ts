/**
 * The valid sessions, with what every message needs to know of them: their user, the connection that owns them, and when they
 * expire. All of it is in memory, so that a look-up costs one access to a map.
 */
import { Buckets } from "../collections/Buckets.ts"
import { Heap, type Ranked } from "../collections/Heap.ts"
import { type NewSession, type Session, type SessionEnd, type Sessions, userOf } from "./Session.ts"

/** How many sessions there may be, and how they end. All but `hashSize` may change at run time. */
export interface SessionRules {
  /** The binary logarithm of the number of buckets; the clean-up visits one bucket at a time. */
  readonly hashSize: number
  /** Milliseconds for one pass of the clean-up over all buckets. */
  readonly cleanupInterval: number
  /** Sessions at a time. */
  readonly maxSessions: number
  /** Sessions of one user of one realm at a time, on all connections. */
  readonly maxSessionsPerUser: number
  /** Whether each request that passes through a session gives it its whole lifetime again. */
  readonly extendActive: boolean
}

export const defaultSessionRules: SessionRules = {
  hashSize: 10,
  cleanupInterval: 60_000,
  maxSessions: 100_000,
  maxSessionsPerUser: 1000,
  extendActive: false
}

/** What has reached its limit of sessions: the whole relay, or a user. */
type Bounded = "all" | "user"

/** The user of sessions. */
export type SessionUser = Pick<Session, "realm" | "username">

/** The least number of milliseconds between two steps of the clean-up: timers are not finer, and waking up has a cost. */
const CLEANUP_PAUSE = 10
/** Sessions that are visited in one turn of the event loop at most. */
const SESSIONS_AT_ONCE = 256
/** The least number of maps for sessions, and for users, so that no map is large. */
const MIN_MAPS = 1024

/** Sessions in the order in which they expire. One that was extended after it was added expires later than its rank. */
type Expiries = Heap<Session>

/** A session, and its entries in the heaps. */
interface Entry {
  readonly session: Session
  readonly inAll: Ranked<Session>
  readonly user: Expiries
  readonly inUser: Ranked<Session>
}

/**
 * The valid sessions of a relay, by id and by owner.
 *
 * @category models
 * @since 0.2.0
 */
export class SessionTable implements Sessions {
  /** The current rules. */
  rules: SessionRules
  readonly #now: () => number
  readonly #buckets: number
  readonly #table: Buckets<Entry>
  readonly #owned = new Map<object, Set<Session>>()
  readonly #all: Expiries = new Heap()
  readonly #ofUsers = new Buckets<Expiries>(MIN_MAPS)
  readonly #listeners: Array<(session: Session, reason: SessionEnd) => void> = []
  /** The index of the map that the clean-up visits next. */
  #next = 0

  /** `now` in milliseconds of the monotonic clock. */
  constructor(now: () => number, rules: SessionRules) {
    this.#now = now
    this.rules = rules
    this.#buckets = 2 ** rules.hashSize
    this.#table = new Buckets(Math.max(this.#buckets, MIN_MAPS))
  }

  /** The number of sessions, including expired ones that were neither used nor swept since. */
  readonly size = (): number => this.#table.size

  /** A session by its session-id; `undefined` if it is unknown, ended or expired. An expired session is removed. */
  findUnsafe(id: string): Session | undefined {
    const session = this.#table.get(id)?.session
    if (session === undefined || session.expiresAt > this.#now()) return session
    this.end(session, "expired")
    return undefined
  }

  /** Ends expired sessions, a few at a time, if a new one of this user would have no room; `unknown` if there may be more of them. */
  room(user: SessionUser): "enough" | "unknown" | Bounded {
    const { maxSessions, maxSessionsPerUser } = this.rules
    const inAll = this.#hasRoom(this.#all, maxSessions)
    if (inAll === false) return "all"
    const expiries = this.#ofUsers.get(userOf(user))
    const ofUser = expiries === undefined ? maxSessionsPerUser > 0 : this.#hasRoom(expiries, maxSessionsPerUser)
    if (ofUser === false) return "user"
    return inAll === undefined || ofUser === undefined ? "unknown" : "enough"
  }

  /** Whether there is room; `undefined` if the search has to continue later because many sessions had been extended. */
  #hasRoom(sessions: Expiries, limit: number): boolean | undefined {
    const time = this.#now()
    for (let visited = 0; sessions.size >= limit; visited++) {
      const { first } = sessions
      if (first === undefined || first.rank > time) return false
      if (visited === SESSIONS_AT_ONCE) return undefined
      if (first.value.expiresAt <= time) this.end(first.value, "expired")
      else sessions.move(first, first.value.expiresAt)
    }
    return true
  }

  /** Adds a session. To be called only if there is room. */
  add({ expires, ownerAuthority, ...rest }: NewSession): Session {
    const millis = expires * 1000
    const session: Session = {
      ...rest,
      expiresAt: this.#now() + millis,
      extension: this.rules.extendActive ? millis : 0,
      ended: false,
      peer: undefined,
      hops: undefined,
      ownerAuthorities: [ownerAuthority]
    }
    const before = this.#table.get(session.id)
    if (before !== undefined) this.end(before.session, "another one in its place")
    const user = userOf(session)
    let expiries = this.#ofUsers.get(user)
    if (expiries === undefined) this.#ofUsers.set(user, expiries = new Heap())
    const { expiresAt } = session
    const inAll = this.#all.add(session, expiresAt)
    this.#table.set(session.id, { session, inAll, inUser: expiries.add(session, expiresAt), user: expiries })
    const same = this.#owned.get(session.owner)
    if (same === undefined) this.#owned.set(session.owner, new Set([session]))
    else same.add(session)
    return session
  }

  end(session: Session, reason: SessionEnd = "ended by the operator"): void {
    if (session.ended) return
    session.ended = true
    session.peer = undefined
    session.hops = undefined
    const entry = this.#table.get(session.id)!
    this.#table.delete(session.id)
    this.#all.delete(entry.inAll)
    entry.user.delete(entry.inUser)
    if (entry.user.size === 0) this.#ofUsers.delete(userOf(session))
    const same = this.#owned.get(session.owner)
    same?.delete(session)
    if (same?.size === 0) this.#owned.delete(session.owner)
    for (const listener of this.#listeners) listener(session, reason)
  }

  /** Calls back, inside the call that ends it, with each session that ends. */
  onEnd(listener: (session: Session, reason: SessionEnd) => void): void {
    this.#listeners.push(listener)
  }

  /** Ends all sessions of a connection. */
  endAllOf(owner: object, reason: SessionEnd = "its connection closed"): void {
    for (const session of this.#owned.get(owner) ?? []) this.end(session, reason)
  }

  /** Ends at most `atMost` sessions of a user. Returns whether there are more. */
  endSomeOf(user: SessionUser, atMost: number, reason?: SessionEnd): boolean {
    const expiries = this.#ofUsers.get(userOf(user))
    for (let i = 0; i < atMost && expiries?.first !== undefined; i++) this.end(expiries.first.value, reason)
    return expiries?.first !== undefined
  }

  /** The users that have sessions. May be iterated in several turns. */
  *users(): Generator<SessionUser> {
    for (let i = 0; i < this.#ofUsers.count; i++) {
      for (const { first } of this.#ofUsers.at(i)) if (first !== undefined) yield first.value
    }
  }

  /** Milliseconds from one step of the clean-up to the next. A step visits one bucket, or more if a pass has fewer steps than buckets. */
  get pause(): number {
    return this.rules.cleanupInterval * this.#bucketsAtOnce / this.#buckets
  }

  get #bucketsAtOnce(): number {
    return Math.min(Math.ceil(this.#buckets * CLEANUP_PAUSE / this.rules.cleanupInterval), this.#buckets)
  }

  /** One step of the clean-up. Yields where other work should have a turn. */
  *sweep(): Generator<void> {
    let visited = 0
    const maps = this.#bucketsAtOnce * this.#table.count / this.#buckets
    for (let i = 0; i < maps; i++) {
      for (const { session } of this.#table.at(this.#next)) {
        if (++visited % SESSIONS_AT_ONCE === 0) yield
        if (session.expiresAt <= this.#now()) this.end(session, "expired")
      }
      this.#next = (this.#next + 1) % this.#table.count
    }
  }
}
