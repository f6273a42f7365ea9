/** Remembers for a short time what a backend has said, so that it is asked once however many AUTHs come at once. */
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Credentials, type UserKey } from "../Credentials.ts"

export interface CachedOptions {
  /** For how long a user is remembered; a password that is changed is good so long after. Absent: 30 seconds. */
  readonly timeToLive?: Duration.Input | undefined
  /** Users that are remembered. Absent: 10,000. */
  readonly capacity?: number | undefined
}

/** That there is no such user is forgotten sooner: he may have been added because he could not log in. */
const NOBODY = Duration.seconds(5)

/** Who asks, and from where. */
class Asking extends Context.Service<Asking, UserKey>()("msrp-relay/credentials/Cached/Asking") {}

/**
 * A user, from wherever he asks. Text and no object that is compared by its hash: anybody can make up names whose hashes
 * are the same, and the cache would walk over all of them. No user name has a line break.
 */
const keyOf = ({ realm, username }: UserKey): string => `${username}\n${realm}`

/** `backend` with a memory. That a backend cannot answer is not remembered. */
export const layerCached = <E, R>(
  backend: Layer.Layer<Credentials, E, R>,
  { capacity = 10_000, timeToLive = "30 seconds" }: CachedOptions = {}
): Layer.Layer<Credentials, E, R> =>
  Layer.effect(
    Credentials,
    Effect.gen(function*() {
      const credentials = yield* Credentials
      const found = Duration.fromInputUnsafe(timeToLive)
      const cache = yield* Cache.makeWith(
        () => Effect.flatMap(Asking, credentials.lookup),
        {
          capacity,
          requireServicesAt: "lookup",
          timeToLive: (exit) =>
            Exit.isFailure(exit) ? Duration.zero : Option.isSome(exit.value) ? found : Duration.min(NOBODY, found)
        }
      )
      return Credentials.of({
        get algorithms() {
          return credentials.algorithms
        },
        lookup: (user) => Effect.provideService(Cache.get(cache, keyOf(user)), Asking, user)
      })
    })
  ).pipe(Layer.provide(backend))
