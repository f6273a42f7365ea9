/**
 * A cache in front of a backend of users, so that many simultaneous AUTHs of a user cause one lookup.
 *
 * Wrong credentials cause another lookup, at most once a second per user. Every guess waits for the backend equally often, so
 * the time of an answer reveals neither whether a user exists nor whether the user was active a moment ago.
 *
 * @module
 */

import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { makeCacheClock } from "../clock/CacheClock.ts"
import { algorithmsOf, Credentials, type UserKey } from "../Credentials.ts"
import { checkOptions, duration, type OptionsError, whole } from "../options/Options.ts"
import { nameKey } from "./NameKey.ts"

/**
 * The lifetime and the capacity of the cache.
 *
 * @category options
 * @since 0.1.0
 */
export interface CachedOptions {
  /**
   * How long a user, or the absence of one, is remembered. A password that was replaced may remain valid for as
   * long after. Absent: 30 seconds.
   */
  readonly timeToLive?: Duration.Input | undefined
  /** Maximum number of users that are remembered. Absent: 10,000. */
  readonly capacity?: number | undefined
}

const optionsSchema = Schema.Struct({
  timeToLive: Schema.optional(duration),
  capacity: Schema.optional(whole([1, 10_000_000]))
})

/** Minimum time between two lookups of a user because of wrong credentials. */
const RECHECK_INTERVAL = Duration.seconds(1)

/** The user whose lookup is running, and the address of the client. */
class Asking extends Context.Service<Asking, UserKey>()("msrp-relay/credentials/Cached/Asking") {}

/**
 * The cache key of a user, whatever the address of the client. It is text because an object would be compared by its hash, and
 * an attacker can choose names with equal hashes, which the cache would search one by one. A user name has no line break.
 */
const keyOf = ({ realm, username }: UserKey): string => `${nameKey(username)}\n${realm}`

/**
 * Adds a cache to `backend`. Its failures are not cached, except in the lookups that wrong credentials cause.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerCached = <E, R>(
  backend: Layer.Layer<Credentials, E, R>,
  options: CachedOptions = {}
): Layer.Layer<Credentials, E | OptionsError, R> =>
  Layer.effect(
    Credentials,
    Effect.gen(function*() {
      yield* checkOptions("layerCached", optionsSchema, options)
      const { capacity = 10_000, timeToLive = "30 seconds" } = options
      const credentials = yield* Credentials
      const life = Duration.fromInputUnsafe(timeToLive)
      const { withMonotonicTime, withTimeOfDay } = yield* makeCacheClock
      /** Lookups that reached the backend: repeating one for wrong credentials would give nothing new. */
      const asked = new WeakSet<UserKey>()
      const ask = Effect.flatMap(Asking, (user) => {
        asked.add(user)
        return withTimeOfDay(credentials.lookup(user))
      })
      const cache = yield* Cache.makeWith(() => ask, {
        capacity,
        requireServicesAt: "lookup",
        timeToLive: (exit) => Exit.isFailure(exit) ? Duration.zero : life
      })
      const rechecks = yield* Cache.makeWith(
        (key: string) => Effect.tap(ask, (secret) => Cache.set(cache, key, secret)),
        { capacity, requireServicesAt: "lookup", timeToLive: () => Duration.min(RECHECK_INTERVAL, life) }
      )
      /**
       * Questions under way for users who have logged in from their address before. They join no question of anybody else, which may
       * have to wait for its turn at the backend behind those of the same address.
       */
      const ofKnown = yield* Cache.makeWith(
        (key: string) => Effect.tap(ask, (secret) => Cache.set(cache, key, secret)),
        { capacity, requireServicesAt: "lookup", timeToLive: () => Duration.zero }
      )
      const find = (user: UserKey) => {
        const key = keyOf(user)
        return user.known === true
          ? Effect.flatMap(
            Cache.getSuccess(cache, key),
            Option.match({ onNone: () => Cache.get(ofKnown, key), onSome: Effect.succeed })
          )
          : Cache.get(cache, key)
      }
      return Credentials.of({
        get algorithms() {
          return credentials.algorithms
        },
        algorithmsOf: (realm) => algorithmsOf(credentials, realm),
        lookup: (user) => withMonotonicTime(Effect.provideService(find(user), Asking, user)),
        recheck: (user) => {
          const key = keyOf(user)
          const again = asked.has(user)
            ? Effect.tap(Cache.get(cache, key), (secret) => Cache.set(rechecks, key, secret))
            : Cache.get(rechecks, key)
          return withMonotonicTime(Effect.provideService(again, Asking, user))
        },
        refresh: (user) =>
          Effect.tap(credentials.lookup(user), (secret) => withMonotonicTime(Cache.set(cache, keyOf(user), secret)))
      })
    })
  ).pipe(Layer.provide(backend))
