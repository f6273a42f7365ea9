/** Puts changed settings, users and certificates into force while the service runs: all of them, or none if any is wrong. */
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
import { type VariableKey, variableKeys, variables } from "./settings/Table.ts"
import { warningsOf } from "./Warnings.ts"

/**
 * The result of a reload. Contains no values of variables.
 *
 * @category models
 * @since 0.2.0
 */
export interface ReloadResult {
  /** Variables whose new values are in force. */
  readonly changed: ReadonlyArray<string>
  /** Variables that have changed and take effect at the next start. */
  readonly restart: ReadonlyArray<string>
  /** Everything that is wrong. If this is not empty, nothing was changed. */
  readonly problems: ReadonlyArray<SettingsProblem>
  /**
   * What works but is probably a mistake, whether it is new or not: in the settings in force, then in those that take effect at
   * the next start. Empty if nothing was changed because of problems.
   */
  readonly warnings: ReadonlyArray<string>
  /** Number of the relay's own certificates in force. */
  readonly certificates: number
  /** Whether those certificates have changed. */
  readonly newCertificates: boolean
  /** Number of users, if the backend can tell it. */
  readonly users: number | undefined
}

/**
 * Reloads the settings while the service runs.
 *
 * @category services
 * @since 0.2.0
 */
export class Reload extends Context.Service<Reload, {
  /**
   * Reads the file of variables and every file that the settings name, and puts what has changed into force. The result is
   * also logged. Concurrent reloads run one after the other.
   */
  readonly reload: Effect.Effect<ReloadResult>
  /** The settings in force. */
  readonly settings: () => SettingsShape
}>()("msrp-relay/Reload") {
  /** @internal */
  static readonly layer = (live: LiveSettings): Layer.Layer<Reload, never, FileSystem.FileSystem> =>
    Layer.effect(Reload, make(live))
}

/** Settings as a reload reads them. */
interface Reread {
  /** The settings before the reload, and those that were read. */
  readonly before: SettingsShape
  readonly wanted: SettingsShape
  /** The new settings, but with the previous values of variables that take effect only at the next start. */
  readonly settings: SettingsShape
  readonly changed: ReadonlyArray<VariableKey>
  readonly restart: ReadonlyArray<VariableKey>
}

const reread = Effect.fnUntraced(function*(live: LiveSettings) {
  const before = live.settings
  const wanted = settingsFor(yield* Settings.read, live.provided)
  const differ = differing(before, wanted)
  const kept = new Set(differ.filter((key) => variables[key].reload === "restart"))
  if (kindOf(wanted.credentials) !== kindOf(before.credentials)) {
    // Another kind of backend takes effect at the next start, whichever of the variables selects it.
    kept.add("credentials")
    for (const key of differ) if (isOfUsers(key)) kept.add(key)
  }
  const settings = kept.size === 0 ? wanted : yield* mergedOf(live, wanted, kept)
  const changed = differ.filter((key) => !kept.has(key))
  const read: Reread = { before, wanted, settings, changed, restart: [...kept] }
  return read
})

/** The wanted settings, with the previous values of the variables in `kept`. */
const mergedOf = Effect.fnUntraced(function*(
  live: LiveSettings,
  wanted: SettingsShape,
  kept: ReadonlySet<VariableKey>
): Effect.fn.Return<SettingsShape, SettingsError, FileSystem.FileSystem> {
  const settings = settingsFor(yield* Settings.parse(merged(live.settings, wanted, kept)), live.provided)
  const { fileWarnings, readFrom, secretFiles } = wanted
  return { ...settings, readFrom, secretFiles, fileWarnings, warnings: [...fileWarnings, ...settings.warnings] }
})

/** Opens what can fail before anything is changed. */
const prepare = Effect.fnUntraced(function*(live: LiveSettings, { changed, settings }: Reread) {
  const { demo, selfSigned } = live.settings
  // A self-signed certificate that was made before stays in use.
  const made = settings.selfSigned !== undefined && selfSigned !== undefined ? undefined : yield* madeFor(settings)
  const tls = yield* live.tls.read(settings.tlsFiles, made).pipe(
    Effect.mapError(({ report }) => problemOf("tlsCert", `not used, those from before stay: ${report}`))
  )
  // The demo user keeps its password; a file of users is read again even if no variable has changed.
  const same = demo !== undefined && settings.demo !== undefined
  if (same || !(backendsOf(settings.credentials).some(({ _tag }) => _tag === "File") || changed.some(isOfUsers))) {
    return { tls, users: Effect.void, settings: { ...settings, demo } }
  }
  const users = yield* live.users.open(settings.credentials).pipe(
    Effect.mapError(({ message }) => problemOf("credentials", message))
  )
  return { tls, users: Effect.andThen(users, Backend.tellDemo(settings.demo)), settings }
})

/** Numbers of certificates and users in force. */
const inForce = (live: LiveSettings) => ({
  certificates: live.tls.certificates(),
  users: live.users.credentials.size?.()
})

const namesOf = (keys: ReadonlyArray<VariableKey>): ReadonlyArray<string> => keys.map((key) => variables[key].variable)

const make = Effect.fnUntraced(function*(live: LiveSettings) {
  const context = Context.make(FileSystem.FileSystem, yield* FileSystem.FileSystem).pipe(
    Context.add(ConfigProvider.ConfigProvider, yield* ConfigProvider.ConfigProvider),
    Context.add(ProvidedParts, providedParts(live.provided))
  )
  const levels = yield* LogLevels
  const one = yield* Semaphore.make(1)

  const reload = Effect.gen(function*() {
    const read = yield* reread(live)
    const { before, changed, restart, wanted } = read
    const warned = yield* warningsOf(before, live.provided)
    const { settings, tls, users } = yield* prepare(live, read)
    yield* users
    yield* tls.use
    if (changed.includes("logLevel") && levels !== undefined) levels.level = settings.log.level
    change(live, settings)
    const warnings = yield* warningsOf(settings, live.provided)
    const later = restart.length === 0 ? [] : yield* warningsOf(wanted, live.provided)
    const result: ReloadResult = {
      changed: namesOf(changed),
      restart: namesOf(restart),
      problems: [],
      warnings: [
        ...warnings,
        ...later.filter((one) => !warnings.includes(one)).map((one) => `After a restart: ${one}`)
      ],
      ...inForce(live),
      newCertificates: tls.isNew
    }
    yield* tell(result, [...warned, ...tls.warnings])
    return result
  }).pipe(
    Effect.catch((error) => {
      const problems = "problems" in error
        ? error.problems
        : [{ variable: "MSRP_TLS_CERT", problem: error.message, example: undefined }]
      return Effect.as(
        Effect.logError(`Nothing was reloaded. ${new SettingsError({ problems }).message}`),
        { changed: [], restart: [], problems, warnings: [], ...inForce(live), newCertificates: false }
      )
    })
  )

  return Reload.of({
    settings: () => live.settings,
    // Uninterruptible, so that a reload completes even if its caller (such as an HTTP request) is gone.
    reload: one.withPermit(Effect.uninterruptible(Effect.provideContext(reload, context)))
  })
})

/** The kind of the backend, or of each backend by realm. */
const kindOf = (credentials: CredentialsSettings): string =>
  credentials._tag !== "ByRealm" ? credentials._tag : [
    ...Object.entries(credentials.realms).map(([realm, { _tag }]) => `${realm}=${_tag}`),
    credentials.others?._tag
  ].join()

const isOfUsers = (key: VariableKey): boolean => variables[key].group === "Users"

const differing = (a: SettingsShape, b: SettingsShape): ReadonlyArray<VariableKey> => {
  const [before, after] = [Redacted.value(a.texts), Redacted.value(b.texts)]
  return variableKeys.filter((key) => !sameValue(key, before.get(key), after.get(key)))
}

/** The variables of `after`, except that those in `kept` are as in `before`. */
const merged = (
  before: SettingsShape,
  after: SettingsShape,
  kept: ReadonlySet<VariableKey>
): Record<string, string> => {
  const textsOf = (settings: SettingsShape): Texts => Redacted.value(settings.texts)
  return Object.fromEntries(
    variableKeys.flatMap((key) => {
      const text = textsOf(kept.has(key) ? before : after).get(key)
      return text === undefined ? [] : [[variables[key].variable, text]]
    })
  )
}

const problemOf = (key: VariableKey, problem: string): SettingsError =>
  new SettingsError({ problems: [{ variable: variables[key].variable, problem, example: undefined }] })

/** Logs a reload, without the warnings that were logged before. */
const tell = Effect.fnUntraced(function*(
  { certificates, changed, restart, users, warnings }: ReloadResult,
  before: ReadonlyArray<string>
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
  for (const warning of warnings) {
    if (!before.includes(warning)) yield* Effect.logWarning(warning)
  }
})
