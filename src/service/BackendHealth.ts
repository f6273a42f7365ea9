/** The backends of users, and what is wrong with them: since when, and why, for operators. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { UsersBackend, UsersUnavailable } from "../Admin.ts"
import { Credentials, type CredentialsUnavailable } from "../Credentials.ts"
import { makeBoundedLog } from "../logging/BoundedLog.ts"

const AGAIN = "The credentials can be looked up again"

type Users = Credentials["Service"]

/** The state of all backends of a relay. */
export class BackendHealth {
  /** The kind of each backend. */
  readonly #backends = new Map<Users, string>()
  readonly #unavailable = new Map<Users, UsersUnavailable>()

  /** Each backend, in the order in which they were opened. */
  get states(): ReadonlyArray<UsersBackend> {
    return Array.from(
      this.#backends,
      ([users, backend]) => ({
        backend,
        users: users.size?.(),
        unavailable: this.#unavailable.get(users),
        outdated: users.outdated?.(),
        unserved: users.unserved?.()
      })
    )
  }

  /** Shows a backend whose lookups do not fail. */
  readonly kept = <E, R>(kind: string, backend: Layer.Layer<Credentials, E, R>): Layer.Layer<Credentials, E, R> =>
    Layer.effect(
      Credentials,
      Effect.map(Credentials, (users) => {
        this.#backends.set(users, kind)
        return users
      })
    ).pipe(Layer.provide(backend))

  /** Observes a backend, and logs that it answers again. Must be below a cache, which would hide failures. */
  readonly asked = <E, R>(kind: string, backend: Layer.Layer<Credentials, E, R>): Layer.Layer<Credentials, E, R> =>
    Layer.effect(
      Credentials,
      Effect.gen({ self: this }, function*() {
        const users = yield* Credentials
        const clock = yield* Clock.Clock
        const log = yield* makeBoundedLog
        // A relay that starts while its backend is down would look sound until somebody logs in.
        const { missing } = users
        this.#backends.set(users, kind)
        if (missing !== undefined) this.#noted(users, Exit.fail(missing), clock.currentTimeMillisUnsafe())
        const noted = (exit: Exit.Exit<unknown, CredentialsUnavailable>): Effect.Effect<void> =>
          Effect.suspend(() => {
            const now = clock.currentTimeMillisUnsafe()
            const before = this.#unavailable.get(users)
            this.#noted(users, exit, now)
            if (before === undefined || this.#unavailable.has(users)) return Effect.void
            const seconds = Math.round((now - before.since) / 1000)
            // A backend that fails now and then would write a line each time.
            return log(Effect.annotateLogs(Effect.logInfo(AGAIN), { seconds, reason: before.reason }), AGAIN, "")
          })
        return { ...users, lookup: (user) => Effect.onExit(users.lookup(user), noted) }
      })
    ).pipe(Layer.provide(backend))

  #noted(users: Users, exit: Exit.Exit<unknown, CredentialsUnavailable>, now: number): void {
    const error = Option.getOrUndefined(Exit.findErrorOption(exit))
    if (error !== undefined && error.onlyThisUser !== true) {
      const since = this.#unavailable.get(users)?.since ?? now
      this.#unavailable.set(users, { since, last: now, reason: error.message })
    } else if (error !== undefined || Exit.isSuccess(exit)) this.#unavailable.delete(users)
  }
}
