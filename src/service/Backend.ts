/** The backend of users that the settings name. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type { UsersBackend } from "../Admin.ts"
import type { RemovedUsersOptions } from "../authenticator/RemovedUsers.ts"
import { algorithmsOf, Credentials } from "../Credentials.ts"
import { layerByRealm } from "../credentials/ByRealm.ts"
import { layerCached } from "../credentials/Cached.ts"
import { layerEphemeral } from "../credentials/Ephemeral.ts"
import { type CredentialsFileError, layerFile } from "../credentials/File.ts"
import { layerHttp } from "../credentials/Http.ts"
import { layerSql, type SqlSettingsError } from "../credentials/Sql.ts"
import type { OptionsError } from "../options/Options.ts"
import { BackendHealth } from "./BackendHealth.ts"
import type { CredentialsSettings, DemoUser } from "./Settings.ts"

/**
 * A backend as a layer. Database drivers are loaded only if needed. Each is recorded in `health`, and the failures of
 * databases and HTTP services. A file is followed until `followed` closes.
 */
export const layer = (
  credentials: CredentialsSettings,
  health = new BackendHealth(),
  followed?: Scope.Scope
): Layer.Layer<Credentials, CredentialsFileError | SqlSettingsError | OptionsError, FileSystem.FileSystem> => {
  switch (credentials._tag) {
    case "ByRealm":
      return layerOfRealms(credentials, health, followed)
    case "Memory":
      return health.kept("memory", Credentials.layerMemory(credentials.users))
    case "File": {
      const { _tag, ...options } = credentials
      return health.kept("file", followed === undefined ? layerFile(options) : builtIn(followed, layerFile(options)))
    }
    case "Ephemeral":
      return health.kept("ephemeral", layerEphemeral({ secret: credentials.secret }))
    case "Sql": {
      const { _tag, cacheSeconds, ...options } = credentials
      return remembered(health.asked("sql", layerSql(options)), cacheSeconds)
    }
    case "Http": {
      const { _tag, cacheSeconds, ...options } = credentials
      return remembered(
        health.asked("http", layerHttp(options).pipe(Layer.provide(FetchHttpClient.layer))),
        cacheSeconds
      )
    }
  }
}

/** The same backend, which ends with that scope instead of its own. */
const builtIn = <E, R>(scope: Scope.Scope, backend: Layer.Layer<Credentials, E, R>): Layer.Layer<Credentials, E, R> =>
  Layer.effect(Credentials, Effect.map(Layer.buildWithScope(backend, scope), Context.get(Credentials)))

/** Makes each backend once, however many realms use it. */
const layerOfRealms = (
  { others, realms }: Extract<CredentialsSettings, { readonly _tag: "ByRealm" }>,
  health: BackendHealth,
  followed: Scope.Scope | undefined
) => {
  const layers = new Map<CredentialsSettings, ReturnType<typeof layer>>()
  const of = (one: CredentialsSettings) => {
    const made = layers.get(one) ?? layer(one, health, followed)
    layers.set(one, made)
    return made
  }
  return layerByRealm(
    Object.fromEntries(Object.entries(realms).map(([realm, one]) => [realm, of(one)])),
    others === undefined ? undefined : of(others)
  )
}

/** Logs the demo user and its password, so that the operator can log in. */
export const tellDemo = (demo: DemoUser | undefined): Effect.Effect<void> =>
  demo === undefined
    ? Effect.void
    : Effect.logInfo("no users are configured: a demo user may log in").pipe(
      Effect.annotateLogs({ user: demo.username, password: Redacted.value(demo.password) })
    )

/** Options for checking whether users with sessions still exist. `interval` is in seconds; 0 turns it off. */
export const removalsOf = (interval: number): RemovedUsersOptions => ({
  interval: interval === 0 ? Duration.infinity : Duration.seconds(interval)
})

/** Time for which a replaced database or HTTP service stays open, to answer queries that were made before. */
const LAST_ANSWERS = "30 seconds"

/**
 * Why the users cannot be read at the start.
 *
 * @category errors
 * @since 0.2.0
 */
export type BackendError = CredentialsFileError | SqlSettingsError | OptionsError

/** Credentials whose backend can be replaced while they are in use. */
export interface LiveUsers {
  readonly credentials: Credentials["Service"]
  /** The backends in use, and what is wrong with them. */
  readonly backends: () => ReadonlyArray<UsersBackend>
  /** Opens another backend. The returned effect replaces the current one with it. */
  readonly open: (settings: CredentialsSettings) => Effect.Effect<Effect.Effect<void>, BackendError>
}

interface Generation {
  readonly scope: Scope.Closeable
  /** That of its files, which answer from memory even after they are closed. It ends with `scope` at the latest. */
  readonly followed: Scope.Closeable
  readonly credentials: Credentials["Service"]
  readonly health: BackendHealth
}

/** Opens the backend until the scope closes. */
export const makeUsers = Effect.fnUntraced(function*(
  settings: CredentialsSettings
): Effect.fn.Return<LiveUsers, BackendError, FileSystem.FileSystem | Scope.Scope> {
  const files = yield* FileSystem.FileSystem
  const parent = yield* Effect.scope
  const make = Effect.fnUntraced(function*(wanted: CredentialsSettings): Effect.fn.Return<Generation, BackendError> {
    const scope = yield* Scope.fork(parent)
    const followed = yield* Scope.fork(scope)
    const health = new BackendHealth()
    const context = yield* Layer.buildWithMemoMap(layer(wanted, health, followed), Layer.makeMemoMapUnsafe(), scope)
      .pipe(
        Effect.provideService(FileSystem.FileSystem, files),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
    return { scope, followed, credentials: Context.get(context, Credentials), health }
  })
  let current = yield* make(settings)
  return {
    credentials: Credentials.of({
      get algorithms() {
        return current.credentials.algorithms
      },
      algorithmsOf: (realm) => algorithmsOf(current.credentials, realm),
      lookup: (user) => current.credentials.lookup(user),
      get recheck() {
        return current.credentials.recheck
      },
      get refresh() {
        return current.credentials.refresh
      },
      size: () => current.credentials.size?.()
    }),
    backends: () => current.health.states,
    open: Effect.fnUntraced(function*(wanted) {
      const next = yield* make(wanted)
      return Effect.suspend(() => {
        const before = current
        current = next
        const close = Scope.close(before.scope, Exit.void)
        // A file would be read by two of them, and each change logged twice.
        return Scope.close(before.followed, Exit.void).pipe(
          Effect.andThen(Effect.forkIn(Effect.delay(close, LAST_ANSWERS), parent)),
          Effect.asVoid
        )
      })
    })
  }
})

/** Credentials that the program provides, which settings do not replace. By default there are no users. */
export const usersOfProgram = (
  credentials: Credentials["Service"] = Credentials.make(() => Effect.succeedNone)
): LiveUsers => ({ credentials, backends: () => [], open: () => Effect.succeed(Effect.void) })

const remembered = <E>(backend: Layer.Layer<Credentials, E>, seconds: number) =>
  seconds === 0 ? backend : layerCached(backend, { timeToLive: Duration.seconds(seconds) })
