/**
 * Remembers for a short time what a backend has said, so that it is asked once however many AUTHs come at once.
 *
 * Who presents wrong credentials makes it ask again, once a second for each user. Whether somebody is a user, and whether
 * he was here a moment ago, cannot be told by that: each who guesses waits for the backend as often.
 *
 * @module
 */

import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { makeLasting } from "../clock/Lasting.ts"
import { algorithmsOf, Credentials, type UserKey } from "../Credentials.ts"
import { checkOptions, duration, type OptionsError, whole } from "../options/Options.ts"
import { nameKey } from "./NameKey.ts"

/**
 * How long users are remembered, and how many.
 *
 * @category options
 * @since 0.1.0
 */
export interface CachedOptions {
  /**
   * For how long it is remembered who a user is, or that there is no such user; a password that was changed is good so
   * long after. Absent: 30 seconds.
   */
  readonly timeToLive?: Duration.Input | undefined
  /** Users that are remembered. Absent: 10,000. */
  readonly capacity?: number | undefined
}

const optionsSchema = Schema.Struct({
  timeToLive: Schema.optional(duration),
  capacity: Schema.optional(whole([1, 10_000_000]))
})

/** How often the backend is asked for a user whose credentials are wrong, at most. */
const RECHECK_INTERVAL = Duration.seconds(1)

/** Who asks, and from where. */
class Asking extends Context.Service<Asking, UserKey>()("msrp-relay/credentials/Cached/Asking") {}

/**
 * A user, from wherever he asks. Text and no object that is compared by its hash: anybody can make up names whose hashes
 * are the same, and the cache would walk over all of them. No user name has a line break.
 */
const keyOf = ({ realm, username }: UserKey): string => `${nameKey(username)}\n${realm}`

/**
 * `backend` with a memory. That a backend cannot answer is not remembered, but by who presents wrong credentials.
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
      const { found, measured } = yield* makeLasting
      /** Those whose look-up has asked the backend itself: to ask once more would tell nothing new. */
      const asked = new WeakSet<UserKey>()
      const ask = Effect.flatMap(Asking, (user) => {
        asked.add(user)
        return found(credentials.lookup(user))
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
      return Credentials.of({
        get algorithms() {
          return credentials.algorithms
        },
        algorithmsOf: (realm) => algorithmsOf(credentials, realm),
        lookup: (user) => measured(Effect.provideService(Cache.get(cache, keyOf(user)), Asking, user)),
        recheck: (user) => {
          const key = keyOf(user)
          const again = asked.has(user)
            ? Effect.tap(Cache.get(cache, key), (secret) => Cache.set(rechecks, key, secret))
            : Cache.get(rechecks, key)
          return measured(Effect.provideService(again, Asking, user))
        },
        refresh: (user) =>
          Effect.tap(credentials.lookup(user), (secret) => measured(Cache.set(cache, keyOf(user), secret)))
      })
    })
  ).pipe(Layer.provide(backend))
