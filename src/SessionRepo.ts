import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { monotonicMillis } from "./clock/Monotonic.ts"
import { type NewSession, type Session, userOf } from "./relay/Session.ts"

export { extend, type NewSession, type Session, userOf } from "./relay/Session.ts"

/** Milliseconds between two steps of the clean-up, at least: timers are not finer, and waking up costs more than a look. */
const CLEANUP_PAUSE = 10

/** The repository holds as many sessions as it may, in all or of this user. */
export class SessionsExhausted extends Data.TaggedError("SessionsExhausted")<{
  readonly of: "all" | "user"
  readonly limit: number
}> {}

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

/** The session URIs that are valid now. Look-ups are plain calls, since every message needs one. */
export class SessionRepo extends Context.Service<SessionRepo, {
  readonly create: (session: NewSession) => Effect.Effect<Session, SessionsExhausted>
  /** A session by its session-id, unless it is unknown, ended, or past its expiry; then it is removed. */
  readonly findUnsafe: (id: string) => Session | undefined
  readonly end: (session: Session) => void
  /** Ends all sessions of a connection. */
  readonly endAllOf: (owner: object) => void
  /** Sessions held, also those past their expiry that were neither used nor swept since. */
  readonly size: () => number
}>()("msrp-relay/SessionRepo") {
  /** Sessions in this process's memory, in `2 ** hashSize` buckets which a fiber cleans a few at a time. */
  static readonly layerMemory = (options: SessionRepoOptions = {}): Layer.Layer<SessionRepo> =>
    Layer.effect(
      SessionRepo,
      Effect.gen(function*() {
        const { cleanupInterval = 60, extendActive = false, hashSize = 10 } = options
        const { maxSessions = 100_000, maxSessionsPerUser = 1000 } = options
        const clock = yield* Clock.Clock
        const now = (): number => monotonicMillis(clock)
        /** Only those with sessions: a million empty ones cost as much memory as a busy relay. */
        const buckets: Array<Map<string, Session> | undefined> = Array.from({
          length: 2 ** hashSize
        })
        const owned = new Map<object, Set<Session>>()
        const ofUsers = new Map<string, Set<Session>>()
        let size = 0

        const bucketOf = (id: string): number => {
          let hash = 0
          for (let i = 0; i < id.length; i++) hash = (Math.imul(hash, 31) + id.charCodeAt(i)) | 0
          return (hash >>> 0) % buckets.length
        }
        const end = (session: Session): void => {
          if (session.ended) return
          session.ended = true
          session.peer = undefined
          const at = bucketOf(session.id)
          const bucket = buckets[at]
          bucket?.delete(session.id)
          if (bucket?.size === 0) buckets[at] = undefined
          size--
          remove(owned, session.owner, session)
          remove(ofUsers, userOf(session), session)
        }

        /** Those of the user that are still valid; what the clean-up has not yet come to ends here. */
        const countOf = (user: string): number => {
          const time = now()
          const sessions = ofUsers.get(user)
          if (sessions === undefined || sessions.size < maxSessionsPerUser) return sessions?.size ?? 0
          for (const session of sessions) if (session.expiresAt <= time) end(session)
          return sessions.size
        }

        // One bucket at a time, unless there are more of them than turns in one pass.
        const atOnce = Math.min(Math.ceil(buckets.length * CLEANUP_PAUSE / (cleanupInterval * 1000)), buckets.length)
        let next = 0
        yield* Effect.sync(() => {
          const time = now()
          for (let i = 0; i < atOnce; i++) {
            for (const session of buckets[next]?.values() ?? []) if (session.expiresAt <= time) end(session)
            next = (next + 1) % buckets.length
          }
        }).pipe(
          Effect.delay(Duration.millis(cleanupInterval * 1000 * atOnce / buckets.length)),
          Effect.forever,
          Effect.forkScoped
        )

        return SessionRepo.of({
          create: Effect.fnUntraced(function*({ expires, ownerAuthority, ...rest }) {
            if (size >= maxSessions) return yield* new SessionsExhausted({ of: "all", limit: maxSessions })
            if (countOf(userOf(rest)) >= maxSessionsPerUser) {
              return yield* new SessionsExhausted({ of: "user", limit: maxSessionsPerUser })
            }
            const session: Session = {
              ...rest,
              expiresAt: now() + expires * 1000,
              extension: extendActive ? expires * 1000 : 0,
              ended: false,
              peer: undefined,
              ownerAuthorities: [ownerAuthority]
            }
            const bucket = buckets[bucketOf(session.id)] ??= new Map()
            bucket.set(session.id, session)
            size++
            add(owned, session.owner, session)
            add(ofUsers, userOf(session), session)
            return session
          }),
          findUnsafe: (id) => {
            const session = buckets[bucketOf(id)]?.get(id)
            if (session === undefined || session.expiresAt > now()) return session
            end(session)
            return undefined
          },
          end,
          endAllOf: (owner) => {
            for (const session of owned.get(owner) ?? []) end(session)
          },
          size: () => size
        })
      })
    )
}

const add = <K>(sets: Map<K, Set<Session>>, key: K, session: Session): void => {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([session]))
  else set.add(session)
}

const remove = <K>(sets: Map<K, Set<Session>>, key: K, session: Session): void => {
  const set = sets.get(key)
  set?.delete(session)
  if (set?.size === 0) sets.delete(key)
}
