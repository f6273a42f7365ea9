import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { monotonicMillis } from "./clock/Monotonic.ts"
import { Buckets } from "./collections/Buckets.ts"
import { Heap, type Ranked } from "./collections/Heap.ts"
import { follow, type Live } from "./options/Live.ts"
import { type OptionsError, positive, whole, wholeOrUnbounded, wrongOptions } from "./options/Options.ts"
import { ranges } from "./options/Ranges.ts"
import { type NewSession, type Session, type SessionEnd, userOf } from "./relay/Session.ts"

export { monotonicMillis } from "./clock/Monotonic.ts"
export { extend, type NewSession, type Session, type SessionEnd, userOf } from "./relay/Session.ts"
export { SessionRecord } from "./relay/SessionRecord.ts"

/** Milliseconds between two steps of the clean-up, at least: timers are not finer, and waking up costs more than a look. */
const CLEANUP_PAUSE = 10
/** Sessions that are looked at in one turn of the event loop, however many there are. */
const SESSIONS_AT_ONCE = 256
/** Maps that sessions are in, and those of users, at least, so that none is large. */
const MIN_MAPS = 1024

/** Unless the options say something else. */
const MAX_SESSIONS = 100_000

/** Sessions in the order in which they expire. One that was extended since it was put there expires later than it says. */
type Expiries = Heap<Session>

/** A session, and where it stands. */
interface Held {
  readonly session: Session
  readonly inAll: Ranked<Session>
  readonly user: Expiries
  readonly inUser: Ranked<Session>
}

/** The repository holds as many sessions as it may, in all or of this user. */
export class SessionsExhausted extends Data.TaggedError("SessionsExhausted")<{
  readonly of: "all" | "user"
  readonly limit: number
}> {}

/** They may change (`Live`), but for `hashSize`. */
export interface SessionRepoOptions {
  /** log2 of the number of buckets; the clean-up visits one bucket at a time. 0..20, default 10. */
  readonly hashSize?: number | undefined
  /** Seconds for one pass of the clean-up over all buckets. Default 60. */
  readonly cleanupInterval?: number | undefined
  /** Sessions at a time. Default 100 000. */
  readonly maxSessions?: number | undefined
  /** Sessions of one user (of one realm) at a time, on however many connections. Default 1000. */
  readonly maxSessionsPerUser?: number | undefined
  /**
   * A session through which requests pass lives on: each one gives it all its time again, as does a keep-alive of its
   * owner. For clients that never refresh their AUTH. Default false (RFC 4976 §6.3).
   */
  readonly extendActive?: boolean | undefined
}

const optionsSchema = Schema.Struct({
  hashSize: Schema.optional(whole([0, 20])),
  cleanupInterval: Schema.optional(positive),
  maxSessions: Schema.optional(whole(ranges.maxSessions)),
  maxSessionsPerUser: Schema.optional(wholeOrUnbounded(ranges.maxSessionsPerUser))
})

/** The session URIs that are valid now. Look-ups are plain calls, since every message needs one. */
export class SessionRepo extends Context.Service<SessionRepo, {
  readonly create: (session: NewSession) => Effect.Effect<Session, SessionsExhausted>
  /** A session by its session-id, unless it is unknown, ended, or past its expiry; then it is removed. */
  readonly findUnsafe: (id: string) => Session | undefined
  readonly end: (session: Session, reason?: SessionEnd) => void
  /**
   * Calls back, inside the call that ends it, with each session that ends. Absent in a repository that does not tell: then
   * the end of a session is told up to a minute late.
   */
  readonly onEnd?: ((listener: (session: Session, reason: SessionEnd) => void) => void) | undefined
  /** Ends all sessions of a connection. */
  readonly endAllOf: (owner: object) => void
  /** Those who have sessions; may be gone through in several turns. Absent in a repository that does not know. */
  readonly users?: (() => Iterable<Pick<Session, "username" | "realm">>) | undefined
  /** Ends sessions of a user, at most so many; whether there are more. */
  readonly endSomeOf?:
    | ((user: Pick<Session, "username" | "realm">, atMost: number, reason?: SessionEnd) => boolean)
    | undefined
  /** Sessions held, also those past their expiry that were neither used nor swept since. */
  readonly size: () => number
  /** The most that it holds; absent in a repository that does not know. */
  readonly capacity?: number | undefined
}>()("msrp-relay/SessionRepo") {
  /** Sessions in this process's memory, in `2 ** hashSize` buckets which a fiber cleans a few at a time. */
  static readonly layerMemory = (options: Live<SessionRepoOptions> = {}): Layer.Layer<SessionRepo, OptionsError> =>
    Layer.effect(
      SessionRepo,
      Effect.gen(function*() {
        const wrong = wrongOptions<SessionRepoOptions>("SessionRepo.layerMemory", optionsSchema)
        const live = yield* follow(options, wrong)
        const { hashSize = 10 } = live.current
        const clock = yield* Clock.Clock
        const now = (): number => monotonicMillis(clock)
        const buckets = 2 ** hashSize
        const table = new Buckets<Held>(Math.max(buckets, MIN_MAPS))
        const owned = new Map<object, Set<Session>>()
        const all: Expiries = new Heap()
        const ofUsers = new Buckets<Expiries>(MIN_MAPS)

        const listeners: Array<(session: Session, reason: SessionEnd) => void> = []

        const end = (session: Session, reason: SessionEnd = "ended by the operator"): void => {
          if (session.ended) return
          session.ended = true
          session.peer = undefined
          session.ways = undefined
          const held = table.get(session.id)!
          table.delete(session.id)
          all.delete(held.inAll)
          held.user.delete(held.inUser)
          if (held.user.size === 0) ofUsers.delete(userOf(session))
          const same = owned.get(session.owner)
          same?.delete(session)
          if (same?.size === 0) owned.delete(session.owner)
          for (const listener of listeners) listener(session, reason)
        }

        /** Ends expired ones for a new one to have room. Undefined: so many had been extended that it has to go on later. */
        const hasRoom = (sessions: Expiries, limit: number): boolean | undefined => {
          const time = now()
          for (let looked = 0; sessions.size >= limit; looked++) {
            const { first } = sessions
            if (first === undefined || first.rank > time) return false
            if (looked === SESSIONS_AT_ONCE) return undefined
            if (first.value.expiresAt <= time) end(first.value, "expired")
            else sessions.move(first, first.value.expiresAt)
          }
          return true
        }
        const exhausted = (user: string): SessionsExhausted | "unknown" | undefined => {
          const { maxSessions = MAX_SESSIONS, maxSessionsPerUser = 1000 } = live.current
          const inAll = hasRoom(all, maxSessions)
          if (inAll === false) return new SessionsExhausted({ of: "all", limit: maxSessions })
          const ofUser = hasRoom(ofUsers.get(user) ?? new Heap(), maxSessionsPerUser)
          if (ofUser === false) return new SessionsExhausted({ of: "user", limit: maxSessionsPerUser })
          return inAll === undefined || ofUser === undefined ? "unknown" : undefined
        }

        // One bucket at a time, unless there are more of them than turns in one pass.
        const stepOf = ({ cleanupInterval = 60 }: SessionRepoOptions) => {
          const atOnce = Math.min(Math.ceil(buckets * CLEANUP_PAUSE / (cleanupInterval * 1000)), buckets)
          return { pause: cleanupInterval * 1000 * atOnce / buckets, maps: atOnce * table.count / buckets }
        }
        let next = 0
        const clean = Effect.gen(function*() {
          let looked = 0
          const { maps } = stepOf(live.current)
          for (let i = 0; i < maps; i++) {
            for (const { session } of table.at(next)) {
              // Lets the event loop turn, with what has come in meanwhile.
              if (++looked % SESSIONS_AT_ONCE === 0) yield* Effect.yieldNow
              if (session.expiresAt <= now()) end(session, "expired")
            }
            next = (next + 1) % table.count
          }
        })
        let due = now()
        yield* Effect.suspend(() => {
          // Not so much later as the clean-up takes, or a pass would be longer than it may be.
          due = Math.max(due + stepOf(live.current).pause, now())
          return Effect.delay(clean, Duration.millis(due - now()))
        }).pipe(Effect.forever, Effect.forkScoped)

        return SessionRepo.of({
          create: Effect.fnUntraced(function*({ expires, ownerAuthority, ...rest }) {
            const { extendActive = false } = live.current
            const user = userOf(rest)
            let refused = exhausted(user)
            for (; refused === "unknown"; refused = exhausted(user)) yield* Effect.yieldNow
            if (refused !== undefined) return yield* refused
            const session: Session = {
              ...rest,
              expiresAt: now() + expires * 1000,
              extension: extendActive ? expires * 1000 : 0,
              ended: false,
              peer: undefined,
              ways: undefined,
              ownerAuthorities: [ownerAuthority]
            }
            const before = table.get(session.id)
            if (before !== undefined) end(before.session, "another one in its place")
            let expiries = ofUsers.get(user)
            if (expiries === undefined) ofUsers.set(user, expiries = new Heap())
            const { expiresAt } = session
            const inAll = all.add(session, expiresAt)
            table.set(session.id, { session, inAll, inUser: expiries.add(session, expiresAt), user: expiries })
            const same = owned.get(session.owner)
            if (same === undefined) owned.set(session.owner, new Set([session]))
            else same.add(session)
            return session
          }),
          findUnsafe: (id) => {
            const session = table.get(id)?.session
            if (session === undefined || session.expiresAt > now()) return session
            end(session, "expired")
            return undefined
          },
          end,
          onEnd: (listener) => void listeners.push(listener),
          endAllOf: (owner) => {
            for (const session of owned.get(owner) ?? []) end(session, "its connection closed")
          },
          *users() {
            for (let i = 0; i < ofUsers.count; i++) {
              for (const { first } of ofUsers.at(i)) if (first !== undefined) yield first.value
            }
          },
          endSomeOf: (user, atMost, reason) => {
            const expiries = ofUsers.get(userOf(user))
            for (let i = 0; i < atMost && expiries?.first !== undefined; i++) end(expiries.first.value, reason)
            return expiries?.first !== undefined
          },
          size: () => table.size,
          get capacity() {
            return live.current.maxSessions ?? MAX_SESSIONS
          }
        })
      })
    )
}
