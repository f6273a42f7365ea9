/**
 * A record of the sessions of a relay, for other programs to read. Messages neither wait for it nor fail because of it.
 *
 * @module
 */

import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { checkOptions, type OptionsError, whole } from "./options/Options.ts"
import { type SessionEnd, sessionEnds } from "./relay/Session.ts"

export type { SessionEnd } from "./relay/Session.ts"

/**
 * A session in a repository. It contains no secret: a reader cannot send messages to the session. The schema is also its
 * codec: `Schema.fromJsonString(SessionEntry)` is one for a store of texts.
 *
 * @category schemas
 * @since 0.2.0
 */
export const SessionEntry = Schema.Struct({
  /**
   * A hash of the session-id, in 32 hexadecimal digits. The first 12 are the `session` of the log and of the admin API.
   */
  id: Schema.String,
  /** The user that the session was granted to. */
  username: Schema.String,
  /** The realm of the user name. */
  realm: Schema.String,
  /** The URI of the relay that granted the session, without the session-id. */
  relay: Schema.String,
  /** Remote address and port of the connection that the session was granted on. */
  remote: Schema.String,
  /** Whether that connection uses TLS. */
  secure: Schema.Boolean,
  /** Milliseconds since 1970 when the session was granted. */
  since: Schema.Number,
  /** Milliseconds since 1970 when it expires, unless it is extended (`extendActive`). */
  expires: Schema.Number
})

/**
 * A session as `SessionEntry` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type SessionEntry = typeof SessionEntry.Type

/**
 * A change in a repository, made by the relay or by another program. The schema is also its codec.
 *
 * @category schemas
 * @since 0.2.0
 */
export const SessionChange = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Created"), session: SessionEntry }),
  Schema.Struct({ _tag: Schema.Literal("Ended"), id: Schema.String, reason: Schema.Literals(sessionEnds) })
])

/**
 * A change as `SessionChange` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type SessionChange = typeof SessionChange.Type

/**
 * The limit on sessions is reached, for all users or for one. The AUTH is answered 403.
 *
 * @category errors
 * @since 0.1.0
 */
export class SessionsExhausted extends Data.TaggedError("SessionsExhausted")<{
  readonly of: "all" | "user"
  readonly limit: number
}> {
  override get message(): string {
    return `there are ${this.limit} sessions${this.of === "user" ? " of this user" : ""} already`
  }
}

/**
 * The store cannot be used now. The AUTH is answered 408; existing sessions continue. Of `cause` only the tag or name and the
 * code are logged.
 *
 * @category errors
 * @since 0.2.0
 */
export class SessionRepoUnavailable extends Data.TaggedError("SessionRepoUnavailable")<{
  readonly cause: unknown
}> {
  override get message(): string {
    return "the store of sessions cannot be used now"
  }
}

/**
 * The operations of a store; `SessionRepo.make` makes a repository of them.
 *
 * @category models
 * @since 0.2.0
 */
export interface SessionStore {
  /** Adds a session; the contract of all three is in `SessionRepo`. */
  readonly create: (session: SessionEntry) => Effect.Effect<void, SessionsExhausted | SessionRepoUnavailable>
  readonly end: (id: string, reason: SessionEnd) => Effect.Effect<void, SessionRepoUnavailable>
  readonly list: Stream.Stream<SessionEntry, SessionRepoUnavailable>
}

/**
 * Options of `SessionRepo.layerMemory` and `SessionRepo.make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface SessionRepoOptions {
  /** Changes that wait for a slow reader of `changes`; beyond that the oldest are dropped. 1..1 000 000, default 16 384. */
  readonly maxChanges?: number | undefined
}

const MAX_CHANGES = 16_384

const optionsSchema = Schema.Struct({ maxChanges: Schema.optional(whole([1, 1_000_000])) })

/**
 * A record of the sessions that exist, for programs that list them, count or limit them over several relays, or end them. The
 * relay itself keeps, and limits, what messages need (the session-id, the connection that owns it, its peer, its expiry). No
 * message accesses the repository, so a slow or broken one only slows down logins.
 *
 * The contract of a custom repository:
 *
 * - `create` is called for each AUTH with valid credentials, before its response, and stores the entry. It may refuse with
 *   `SessionsExhausted` (403) or fail with `SessionRepoUnavailable` (408, as for one that takes longer than 25 seconds or dies).
 *   Before that the relay has checked its own `maxSessions` and `maxSessionsPerUser`.
 * - `end` is called once for each session that is over, with the reason. It is also called if `create` failed, because that may
 *   have stored the entry nevertheless (reason: `it was not granted`), but not if `create` refused. An unknown id is no error.
 *   It is called after the fact, 16 at a time. A failed call is not repeated, so a store that outlives the relay should
 *   drop entries whose `expires` has passed.
 * - `list` gives the stored entries, in any order.
 * - `changes` gives the changes that any program makes, from the moment it is read. On an `Ended` that the relay did not cause, the
 *   relay ends that session with its reason; it ignores all other changes. For a store that no other program changes, `make`
 *   adds `changes` to the other three operations. If the stream fails, it is read again 5 seconds later.
 * - When the relay stops, its remaining sessions are ended with the reason `the relay stops`. It waits up to 5 seconds for these
 *   calls, and then as long for the end of `changes`.
 *
 * An entry contains no secret. Ids are unique over all relays. Calls may overlap and be interrupted.
 *
 * ```ts
 * const OwnRepo = Layer.effect(SessionRepo, Effect.suspend(() => {
 *   const sessions = new Map<string, SessionEntry>()
 *   return SessionRepo.make({
 *     create: (session) => Effect.sync(() => void sessions.set(session.id, session)),
 *     end: (id) => Effect.sync(() => void sessions.delete(id)),
 *     list: Stream.suspend(() => Stream.fromIterable([...sessions.values()]))
 *   })
 * }))
 * ```
 *
 * `sessionRepoContract` of `msrp-relay/testing` tests this contract.
 *
 * @category services
 * @since 0.1.0
 */
export class SessionRepo extends Context.Service<
  SessionRepo,
  SessionStore & {
    readonly changes: Stream.Stream<SessionChange, SessionRepoUnavailable>
  }
>()("msrp-relay/SessionRepo") {
  /**
   * A repository over a store that no other program changes: `changes` has the calls of `create` and `end`. Dies with an
   * `OptionsError` if the options cannot be used.
   */
  static readonly make = Effect.fnUntraced(function*(store: SessionStore, options: SessionRepoOptions = {}) {
    yield* Effect.orDie(checkOptions("SessionRepo.make", optionsSchema, options))
    const changes = yield* PubSub.sliding<SessionChange>(options.maxChanges ?? MAX_CHANGES)
    return SessionRepo.of({
      create: (session) =>
        Effect.tap(store.create(session), () => PubSub.publish(changes, { _tag: "Created", session })),
      end: (id, reason) =>
        Effect.tap(store.end(id, reason), () => PubSub.publish(changes, { _tag: "Ended", id, reason })),
      list: store.list,
      changes: Stream.fromPubSub(changes)
    })
  })

  /** A repository in the memory of this process. */
  static readonly layerMemory = (options: SessionRepoOptions = {}): Layer.Layer<SessionRepo, OptionsError> =>
    Layer.effect(
      SessionRepo,
      Effect.gen(function*() {
        yield* checkOptions("SessionRepo.layerMemory", optionsSchema, options)
        const sessions = new Map<string, SessionEntry>()
        return yield* SessionRepo.make({
          create: (session) => Effect.sync(() => void sessions.set(session.id, session)),
          end: (id) => Effect.sync(() => void sessions.delete(id)),
          list: Stream.suspend(() => Stream.fromIterable([...sessions.values()]))
        }, options)
      })
    )

  /** `layerMemory` with options from a `Config`. */
  static readonly layerMemoryConfig = (
    config: Config.Config<SessionRepoOptions>
  ): Layer.Layer<SessionRepo, OptionsError | Config.ConfigError> =>
    Layer.unwrap(Effect.map(config, SessionRepo.layerMemory))
}
