/** Backends of users that fail to answer: since when, and why, for operators. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { UsersUnavailable } from "../Admin.ts"
import { Credentials } from "../Credentials.ts"

/** The state of all backends of a relay. */
export class BackendHealth {
  readonly #backends = new Map<object, UsersUnavailable>()

  /** The backend that has been unavailable for longest; undefined if each answered its last request. */
  get longest(): UsersUnavailable | undefined {
    return Array.from(this.#backends.values()).toSorted((a, b) => a.since - b.since)[0]
  }

  /** Observes a backend. Must be below a cache, which would hide failures. */
  readonly of = <E, R>(backend: Layer.Layer<Credentials, E, R>): Layer.Layer<Credentials, E, R> =>
    Layer.effect(
      Credentials,
      Effect.map(Credentials, (users) => ({
        ...users,
        lookup: (user) =>
          Effect.onExit(users.lookup(user), (exit) =>
            Clock.clockWith((clock) =>
              Effect.sync(() => this.#noted(users, exit, clock.currentTimeMillisUnsafe()))
            ))
      }))
    ).pipe(Layer.provide(backend))

  #noted(backend: object, exit: Exit.Exit<unknown, Error>, now: number): void {
    const error = Option.getOrUndefined(Exit.findErrorOption(exit))
    if (error !== undefined) {
      const since = this.#backends.get(backend)?.since ?? now
      this.#backends.set(backend, { since, last: now, reason: error.message })
    } else if (Exit.isSuccess(exit)) this.#backends.delete(backend)
  }
}
