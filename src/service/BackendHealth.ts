/** Backends of users that fail to answer: since when, and why, for operators. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { UsersUnavailable } from "../Admin.ts"
import { Credentials, type CredentialsUnavailable } from "../Credentials.ts"
import { makeBoundedLog } from "../logging/BoundedLog.ts"

const AGAIN = "The credentials can be looked up again"

/** The state of all backends of a relay. */
export class BackendHealth {
  readonly #backends = new Map<object, UsersUnavailable>()

  /** The backend that has been unavailable for longest; undefined if each answered its last request. */
  get longest(): UsersUnavailable | undefined {
    return Array.from(this.#backends.values()).toSorted((a, b) => a.since - b.since)[0]
  }

  /** Observes a backend, and logs that it answers again. Must be below a cache, which would hide failures. */
  readonly of = <E, R>(backend: Layer.Layer<Credentials, E, R>): Layer.Layer<Credentials, E, R> =>
    Layer.effect(
      Credentials,
      Effect.gen({ self: this }, function*() {
        const users = yield* Credentials
        const clock = yield* Clock.Clock
        const log = yield* makeBoundedLog
        // A relay that starts while its backend is down would look sound until somebody logs in.
        const { missing } = users
        if (missing !== undefined) this.#noted(users, Exit.fail(missing), clock.currentTimeMillisUnsafe())
        const noted = (exit: Exit.Exit<unknown, CredentialsUnavailable>): Effect.Effect<void> =>
          Effect.suspend(() => {
            const now = clock.currentTimeMillisUnsafe()
            const before = this.#backends.get(users)
            this.#noted(users, exit, now)
            if (before === undefined || this.#backends.has(users)) return Effect.void
            const seconds = Math.round((now - before.since) / 1000)
            // A backend that fails now and then would write a line each time.
            return log(Effect.annotateLogs(Effect.logInfo(AGAIN), { seconds, reason: before.reason }), AGAIN, "")
          })
        return { ...users, lookup: (user) => Effect.onExit(users.lookup(user), noted) }
      })
    ).pipe(Layer.provide(backend))

  #noted(backend: object, exit: Exit.Exit<unknown, CredentialsUnavailable>, now: number): void {
    const error = Option.getOrUndefined(Exit.findErrorOption(exit))
    if (error !== undefined && error.onlyThisUser !== true) {
      const since = this.#backends.get(backend)?.since ?? now
      this.#backends.set(backend, { since, last: now, reason: error.message })
    } else if (error !== undefined || Exit.isSuccess(exit)) this.#backends.delete(backend)
  }
}
