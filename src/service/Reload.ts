/** Takes over what has changed in settings, users and certificates while the service runs: all that is right, or nothing. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import { LogLevels } from "../logging/LogLevels.ts"
import * as Backend from "./Backend.ts"
import { change, type LiveSettings, madeFor, settingsFor } from "./LiveSettings.ts"
import { providedParts } from "./ProvidedServices.ts"
import { backendsOf, type CredentialsSettings, Settings, type SettingsProblem, type SettingsShape } from "./Settings.ts"
import { ProvidedParts } from "./settings/ProvidedParts.ts"
import { sameValue, type Texts } from "./settings/Read.ts"
import { SettingsError } from "./settings/SettingsError.ts"
import { type Variables, variables } from "./settings/Table.ts"

/**
 * What became of a reload. There is no value of a variable in it.
 *
 * @category models
 * @since 0.2.0
 */
export interface ReloadResult {
  /** Variables whose new values count from now on. */
  readonly changed: ReadonlyArray<string>
  /** Variables that have changed and count from the next start on. */
  readonly restart: ReadonlyArray<string>
  /** What is wrong: with anything here, nothing was changed. */
  readonly problems: ReadonlyArray<SettingsProblem>
  /** Own certificates in force, and whether they are others than before. */
  readonly certificates: number
  readonly newCertificates: boolean
  /** Users there are, where that can be known. */
  readonly users: number | undefined
}

type Key = keyof Variables

/**
 * Reads everything again.
 *
 * @category services
 * @since 0.2.0
 */
export class Reload extends Context.Service<Reload, {
  /**
   * Reads the file of variables and every file that the settings name, and takes over what has changed; what came of it is
   * in the log as well. Reloads that come at once are done one after the other.
   */
  readonly reload: Effect.Effect<ReloadResult>
  /** The settings that count now. */
  readonly settings: () => SettingsShape
}>()("msrp-relay/Reload") {
  static readonly layer = (live: LiveSettings): Layer.Layer<Reload, never, FileSystem.FileSystem> =>
    Layer.effect(Reload, make(live))
}

const make = Effect.fnUntraced(function*(live: LiveSettings) {
  const context = Context.make(FileSystem.FileSystem, yield* FileSystem.FileSystem).pipe(
    Context.add(ConfigProvider.ConfigProvider, yield* ConfigProvider.ConfigProvider),
    Context.add(ProvidedParts, providedParts(live.provided))
  )
  const levels = yield* LogLevels
  const one = yield* Semaphore.make(1)

  /** The settings of a new start, what of them counts now, and which variables are others. */
  const read = Effect.gen(function*() {
    const before = live.settings
    const wanted = settingsFor(yield* Settings.read, live.provided)
    const differ = differing(before, wanted)
    const kept = new Set(differ.filter((key) => variables[key].reload === "restart"))
    if (kindOf(wanted.credentials) !== kindOf(before.credentials)) {
      // Whatever says so: the variable of the source, or only that another one is set.
      kept.add("credentials")
      for (const key of differ) if (isOfUsers(key)) kept.add(key)
    }
    const settings = kept.size === 0
      ? wanted
      : settingsFor(yield* Settings.parse(merged(before, wanted, kept)), live.provided)
    const changed = differ.filter((key) => !kept.has(key))
    return { before, settings, changed, restart: [...kept] }
  })

  /** Opens what can fail, so that nothing has been changed if it does. */
  const prepare = Effect.fnUntraced(function*(settings: SettingsShape, changed: ReadonlyArray<Key>) {
    const { demo, selfSigned } = live.settings
    // One that was made already goes on.
    const made = settings.selfSigned !== undefined && selfSigned !== undefined ? undefined : yield* madeFor(settings)
    const tls = yield* live.tls.read(settings.tlsFiles, made).pipe(
      Effect.mapError(({ report }) => problemOf("tlsCert", `not used, those from before stay: ${report}`))
    )
    // The demo user keeps his password, and a file is read whatever it is called.
    const same = demo !== undefined && settings.demo !== undefined
    if (same || !(backendsOf(settings.credentials).some(({ _tag }) => _tag === "File") || changed.some(isOfUsers))) {
      return { tls, users: Effect.void, settings: { ...settings, demo } }
    }
    const users = yield* live.users.open(settings.credentials).pipe(
      Effect.mapError(({ message }) => problemOf("credentials", message))
    )
    return { tls, users: Effect.andThen(users, Backend.tellDemo(settings.demo)), settings }
  })

  const reload = Effect.gen(function*() {
    const { before, changed, restart, settings: wanted } = yield* read
    const { settings, tls, users } = yield* prepare(wanted, changed)
    yield* users
    yield* tls.use
    if (changed.includes("logLevel") && levels !== undefined) levels.level = settings.log.level
    change(live, settings)
    const names = (keys: ReadonlyArray<Key>) => keys.map((key) => variables[key].variable)
    const result: ReloadResult = {
      changed: names(changed),
      restart: names(restart),
      problems: [],
      ...inForce(),
      newCertificates: tls.isNew
    }
    yield* tell(result, settings.warnings.filter((warning) => !before.warnings.includes(warning)))
    return result
  }).pipe(
    Effect.catch((error) => {
      const problems = "problems" in error
        ? error.problems
        : [{ variable: "MSRP_TLS_CERT", problem: error.message, example: undefined }]
      return Effect.as(
        Effect.logError(`Nothing was reloaded. ${new SettingsError({ problems }).message}`),
        { changed: [], restart: [], problems, ...inForce(), newCertificates: false }
      )
    })
  )

  const inForce = () => ({ certificates: live.tls.certificates(), users: live.users.credentials.size?.() })

  return Reload.of({
    settings: () => live.settings,
    // What has begun is done as a whole, whoever asked for it is gone or not.
    reload: one.withPermit(Effect.uninterruptible(Effect.provideContext(reload, context)))
  })
})

/** From where users come. */
const kindOf = (credentials: CredentialsSettings): string =>
  credentials._tag !== "ByRealm" ? credentials._tag : [
    ...Object.entries(credentials.realms).map(([realm, { _tag }]) => `${realm}=${_tag}`),
    credentials.others?._tag
  ].join()

const isOfUsers = (key: Key): boolean => variables[key].group === "Users"

const keys = Object.keys(variables) as ReadonlyArray<Key>

const differing = (a: SettingsShape, b: SettingsShape): ReadonlyArray<Key> => {
  const [before, after] = [Redacted.value(a.texts), Redacted.value(b.texts)]
  return keys.filter((key) => !sameValue(key, before.get(key), after.get(key)))
}

/** The variables of a start with what is kept from before. */
const merged = (before: SettingsShape, after: SettingsShape, kept: ReadonlySet<Key>): Record<string, string> => {
  const textsOf = (settings: SettingsShape): Texts => Redacted.value(settings.texts)
  return Object.fromEntries(
    keys.flatMap((key) => {
      const text = textsOf(kept.has(key) ? before : after).get(key)
      return text === undefined ? [] : [[variables[key].variable, text]]
    })
  )
}

const problemOf = (key: Key, problem: string): SettingsError =>
  new SettingsError({ problems: [{ variable: variables[key].variable, problem, example: undefined }] })

const tell = Effect.fnUntraced(function*(
  { certificates, changed, restart, users }: ReloadResult,
  warnings: ReadonlyArray<string>
) {
  yield* Effect.logInfo("reloaded").pipe(
    Effect.annotateLogs({
      settings: changed.length === 0 ? "as before" : changed.join(", "),
      certificates,
      ...(users === undefined ? {} : { users })
    })
  )
  if (restart.length > 0) {
    const [have, they] = restart.length === 1 ? ["has", "it takes"] : ["have", "they take"]
    yield* Effect.logWarning(`${restart.join(", ")} ${have} changed: ${they} effect at the next start`)
  }
  for (const warning of warnings) yield* Effect.logWarning(warning)
})
