/**
 * Where a relay keeps which sessions there are, for others to read: no message waits for it, nor fails by it.
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
 * What a repository keeps of a session. None of it is a secret: who reads it cannot write to the owner. A codec of it is
 * `SessionEntry` too: `Schema.fromJsonString(SessionEntry)` for a store of texts.
 *
 * @category schemas
 * @since 0.2.0
 */
export const SessionEntry = Schema.Struct({
  /**
   * Stands for the session-id, of which it is a hash: 32 hexadecimal digits. The first 12 are the `session` of the log and of
   * the admin API.
   */
  id: Schema.String,
  /** The user who was granted the session, and the realm of his name. */
  username: Schema.String,
  realm: Schema.String,
  /** The URI of the relay that granted it, without session-id. */
  relay: Schema.String,
  /** Address and port of the connection that it was granted on, and whether that is TLS. */
  remote: Schema.String,
  secure: Schema.Boolean,
  /** Milliseconds since 1970: when it was granted, and when it ends unless it is prolonged (`extendActive`). */
  since: Schema.Number,
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
 * Something that happened in a repository; also what somebody else did there. A codec of it is `SessionChange` too.
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
 * There are as many sessions as there may be: of all users, or of this one. An AUTH is answered 403 then.
 *
 * @category errors
 * @since 0.1.0
 */
export class SessionsExhausted extends Data.TaggedError("SessionsExhausted")<{
  readonly of: "all" | "user"
  readonly limit: number
}> {}

/**
 * The store cannot be used now. An AUTH is answered 408 then, and whoever is logged in stays. Only what kind of error the
 * cause is gets into the log: its tag or name, and its code.
 *
 * @category errors
 * @since 0.2.0
 */
export class SessionRepoUnavailable extends Data.TaggedError("SessionRepoUnavailable")<{
  readonly cause: unknown
}> {}

/**
 * What a store does, from which `SessionRepo.make` makes a repository.
 *
 * @category models
 * @since 0.2.0
 */
export interface SessionStore {
  /** See `SessionRepo`. */
  readonly create: (session: SessionEntry) => Effect.Effect<void, SessionsExhausted | SessionRepoUnavailable>
  readonly end: (id: string, reason: SessionEnd) => Effect.Effect<void, SessionRepoUnavailable>
  readonly list: Stream.Stream<SessionEntry, SessionRepoUnavailable>
}

/**
 * How much `SessionRepo.layerMemory` keeps.
 *
 * @category options
 * @since 0.1.0
 */
export interface SessionRepoOptions {
  /** Changes that a reader of `changes` may be behind; beyond that it misses the oldest. 1..1 000 000, default 16 384. */
  readonly maxChanges?: number | undefined
}

const MAX_CHANGES = 16_384

const optionsSchema = Schema.Struct({ maxChanges: Schema.optional(whole([1, 1_000_000])) })

/**
 * Where it is written down which sessions there are: for those who want to see them, count them over several relays, allow
 * no more, or end them from elsewhere. What a message needs (the session-id, the connection that owns it, its peer, its
 * expiry) the relay keeps itself, and bounds: no message asks a repository, and a slow or broken one slows down logins and
 * nothing else.
 *
 * The contract, for a repository of one's own:
 *
 * - `create` is asked for each AUTH that is right, before its answer. It keeps the entry. It may refuse with
 *   `SessionsExhausted` (403), or fail with `SessionRepoUnavailable` (408, as for one that takes longer than 25 seconds or
 *   dies). The relay has counted against `maxSessions` and `maxSessionsPerUser` of its own before.
 * - `end` is told of each session that is over, once, and why. Also of one whose `create` has failed, since that may have worked
 *   nevertheless: `it was not granted`. Of one that `create` has refused it is not told. An id that is not known (any more) is no error. It is told after the fact, 16 at a time; one that
 *   fails is not told again, so a store that outlives the relay should forget by itself what is past `expires`.
 * - `list` is what is kept now, in any order.
 * - `changes` is what happens from the moment on that it is read, by whomever. Of an `Ended` that the relay has not asked
 *   for it ends that session, with this reason; everything else it ignores. A store that nobody else changes need not care:
 *   `make` adds `changes` to the other three. When it fails it is read again 5 seconds later.
 * - When the relay stops, the sessions that are left are ended with `the relay stops`.
 *
 * An entry has no secret in it. Ids are unlike over all relays. Everything may be called at once, and interrupted.
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
 * `sessionRepoContract` of `msrp-relay/testing` has tests of all that.
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
   * A repository of a store that is changed by nobody else: `changes` has what passes through it. Dies with an `OptionsError` if
   * its options cannot be used.
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

  /** In this process's memory. */
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

  /** The same with options out of a configuration. */
  static readonly layerMemoryConfig = (
    config: Config.Config<SessionRepoOptions>
  ): Layer.Layer<SessionRepo, OptionsError | Config.ConfigError> =>
    Layer.unwrap(Effect.map(config, SessionRepo.layerMemory))
}
