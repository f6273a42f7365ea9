/** Remembers for a short time what a backend has said, so that it is asked once however many AUTHs come at once. */
import * as Cache from "effect/Cache"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Credentials } from "../Credentials.ts"

export interface CachedOptions {
  /** For how long a user is remembered; a password that is changed is good so long after. Absent: 30 seconds. */
  readonly timeToLive?: Duration.Input | undefined
  /** Users that are remembered. Absent: 10,000. */
  readonly capacity?: number | undefined
}

/** That there is no such user is forgotten sooner: he may have been added because he could not log in. */
const NOBODY = Duration.seconds(5)

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
        (key: string) => {
          // No user name and no realm has a line break.
          const [username, realm] = key.split("\n") as [string, string]
          return credentials.lookup({ username, realm })
        },
        {
          capacity,
          timeToLive: (exit) =>
            Exit.isFailure(exit) ? Duration.zero : Option.isSome(exit.value) ? found : Duration.min(NOBODY, found)
        }
      )
      return Credentials.of({
        get algorithms() {
          return credentials.algorithms
        },
        lookup: ({ realm, username }) => Cache.get(cache, `${username}\n${realm}`)
      })
    })
  ).pipe(Layer.provide(backend))
